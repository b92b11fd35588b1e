# The study, checked before any job is planned, and the names of its files.

import functools
import os
import sys

from rulealign.arm import Arm
from rulealign.plan import claims as claim_plans
from rulealign.plan import cluster
from rulealign.plan import machine
from rulealign.claims.measures import MEASURES, measure_class
from rulealign.plan.files import ARM, NETWORK, result_files
from rulealign.plan.lines import lines
from rulealign.data.memory import rdms_mb
from rulealign.plan.settings import activations, brain, claims, diagnostics
from rulealign.plan.settings import encoding, images, score_tables, scores, training
from rulealign.plan.settings import report as report_settings
from rulealign.plan.universes import PLAIN_WAY, Way
from rulealign.rerun.code_fingerprint import Sources
from rulealign.config.file import read_study_file
from rulealign.config.load import load_study, read_study
from rulealign.schema import source_of
from rulealign.data import inputs, sources
from rulealign.data.stimulus_count import require_folds
from rulealign.data.download import fetch
from rulealign.config.given_files import given_files, values_of_places
from rulealign.errors import RulealignError
from rulealign.learning.given import common_folder
from rulealign.job import let_jobs_import_rulealign
from rulealign.job_server import python_of_jobs
from rulealign.rerun.noted import Noted, keep_note
from rulealign.provenance import file_sha256, fingerprint, folder_listing
from rulealign.rerun.results_folder import refuse_unnoted_results
from rulealign.rerun.study_folder import (
    origin,
    refuse_other_study,
    refuse_same_name,
    refuse_second_file,
    study_text,
    versions,
)


def settings_of_file(file):
    """Give the fingerprint of the settings that a study file has; None where it has mistakes."""
    try:
        return fingerprint(read_study(file).computed())
    except RulealignError:
        return None


try:
    study_files = [os.path.relpath(file) for file in workflow.overwrite_configfiles]
    refuse_second_file(study_files)
    STUDY_FILE = study_files[0] if study_files else "workflow_config.yaml"
    read_study_file(Path(STUDY_FILE))  # Snakemake takes the last of two equal keys
    STUDY = load_study(config, STUDY_FILE)
    SUBJECTS = STUDY.brain.subject_names
    sources.require_sources(STUDY)
    sources.refuse_placeholders(STUDY)
    sources.require_times(STUDY)
    refuse_same_name(Path(workflow.basedir), STUDY.study, STUDY_FILE, settings_of_file)
    RESULTS = f"results/{STUDY.study}"
    WITH_RESPONSES = SUBJECTS if STUDY.brain.single_trials else []
    BRAIN_DATA = (
        STUDY.brain.files(STUDY.things, Path("resources"), Path(RESULTS))
        if WITH_RESPONSES
        else None
    )
    sources.require_stimulus_list(STUDY)
    require_folds(STUDY, Path("resources"))
    claim_plans.require_primaries(STUDY)
    for subject in WITH_RESPONSES:
        BRAIN_DATA.files(subject)  # refuses a missing subject
    refuse_other_study(Path("results"), STUDY.study, STUDY_FILE, STUDY.computed())
    ORIGIN = origin(Path("results"), STUDY.study, STUDY_FILE)
    SOURCES = Sources(Path(workflow.basedir) / "scripts", remember=NOTES)
    refuse_unnoted_results(
        Path("results") / STUDY.study,
        STUDY.computed(),
        SOURCES.versions(),
        Path(".snakemake/metadata"),
    )
except RulealignError as error:
    raise refused(error) from None

let_jobs_import_rulealign()

# Where bytes come from, and how many requests fetch them, changes no result and must make nothing
# run again: jobs find it here and not in params, complete, whether the study says it or not.
config["mirrors"] = STUDY.data_mirrors
config["parallel"] = STUDY.things.parallel if STUDY.things else 1

