"""A very small network, and settings of every rule that suit it."""

from dataclasses import replace

from rulealign.learning.networks.cnn3 import Cnn3

NETWORK = Cnn3(kind="cnn3", channels=[4, 6, 8], hidden_units=16, dropout=0.3)
GRADIENT = {"weight_decay": 1e-4, "schedule": "cosine", "clip_norm": 1.0}
READOUT = {"readout_learning_rate": 0.01, "readout_weight_decay": 1e-4, "schedule": "cosine"}
RULES = {
    "untrained": {},
    "untrained_bn": {"augment": False, "size": 16, "batch_size": 20},
    "bp": {"optimizer": "adam", "learning_rate": 0.01, "momentum": 0.0, **GRADIENT},
    "fa": {"layers": "all", "optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, **GRADIENT},
    "dfa": {"optimizer": "adam", "learning_rate": 0.003, "momentum": 0.0, **GRADIENT},
    "sign_symmetry": {"optimizer": "adam", "learning_rate": 0.003, "momentum": 0.0, **GRADIENT},
    "kolen_pollack": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, **GRADIENT},
    "weight_mirror": {"optimizer": "adam", "learning_rate": 0.003, **GRADIENT},
    "burst": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, **GRADIENT},
    "target_propagation": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, **GRADIENT},
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
    "pc_error": {
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "momentum": 0.9,
        "inference_steps": 3,
        "inference_rate": 0.2,
        "target_share": 0.05,
        **GRADIENT,
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
    "local_supervised": {"learning_rate": 0.01, **READOUT},
    "forward_forward": {"learning_rate": 0.01, **READOUT},
    "vicreg": {"learning_rate": 0.01, "embedding": 12, **READOUT},
    "vicreg_local": {"learning_rate": 0.01, "embedding": 12, **READOUT},
    "softhebb": {
        "learning_rate": [0.08, 0.05, 0.05],
        "sharpness": [1.0, 0.65, 0.25],
        "learning_epochs": 6,
        "images_per_change": 6,
        **READOUT,
    },
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


def of_section(section, **values):
    """Give a section of the configuration with other values: checked, as in a study."""
    return type(section).model_validate(section.model_dump() | values)


def altered(settings, **values):
    """Give settings with other values; of a section, a dict of the keys that change."""
    sections = {
        key: of_section(getattr(settings, key), **value) if isinstance(value, dict) else value
        for key, value in values.items()
    }
    return replace(settings, **sections)
