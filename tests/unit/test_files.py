"""The names of results are said in one place, and each tells one file from all others."""

import itertools
import re

from rulealign.plan.files import FILES, result_files

LABELS = {
    "network": ("cnn3", "cnn3_2"),
    "rule": ("bp", "bp_2"),
    "stimuli": ("shown", "shown_32"),
    "roi": ("V1", "V1v"),
}
LABELS |= {"subject": ("01", "02"), "seed": (1, 12), "epoch": (0, 10), "size": (32, 96)}
LABELS |= {"descriptor": ("grid-8", "grid-4"), "centring": ("centred", "uncentred")}
LABELS |= {"measure": ("encoding", "cka"), "features": ("activations", "gradient")}
LABELS |= {"table": ("alignment", "layers"), "figure": ("accuracy", "claims")}


def test_no_two_results_share_a_name():
    every = [
        name.format(**dict(zip(LABELS, values, strict=True)))
        for name in FILES.values()
        for values in itertools.product(
            *[labels if f"{{{label}}}" in name else labels[:1] for label, labels in LABELS.items()]
        )
    ]
    assert len(every) > 100
    assert len(set(every)) == len(every)


def test_every_name_lies_in_the_folder_of_the_study():
    named = vars(result_files("results/s"))
    assert named.pop("results") == "results/s"
    assert named.keys() == FILES.keys()
    assert all(path.startswith("results/s/") for path in named.values())
    assert named["checkpoint"].format(network="cnn3", rule="bp", seed=1, epoch=0) == (
        "results/s/checkpoints/net-cnn3_rule-bp_seed-1_epoch-0.pt"
    )


def test_rules_take_the_names_of_results_from_there(project):
    for file in sorted((project / "rules").glob("*.smk")):
        named = re.findall(r'f?"[^"\n]*\.(?:csv|h5|pt|svg|html|json|yaml)"', file.read_text())
        allowed = ("../envs/", "resources/", "workflow_config.yaml")
        assert [one for one in named if not any(part in one for part in allowed)] == [], file
