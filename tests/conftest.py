"""What every test may use."""

import os
from pathlib import Path

import numpy as np
import pytest

from rulealign import store

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


GRADIENT = {"weight_decay": 1e-4, "schedule": "cosine", "clip_norm": 1.0}
READOUT = {"readout_learning_rate": 0.01, "readout_weight_decay": 1e-4, "schedule": "cosine"}
RULES = {
    "untrained": {},
    "untrained_bn": {"images": "training", "size": 16, "count": "all", "batch_size": 20},
    "bp": {"optimizer": "adam", "learning_rate": 0.01, "momentum": 0.0, **GRADIENT},
    "fa": {"layers": "all", "optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, **GRADIENT},
    "dfa": {"optimizer": "adam", "learning_rate": 0.003, "momentum": 0.0, **GRADIENT},
    "sign_symmetry": {"optimizer": "adam", "learning_rate": 0.003, "momentum": 0.0, **GRADIENT},
    "readout": READOUT,
    "pc": {
        "inference_steps": 4,
        "inference_rate": 1.0,
        "precision": [1.0, 0.3, 0.2],
        "prior": 0.7,
        "conv_learning_rate": 1e-3,
        "prediction_learning_rate": 1e-2,
        **READOUT,
    },
    "pc_supervised": {
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "momentum": 0.9,
        "inference_steps": 3,
        "inference_rate": 0.2,
        "output_precision": 1.0,
        "fixed_prediction": False,
        **GRADIENT,
    },
    "stdp": {
        "time_steps": 6,
        "a_plus": 0.4,
        "a_minus": 0.3,
        "tau_plus": 5.0,
        "tau_minus": 4.0,
        "learning_rate": [0.02, 0.02, 0.02],
        "learning_epochs": 6,
        "order": "together",
        "patches_per_image": [2, 2, 1],
        "centring": ["patch", "input", "input"],
        "decorrelation": [0.0, 0.1, 0.1],
        "contrast_floor": 0.1,
        "spikes_per_contrast": 0.5,
        "largest_rate": 1.0,
        "initial_threshold": 0.5,
        "winning_share": 0.7,
        "homeostasis_rate": 0.1,
        "weight_bound": 2.0,
        **READOUT,
    },
    "oja": {"learning_rate": 0.5, "patches_per_image": 5, **READOUT},
    "pc_2026": {
        "inference_steps": 10,
        "inference_rate": 0.02,
        "weight_rate": 1e-4,
        "clamp": 0.01,
        **READOUT,
    },
    "stdp_2026": {
        "time_steps": 10,
        "a_plus": 0.003,
        "a_minus": 0.003,
        "tau_plus": 20.0,
        "tau_minus": 20.0,
        "clamp": 0.002,
        "learning_rate": 5e-4,
        **READOUT,
    },
}
TRAINED = [kind for kind in RULES if not kind.startswith("untrained")]


def pytest_generate_tests(metafunc):
    """Run a test that asks for `trained_kind` with every rule that trains."""
    if "trained_kind" in metafunc.fixturenames:
        metafunc.parametrize("trained_kind", TRAINED)


@pytest.fixture
def checkpoint_settings():
    """Give a function: kind of a rule -> settings of its checkpoints, in a very small study."""

    def settings(kind, **training):
        return {
            "network": {"kind": "cnn3", "channels": [4, 6, 8], "hidden_units": 16, "dropout": 0.3},
            "training": {
                "schedule_epochs": 6,
                "batch_size": 16,
                "crop_padding": 2,
                "horizontal_flip": True,
                "mean": [0.5, 0.4, 0.3],
                "std": [0.2, 0.25, 0.3],
                **training,
            },
            "training_set": {"image_size": 16, "train_images": 50, "held_out_images": 30},
            "rule": {"kind": kind, "init": "default", **RULES[kind]},
            "label": kind,
            "study_seed": 7,
            "device": "cpu",
        }

    return settings


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
