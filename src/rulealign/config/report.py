"""The section on what the report shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from rulealign.config.evaluation import View
from rulealign.config.universes import Axis
from rulealign.mistakes import Checks, Mistake
from rulealign.schema import Closed, Distinct, Label, Pixels, Reason, each
from rulealign.wrong_values import shown


class Reproduced(Closed):
    """A number that was published elsewhere, beside which the report puts that of a claim."""

    claim: Label = Field(description="a label of `claims`")
    source: Reason = Field(description="where it was published, so that a reader can find it")
    reported: Reason = Field(description="what was published, in words and numbers")
    universe: each(dict[Axis, Pixels | str]) = Field(
        default={},
        description="axis -> the value of `universes` that comes nearest to what was published; of"
        " an axis that is not named, the primary one",
    )


class Report(View):
    """What the report shows first; all other settings follow below it."""

    highlight: Annotated[list[str], Distinct] = Field(
        default=[],
        description="three to five rules that figures draw as lines, each beside its baseline; the"
        " others are a grey band. []: every rule where there are no more than eight, else those"
        " that claims name, then the study's first ones, eight lines in all",
    )

    reproduces: each(list[Reproduced]) = Field(
        default=[], description="published numbers that the report shows beside those of claims"
    )

    @property
    def view(self) -> View:
        """Give the setting that is shown first."""
        return View(**{name: getattr(self, name) for name in View.model_fields})

    def checks(self) -> Checks:
        """Check how many rules are highlighted."""
        yield self._three_to_five()

    def _three_to_five(self) -> Iterator[Mistake]:
        if self.highlight and not 3 <= len(self.highlight) <= 5:
            why = f"names {shown(self.highlight)}; name three to five rules, or none: []"
            yield Mistake("highlight", why)
