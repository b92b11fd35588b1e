"""Print the settings of a study small enough for a Slurm of two virtual nodes on two cores.

python small_study.py > <study file>

Each kind of job of the default study, but four rules, one seed, size and epoch, fewer images, two
subjects and one ROI: start-up of jobs takes most of the time, and the test may take ten minutes.
"""

from pathlib import Path

import yaml

from rulealign.config.load import load_study

# enough networks to keep two nodes busy while one is cancelled, two are lost and two complete
RULES = ("untrained", "untrained_bn", "bp", "fa")
DEFAULT = Path(__file__).resolve().parents[2] / "workflow_config.yaml"


def small(study):
    """Reduce a study in place, and give it: dict -> dict."""
    study["study"] = "small"
    study["rules"] = {rule: study["rules"][rule] for rule in RULES}
    study["training_set"] |= {"pool_images": 2000, "train_images": 1000, "held_out_images": 500}
    study["training"] |= {"seeds": [42], "fewer_seeds": {}, "checkpoints": [0, 1]}
    study["evaluation"]["sizes"] = [32]
    study["universes"]["size"] = [32]
    study["brain"] |= {"subjects": 2, "rois": {"V1": study["brain"]["rois"]["V1"]}}
    study["layer_map"] = [{"layer": "conv1", "roi": "V1"}]
    above = study["claims"]["bp_above_fa"]
    above["statement"] = "After one epoch backpropagation is above feedback alignment at conv1"
    for term in (*above["plus"], *above["minus"]):
        term["epoch"] = 1
    return study


if __name__ == "__main__":
    default = load_study(yaml.safe_load(DEFAULT.read_text())).model_dump(mode="json")
    print(yaml.safe_dump(small(default), sort_keys=False))
