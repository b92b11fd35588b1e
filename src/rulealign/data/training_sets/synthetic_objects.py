"""Generated objects: small, without a download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.data.training_set import TrainingSet
from rulealign.mistakes import Checks, Mistake
from rulealign.provenance import derive_seed
from rulealign.schema import GENERATED, PositiveInt

if TYPE_CHECKING:
    from rulealign.data.training_set import Split


class SyntheticObjects(TrainingSet):
    """Generated objects: 10 classes of shape and texture on 1/f backgrounds."""

    words = "Generated: shaped, textured objects on 1/f backgrounds; no photographs."
    cited = GENERATED

    kind: Literal["synthetic-objects"] = Field(description="generated, no download")
    pool_images: PositiveInt = Field(
        default=10_000, description="images of the train split that seeds draw from"
    )

    def class_count(self) -> int:
        """Give the number of kinds of objects that are drawn."""
        from rulealign.data.simulated.objects import CLASSES

        return len(CLASSES)

    def checks(self) -> Checks:
        """Check that there are enough images to draw from."""
        yield self._enough_to_draw()

    def _enough_to_draw(self) -> Iterator[Mistake]:
        if self.pool_images < self.train_images:
            yield Mistake(
                "pool_images",
                f"{self.pool_images} is less than train_images {self.train_images}, which are drawn"
                " from it; raise it",
            )

    def read(
        self, _source: Path | None, _workplace: Path, seed: int
    ) -> tuple[list[str], dict[str, Split]]:
        """Draw the images; see `TrainingSet.read`."""
        from rulealign.data.simulated.objects import CLASSES, make_objects

        counts = {"train": self.pool_images, "test": self.held_out_images}
        splits = {
            split: make_objects(count, self.image_size, derive_seed(seed, "training_set", split))
            for split, count in counts.items()
        }
        return list(CLASSES), splits
