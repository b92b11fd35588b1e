"""Methods written from the study, and published numbers beside those of its claims."""

import re
import unicodedata

import pandas as pd
import pytest

from complete_studies import complete
from conftest import PROJECT
from rulealign.config.load import load_study
from rulealign.config.universes import AXES
from rulealign.errors import ConfigurationError
from rulealign.learning.rules import REGISTRY
from rulealign.report import reproduced
from rulealign.report.methods import methods
from rulealign.report.rule_names import RULES
from rulealign.report.rule_references import RULE_REFERENCES

FACTS = {"study_fingerprint": "00ff", "python": "3.11.9", "packages": {"rulealign": "0.1.0"}}
FACTS["packages"] |= {"torch": "2.9.8", "jinja2": "3.1"}
CITED = r"[\w-]+(?: et al\.| & [\w-]+)? (?:19|20)\d\d\b(?=[;)])"
TOLD = {"claim": "bp_drop", "source": "a report (2026)", "reported": ".102 to .011"}


def study_of(**changes):
    values = complete(PROJECT / "workflow_config.yaml")
    for section, keys in changes.items():
        values[section] |= keys
    return load_study(values)


def tables():
    pairs = {"n_stimuli": 60, "n_pairs": 1770, "pairs": "all", "convention": "per_subject"}
    return {
        "alignment": pd.DataFrame([pairs]),
        "ceilings": pd.DataFrame([{"n_subjects": 3, "distance": "1 - Pearson"}]),
        "training": pd.DataFrame([{"held_out_images": 777}]),
    }


def test_the_paragraph_has_the_numbers_of_study_and_tables_and_their_references():
    study = study_of(statistics={"bootstrap_draws": 4321}, training={"batch_size": 25})
    found = methods(study, tables(), FACTS)
    text = " ".join(found.paragraphs)
    numbers = ("4,321 resamples", "2,000 training images in batches of 25", "epochs 0, 1 and 10")
    numbers += ("777 images", "60 stimuli at 32 and 96 px", "1770 pairs", "3 subjects in V1, V2,")
    for phrase in (*numbers, "rulealign 0.1.0 (Python 3.11.9, torch 2.9.8)", "settings 00ff"):
        assert phrase in text
    assert "No claim was declared" in text
    # every reference in brackets has its entry, and no other is listed
    cited = {(one.split()[0], one.split()[-1]) for one in re.findall(CITED, text)}
    listed = [
        (re.match(r"[\w-]+", one.text)[0], re.search(r"\((\d{4})\)", one.text)[1])
        for one in found.references
    ]
    assert ("Kriegeskorte", "2008") in cited
    assert sorted(cited) == listed
    assert "Simonsohn" not in found.bibtex
    assert found.bibtex.count("@") == len(found.references) + 1


def test_claims_add_what_they_rest_on():
    summary = pd.DataFrame([{"universes": 24}, {"universes": 20}])
    found = methods(study_of(), tables() | {"claims_summary": summary}, FACTS)
    assert "2 claims were declared before the run, and evaluated in 20 or 24" in found.paragraphs[3]
    assert "stimuli, corrected" in found.paragraphs[3]
    assert "10.1038/s41562-020-0912-z" in found.bibtex


def test_rules_are_named_in_full_with_their_optimiser_and_rates():
    study = study_of()
    sgd = {"kind": "fa", "optimizer": "sgd", "learning_rate": 0.0005, "momentum": 0.9}
    rules = complete(PROJECT / "workflow_config.yaml")["rules"]
    study = study_of(rules=rules | {"fa_sgd": rules["fa"] | sgd})
    words = methods(study, tables(), FACTS).paragraphs[1]
    for phrase in (
        "trained by backpropagation (Rumelhart et al. 1986; bp: Adam, learning rate 0.001), ",
        "feedback alignment (Lillicrap et al. 2016; fa: Adam, learning rate 0.001;"
        " fa_sgd: SGD, learning rate 0.0005, momentum 0.9)",
        "pc: Adam on the readout, readout learning rate 0.001, conv learning rate 0.0001,"
        " prediction learning rate 0.01)",
        "learning rate (2.0, 8.0, 8.0))",
        "Not trained were initial weights with identity BatchNorm (untrained) and",
    ):
        assert phrase in words


def in_ascii(text):
    return unicodedata.normalize("NFKD", text.replace("ø", "o")).encode("ascii", "ignore").decode()


def test_every_kind_of_rule_has_a_name_and_the_sources_that_its_documentation_names():
    assert set(RULES) == set(REGISTRY)
    references = {one.named: in_ascii(one.text) for one in RULE_REFERENCES}
    own = {kind: [references[one] for one in rule.sources] for kind, rule in RULES.items()}
    documented = {}
    for line in (PROJECT / "docs" / "rules.md").read_text().splitlines():
        kinds, *_, sources = [*line.split("|")[1:4], "", ""][:3]
        for kind in re.findall(r"`(\w+)`", kinds):
            documented.setdefault(kind, sources)  # the first table names the sources
    documented["vicreg_local"] = documented["vicreg_local"].replace(
        "the same", documented["vicreg"]
    )
    for kind in RULES:
        wanted = re.findall(r"([A-Z][a-z]+)[^;|]*? ((?:19|20)\d\d)\b(?!\.)", documented[kind])
        assert len(wanted) == len(own[kind]) or "arXiv" in documented[kind], kind
        for author, year in wanted:
            assert [one for one in own[kind] if author in one and f"({year})" in one], kind
        for number in re.findall(r"\d{4}\.\d{5}", documented[kind]):
            assert [one for one in own[kind] if number in one], kind


def universes():
    first = dict.fromkeys(AXES, "one") | {"claim": "bp_drop", "size": 32, "low": -1.0, "high": 1.0}
    primary = first | {"primary": True, "effect": -0.25, "verdict": "holds"}
    other = first | {"size": 96, "primary": False, "effect": 0.125, "verdict": "reversed"}
    lost = first | {"control": "pixels", "primary": False, "verdict": "missing"}
    return pd.DataFrame([primary, other, lost])


def test_a_published_number_stands_beside_the_effect_in_the_universe_that_is_named():
    told = [TOLD, TOLD | {"universe": {"size": 96}}, TOLD | {"universe": {"control": "pixels"}}]
    study = study_of(report={"reproduces": told})
    table = reproduced.tabulate(study, universes())
    primary, other, lost = table.rows
    assert ".102 to .011 (a report (2026))" in primary[1]
    assert 'value="-0.25"' in primary[2]
    assert primary[3:] == ["the primary one", "holds"]
    assert 'value="0.125"' in other[2]
    assert other[3:] == ["96 px", "reversed"]
    assert "not computed" in lost[2]
    assert reproduced.tabulate(study_of(), universes()) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"claim": "bp_drip"}, r"report\.reproduces\.0\.claim: .*'bp_drip'.*bp_drop"),
        ({"universe": {"size": 64}}, r"reproduces\.0\.universe\.size: .*64.*universes\.size lists"),
        ({"universe": {"colour": 1}}, r"reproduces\.0\.universe\.colour"),
        ({"reported": ""}, r"reproduces\.0\.reported"),
    ],
)
def test_what_a_study_cannot_reproduce_is_told(changes, message):
    with pytest.raises(ConfigurationError, match=message):
        study_of(report={"reproduces": [TOLD | changes]})