FILES = result_files(RESULTS)
LOGS = FILES.logs
EPOCHS = {rule: STUDY.epochs(rule) for rule in STUDY.rules}
ARMS = STUDY.arms
MADE_HERE = [rule for rule in STUDY.rules if STUDY.taught_by(rule).made_here]
GIVEN = [rule for rule in STUDY.rules if rule not in MADE_HERE]
WITH_STATES = [rule for rule in STUDY.rules if STUDY.taught_by(rule).has_states]
WITH_ACTIVATIONS = [
    label for label in STUDY.rules if STUDY.taught_by(label).has_activations
]
OF_STATES = [arm for arm in ARMS if arm.rule in WITH_STATES]
OF_ACTIVATIONS = [arm for arm in ARMS if arm.rule in WITH_ACTIVATIONS]


wildcard_constraints:
    dataset=r"[a-z0-9-]+",
    stimuli=r"[A-Za-z0-9_]+",
    size=r"\d+",
    subject="|".join(SUBJECTS),
    measure="|".join(MEASURES),
    features="activations|gradient|teaching",
    roi="|".join(STUDY.brain.rois),  # `V1_layers` would be the ROI V1, and what is made of it
    network="|".join(STUDY.networks),
    rule=r"[A-Za-z0-9_]+",
    seed=r"\d+",
    epoch=r"\d+",


def verbatim(value):
    """Give a param as it is: in one that is text, Snakemake would take `{word}` for a wildcard."""
    return lambda wildcards: value


def kept(name, value):
    """Write plain values as one line of JSON, which Snakemake records by name and fingerprint.

    What the fingerprint stands for is noted: a plan says in words what changed.
    """
    param = Noted(name, value)
    keep_note(NOTES, param.fingerprint, value)
    return param


def noted(name, value):
    """Give `kept` values as a param that is the same for every job of a rule."""
    return verbatim(kept(name, value))


@functools.cache  # thousands of jobs share the settings of one rule
def written(stage, *arguments):
    told = stage(STUDY, *arguments)
    return kept(told.stage(), told.plain())


def arm_of(wildcards):
    return Arm(wildcards.network, wildcards.rule)


def settings(stage, *named):
    """Write the settings of a stage as a param that is equal when they are.

    The stage is given the study, and what is named of the job: its arm, or the value of a wildcard.
    """
    return lambda wildcards: written(
        stage,
        *[
            arm_of(wildcards) if name == "arm" else getattr(wildcards, name)
            for name in named
        ],
    )


def code(script, **chosen):
    """Fingerprint the code that a script reaches, as every rule's params hold it.

    Of a registry that the script reaches (`code_fingerprint.REGISTRIES`) name the entries that it
    uses.
    """
    return SOURCES.code(script, **chosen)


def code_of_arm(script):
    """Fingerprint the code of a job of one arm: of its network and its rule, and of no others."""
    return lambda wildcards: code(
        script,
        networks=[STUDY.networks[wildcards.network].kind],
        rules=[STUDY.rules[wildcards.rule].kind],
    )


def of_arms(patterns, arms=ARMS, **values):
    """Name the files of some arms, with every combination of the other wildcards' values."""
    return [
        path for arm in arms for path in expand(patterns, **arm._asdict(), **values)
    ]


def of_networks(patterns, arms=ARMS, **values):
    """Name the files of every seed and epoch of some arms, as `of_arms` does."""
    return [
        path
        for arm in arms
        for seed in STUDY.seeds(arm.rule)
        for path in of_arms(
            patterns, [arm], seed=seed, epoch=EPOCHS[arm.rule], **values
        )
    ]


def one_of(labels):
    """Write a pattern of some labels; of none it fits nothing, where "" would fit everything."""
    return "|".join(labels) or "(?!)"


USED_NETWORKS = sorted({network.kind for network in STUDY.networks.values()})
USED_RULES = sorted({rule.kind for rule in STUDY.rules.values()})
USED_COMPARISONS = STUDY.universes.comparison
USED_MEASURES = STUDY.universes.measure
USED_TRAINING_SET = [STUDY.training_set.kind]
USED_DISTANCES = [STUDY.brain.distance.name] if STUDY.brain.single_trials else []
USED_BRAIN = [STUDY.brain.kind]
USED_STIMULUS_SETS = sorted(
    {one.kind for one in [*STUDY.stimuli.values(), *STUDY.calibration.values()]}
)
