"""Only what changed runs again: the exact set of jobs for every change of settings and of code,
planned by the real Snakemake on a finished study."""

import ast
import contextlib
import re

import pytest

from expected_jobs import (
    ADDED_ROI,
    ALIGNMENT_TABLE,
    BRAIN_TABLES,
    CEILINGS,
    CEILINGS_TABLE,
    CHECKED,
    CLAIMS,
    CLAIMS_FIGURE,
    CONTROL_SCORES,
    CONTROLS_TABLE,
    COURSES,
    FA_AGAIN,
    FIGURES,
    LOOKED_AT,
    MIXED_MODELS,
    RECORD,
    RULE_TABLES,
    SCORES,
    UNIVERSES,
    VERDICTS,
    at_64,
    chain,
    network,
    of_roi,
    scores_of,
)
from helpers.reworded import reworded
from rulealign.rerun.messages import WORDS_ONLY, without_messages

pytestmark = pytest.mark.workflow

ALL_TRAINED = chain("bp", 1) | chain("fa", 1) | SCORES | RULE_TABLES | UNIVERSES

SETTINGS = {
    "nothing": (lambda study: None, set()),
    "an ROI is added": (lambda study: study["brain"]["rois"].update(IT=["IT"]), ADDED_ROI),
    "an ROI is defined anew": (
        lambda study: study["brain"]["rois"].update(LOC=["lLOC"]),
        of_roi("LOC") | BRAIN_TABLES | CONTROLS_TABLE | ALIGNMENT_TABLE | COURSES | LOOKED_AT,
    ),
    "the network": (lambda study: study["networks"]["cnn3"].update(dropout=0.5), ALL_TRAINED),
    "the learning rate of a rule": (
        lambda study: study["rules"]["fa"].update(learning_rate=0.002),
        FA_AGAIN,
    ),
    # each change is seen in the presence of another one, too
    "an ROI and a learning rate": (
        lambda study: (
            study["brain"]["rois"].update(IT=["IT"]),
            study["rules"]["fa"].update(learning_rate=0.002),
        ),
        ADDED_ROI | FA_AGAIN,
    ),
    "a seed is added": (
        lambda study: study["training"].update(seeds=[1, 2]),
        chain("bp", 2) | chain("fa", 2) | SCORES | RULE_TABLES | UNIVERSES,
    ),
    "a network is added": (
        lambda study: study["networks"].update(small={"kind": "cnn3", "width": 0.1}),
        chain("bp", 1, "small")
        | chain("fa", 1, "small")
        | scores_of("bp", "small")
        | scores_of("fa", "small")
        | RULE_TABLES
        | {"Score small by fa with V1 in every universe of the claims"}
        | CLAIMS,
    ),
    "a rule is added": (
        lambda study: study["rules"].update(another=dict(study["rules"]["bp"])),
        chain("another", 1) | scores_of("another") | RULE_TABLES,
    ),
    "a checkpoint is added at the end": (  # fa's rate is constant, bp's a cosine
        lambda study: study["training"].update(checkpoints=[0, 2, 4]),
        {f"Diagnostics of cnn3 by {rule}, seed 1: epochs 0 2 4" for rule in ("bp", "fa")}
        | network("bp", 1, 4, start=2)
        | network("fa", 1, 4, start=2)
        | SCORES
        | RULE_TABLES
        | CLAIMS,
    ),
    "a size is added": (lambda study: study["evaluation"].update(sizes=[32, 64]), at_64()),
    "another baseline of a rule": (
        lambda study: study["rules"]["fa"].update(baseline="bp"),
        SCORES | ALIGNMENT_TABLE | COURSES | CLAIMS,
    ),
    "bootstrap draws": (
        lambda study: study["statistics"].update(bootstrap_draws=120),
        SCORES | CONTROL_SCORES | CONTROLS_TABLE | ALIGNMENT_TABLE | COURSES | UNIVERSES | CHECKED,
    ),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_a_changed_setting_runs_what_depends_on_it_and_nothing_else(done, what):
    change, expected = SETTINGS[what]
    with done.restudied(change):
        planned = done.planned()
    assert set(planned) == expected
    assert len(planned) == len(expected)


def test_a_checkpoint_beyond_the_schedule_is_an_error(done):
    with (
        done.restudied(lambda study: study["training"].update(checkpoints=[0, 2, 5])),
        pytest.raises(AssertionError, match="5 lies beyond schedule_epochs 4"),
    ):
        done.planned()


LIBRARY = "src/rulealign/"
CODE = {
    "the bootstrap": (
        [(LIBRARY + "rsa/bootstrap/spearman.py", '"stimulus bootstrap"', '"other draws"')],
        SCORES
        | CONTROL_SCORES
        | CEILINGS
        | BRAIN_TABLES
        | CONTROLS_TABLE
        | ALIGNMENT_TABLE
        | COURSES
        | UNIVERSES,
    ),
    "a learning rule": (
        [
            (
                LIBRARY + "learning/rules/fa.py",
                "Settings = Feedback",
                "more = 1\n    Settings = Feedback",
            )
        ],
        FA_AGAIN,
    ),
    "the network": (
        [(LIBRARY + "learning/networks/cnn3.py", "MAP_SIDE = 4", "MAP_SIDE = 2 + 2")],
        ALL_TRAINED,
    ),
    "one more network": (
        [(LIBRARY + "learning/networks/__init__.py", "str] = {", 'str] = {"n2": "x.y:Z",')],
        set(),
    ),
    "one more entry of the registry": (
        [(LIBRARY + "learning/rules/__init__.py", '    "oja":', '    "o2": "x.y:Z",\n    "oja":')],
        set(),
    ),
    "one more comparison": (
        [
            (
                LIBRARY + "rsa/comparisons/__init__.py",
                "str] = {",
                'str] = {"rho": "rulealign.rsa.comparisons.spearman:Spearman",',
            )
        ],
        set(),
    ),
    "a figure's colour": (
        [(LIBRARY + "report/style.py", '"#0072B2"', '"#0072B3"')],
        FIGURES | CLAIMS_FIGURE,
    ),
    "a report template": (
        [(LIBRARY + "report/templates/page.html", "<body>", '<body class="new">')],
        RECORD,
    ),
    "a script": (
        [
            ("scripts/ceiling.py", "wildcards.roi,", "wildcards['roi'],"),
        ],
        CEILINGS | CEILINGS_TABLE | FIGURES | VERDICTS,
    ),
    "a control": (
        [(LIBRARY + "controls/mean_luminance.py", "from __future__", "X = 1\nfrom __future__")],
        {"RDMs of the controls of shown at 32 px"} | CONTROL_SCORES | CONTROLS_TABLE | FIGURES,
    ),
    # data in another form would be read, stored and averaged with the same code
    "another form of the data": (
        [(LIBRARY + "data/things/volumes_form.py", "from __future__", "X = 1\nfrom __future__")],
        RECORD,
    ),
    "a sign": (
        [
            (
                LIBRARY + "claims/mixed_models.py",
                "of_subjects - rest) / number",
                "of_subjects + rest) / number",
            )
        ],
        RECORD | {MIXED_MODELS},
    ),
    "a reason that a table holds": (
        [(LIBRARY + "claims/mixed_models.py", "the same with every", "equal with every")],
        RECORD | {MIXED_MODELS},
    ),
    "the version": ([(LIBRARY + "__init__.py", '__version__ = "', '__version__ = "9.')], set()),
}


@contextlib.contextmanager
def edits(checkout, changes):
    with contextlib.ExitStack() as stack:
        for file, old, new in changes:
            stack.enter_context(checkout.edited(file, (old, new)))
        yield


@pytest.mark.parametrize("what", CODE)
def test_changed_code_runs_what_reaches_it_and_nothing_else(done, what):
    changes, expected = CODE[what]
    with edits(done, changes):
        assert set(done.planned()) == expected


def test_comments_docstrings_and_layout_run_nothing(done):
    files = [*done.folder.glob("src/**/*.py"), *done.folder.glob("scripts/*.py")]
    assert len(files) > 150
    with contextlib.ExitStack() as stack:
        for file in files:
            text = file.read_text()
            new = re.sub(r'^"""', '"""Said otherwise. ', text, count=1) + "\n\n# a comment\n"
            new = re.sub(r'^(    +)"""(?=[A-Z])', r'\1"""In other words: ', new, flags=re.MULTILINE)
            stack.enter_context(done.rewritten(file.relative_to(done.folder), new))
        assert done.planned() == []


def test_messages_in_other_words_run_nothing(done):
    files = [*done.folder.glob("src/**/*.py"), *done.folder.glob("scripts/*.py")]
    count = {}
    with contextlib.ExitStack() as stack:
        for file in files:
            name = file.relative_to(done.folder)
            text, count[str(name)] = reworded(file.read_text())
            if file.name == "job.py":  # the machine's description, too
                assert ' cores"' in text
                text = text.replace(' cores"', ' CPUs"')
            stack.enter_context(done.rewritten(name, text))
        assert done.planned() == []
    # errors of the store and lines in the log of the training are among them
    assert count[LIBRARY + "store.py"] > 3
    assert count[LIBRARY + "learning/trainer.py"] > 0
    assert sum(count.values()) > 350


@pytest.mark.slow
def test_without_any_message_a_study_gives_the_same_bytes(done, tmp_path):
    run = done.copy(tmp_path)
    for file in [*run.folder.glob("src/**/*.py"), *run.folder.glob("scripts/*.py")]:
        module = ".".join(file.relative_to(run.folder).with_suffix("").parts[1:])
        if module not in WORDS_ONLY:
            file.write_text(ast.unparse(without_messages(ast.parse(file.read_text()))))
    assert run.planned() == []
    before = run.results()
    run.snakemake("--cores", "2", "--forceall")
    assert run.results() == before
