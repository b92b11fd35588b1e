"""What every test may use."""

import functools
import os
import re
from pathlib import Path

# several tests run side by side, each on one core
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from made_rule import made_rule
from rule_settings import NETWORK, RULES, altered, of_section
from rulealign import store
from rulealign.arm import Arm
from rulealign.config.training import Recipe
from rulealign.data.training_sets.synthetic_objects import SyntheticObjects
from rulealign.learning.rules import rule_class
from rulealign.plan.settings.training import CheckpointSettings

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def project() -> Path:
    """Give the folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Give a folder with copies of the public data, or skip where there is none."""
    for folder in os.environ.get("RULEALIGN_DATA_MIRRORS", "").split(os.pathsep):
        if folder and (Path(folder) / "cichy92").is_dir():
            return Path(folder)
    pytest.skip("no mirror of public data (RULEALIGN_DATA_MIRRORS)")


TRAINED = [kind for kind in RULES if not kind.startswith("untrained")]


SHARED = ("finished", "done")
"""Finished studies that many tests share, each a minute's work."""


def pytest_collection_modifyitems(items):
    """Start with the longest: finished studies, then what else runs Snakemake, then the rest."""
    items.sort(key=lambda item: (not set(SHARED) & set(item.fixturenames), not _runs(item)))


def _runs(item):
    return item.path.parent.name == "workflow"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep tests of one module, or of one finished study, in one process: what they share is made
    once."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid.partition("::")[0])

    config.option.loadscopereorder = False
    return Together(config, log)


@functools.cache
def group_of(file):
    """Give the finished study that tests of a file share, or the file."""
    text = (PROJECT / file).read_text()
    return next((name for name in SHARED if re.search(rf"def \w+\(.*\b{name}\b", text)), file)


def pytest_generate_tests(metafunc):
    """Run a test that asks for `trained_kind` with every rule that trains."""
    if "trained_kind" in metafunc.fixturenames:
        metafunc.parametrize("trained_kind", TRAINED)


@pytest.fixture
def checkpoint_settings():
    """Give a function: kind of a rule -> settings of its checkpoints, in a very small study."""

    def settings(kind, **training):
        return CheckpointSettings(
            arm=Arm("cnn3", kind),
            network=NETWORK,
            training=Recipe(
                **{
                    "schedule_epochs": 6,
                    "batch_size": 16,
                    "crop_padding": 2,
                    "padding_mode": "zero",
                    "horizontal_flip": True,
                    "mean": [0.5, 0.4, 0.3],
                    "std": [0.2, 0.25, 0.3],
                }
                | training
            ),
            rule=rule_class(kind).Settings(**{"kind": kind, "init": "default"} | RULES[kind]),
            training_set=SyntheticObjects(
                kind="synthetic-objects",
                image_size=16,
                train_images=50,
                held_out_images=30,
                pool_images=100,
            ),
            calibration=None,
            study_seed=7,
            device="cpu",
        )

    return settings


@pytest.fixture
def make_rule(checkpoint_settings):
    """Give a function: kind, changed settings -> the rule on the small network, no dropout."""

    def make(kind, seed=3, label=None, network=None, **changes):
        settings = altered(checkpoint_settings(kind), rule=changes)
        small = of_section(settings.network, **{"dropout": 0.0} | (network or {}))
        return made_rule(settings.rule, small, seed, label)

    return make


@pytest.fixture(scope="session")
def small_training_set(tmp_path_factory) -> Path:
    """Give a file of 60 + 40 images of 16 px; the class is the brightness of the red channel."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in {"train": 60, "test": 40}.items():
        labels = rng.integers(0, 10, count)
        images = rng.integers(0, 100, (count, 16, 16, 3), dtype=np.uint8)
        images[..., 0] += (labels * 15).astype(np.uint8)[:, None, None]
        arrays |= {f"{split}/images": images, f"{split}/labels": labels}
    path = tmp_path_factory.mktemp("training_set") / "images.h5"
    store.write_h5(path, arrays, ids={"class": [str(label) for label in range(10)]}, settings={})
    return path
