"""What the studies of the repository promise: the first report's claims, and networks in common."""

from collections import Counter

import pytest
import yaml

from rulealign.config.load import load_study

FALLS = {"bp": 0.091, "fa": 0.05, "pc": 0.0255, "stdp": 0.0255}
"""Rule -> how far conv1 fell after one epoch, by the first report: .102 to .011; 49% and 25% of
about .102."""

ORDER = ("pc", "stdp", "bp", "fa")
"""The order of the rules after the last epoch, by the first report: .064, .059, .022 and .019."""

PUBLISHED = {"bp": "bp", "fa": "fa_2026", "pc": "pc_2026", "stdp": "stdp_2026"}
"""Rule -> the procedure that the first report ran under its name."""


def declared(study, plus, minus, layer="conv1"):
    """Find the claims of a study that some (rule, epoch) are above others."""
    sides = Counter(plus), Counter(minus)
    for claim in study.claims.values():
        terms = {side: claim.terms(side) for side in ("plus", "minus")}
        own = tuple(Counter((t[0], t[1]) for t in terms[side]) for side in ("plus", "minus"))
        if claim.direction == "negative":
            own = own[::-1]
        if own == sides and claim.layer == [layer]:
            yield claim


@pytest.fixture(params=["cichy92", "things", "things_repeats"])
def study(request, project):
    return load_study(yaml.safe_load((project / f"studies/{request.param}.yaml").read_text()))


@pytest.mark.parametrize("rules", [dict(zip(ORDER, ORDER, strict=True)), PUBLISHED])
def test_the_falls_of_the_first_report_are_declared_with_their_sizes(study, rules):
    for rule, fall in FALLS.items():
        (found,) = declared(study, [(rules[rule], 0)], [(rules[rule], 1)])
        size = found.smallest_effect.value
        assert fall / 2 <= size <= fall, f"{rules[rule]}: {size}"


@pytest.mark.parametrize("rules", [dict(zip(ORDER, ORDER, strict=True)), PUBLISHED])
def test_the_order_of_the_first_report_is_declared(study, rules):
    for place, upper in enumerate(ORDER):
        for lower in ORDER[place + 1 :]:
            claims = declared(study, [(rules[upper], 40)], [(rules[lower], 40)])
            assert list(claims), f"{rules[upper]} above {rules[lower]}"
    # and that others fall less than bp, and local rules less than fa
    for less, more in (("fa", "bp"), ("pc", "bp"), ("stdp", "bp"), ("pc", "fa"), ("stdp", "fa")):
        less, more = rules[less], rules[more]
        assert list(declared(study, [(less, 1), (more, 0)], [(less, 0), (more, 1)])), (less, more)


def test_the_gain_of_the_first_report_is_declared_with_its_size(study):
    found = list(declared(study, [("bp", 40)], [("bp", 0)], layer="conv3"))
    # one of each data set: cichy92 has inferior temporal cortex of two
    assert len({tuple(claim.roi) for claim in found}) == len(found) >= 1
    assert {claim.smallest_effect.value for claim in found} == {0.005}


def test_no_study_is_longer_than_300_lines(project):
    lengths = {
        path.name: len(path.read_text().splitlines()) for path in project.glob("studies/**/*.yaml")
    }
    assert len(lengths) > 10
    assert {name: length for name, length in lengths.items() if length > 300} == {}
