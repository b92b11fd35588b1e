"""A study for tests of the page: two ROIs, three rules, one set of stimuli."""

from pathlib import Path

from complete_studies import complete
from no_claims import without_claims
from rulealign.config.load import load_study

LAYERS = (("conv1", "V1"), ("fc1", "IT"))


def page_study(**changes):
    """Make the study that tests of the page's tables are about.

    Args:
        changes: sections or settings of the top that are other ones.
    """
    study = complete(Path(__file__).parents[2] / "workflow_config.yaml")
    study["rules"] = {rule: study["rules"][rule] for rule in ("untrained", "bp", "fa")}
    for rule in study["rules"].values():
        rule["baseline"] = None
    study["training"]["fewer_seeds"] = {}
    study["stimuli"] = {"grey": study["stimuli"]["shown"]}
    study["brain"]["rois"] = {"V1": ["V1"], "IT": ["IT"]}
    study["layer_map"] = [{"layer": layer, "roi": roi} for layer, roi in LAYERS]
    study["report"] |= {"stimuli": "grey", "size": 32, "descriptor": "grid-8"}
    study["report"]["centring"] = "centred"
    return load_study({**without_claims(study), **changes})
