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
from rulealign.plan.settings import activations, brain, claims, diagnostics
from rulealign.plan.settings import encoding, images, scores, training
from rulealign.plan.settings import report as report_settings
from rulealign.plan.universes import PLAIN_WAY, Way
from rulealign.rerun.code_fingerprint import Sources
from rulealign.config.file import read_study_file
from rulealign.config.study import load_study, read_study, source_of
from rulealign.data import inputs, sources
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
    THINGS = BRAIN_DATA if STUDY.things else None
    sources.require_stimulus_list(STUDY)
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


def network_files(wildcards):
    """Write which files of the user's own a network is made of."""
    files = STUDY.networks[wildcards.network].own_files
    return kept("network", [[file, file_sha256(Path(file))] for file in files])


def untimed(path):
    """Give a path as input; the time of a folder counts for nothing.

    Snakemake tells files that were only touched by their checksums, and folders not at all. What is
    in a folder is told by something else: a listing in the params, or a file made with it.
    """
    return ancient(str(path)) if Path(path).is_dir() else str(path)


def source_files(source, whole_folder=False):
    """Give what a source's job waits for: the record of a download, or the user's own files.

    A folder of ten thousands of files is one input; `folder_listing` in the params sees changes.
    """
    if source is None:
        return []
    if not fetch.is_path(source):
        return [f"resources/{source}/fetched.json"]
    path = Path(source).expanduser()
    if whole_folder or not path.is_dir():
        return [untimed(path)]
    return sorted(str(file) for file in path.rglob("*") if file.is_file())


def rdm_sources(roi, only=lambda source: True):
    """Give what the job that reads an ROI's given RDMs waits for."""
    named = filter(only, STUDY.brain.sources(roi))
    return [file for source in named for file in source_files(source)]


def own_files(section):
    """List the user's own files that a section names; nothing of what was fetched."""
    source = source_of(section)
    return source_files(source) if source and fetch.is_path(source) else []


def sizes(files):
    """List files with their sizes: one that an older file has replaced is not newer than results."""
    found = [Path(file) for file in files if Path(file).is_file()]
    return kept("files", [[str(file), file.stat().st_size] for file in found])


def image_sizes(section):
    """Write what tells that the user's own files of a set of images are other ones by now."""
    if not section.of_brain:
        return sizes(own_files(section))
    listing = BRAIN_DATA.images_listing
    if not listing:
        return sizes(BRAIN_DATA.images)
    return kept("files", [[images, listing] for images in BRAIN_DATA.images])


TRAINING_LISTING = folder_listing(source_of(STUDY.training_set))


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
# The images whose names given RDMs are matched with; a pattern needs none.
NAMED_IMAGES = (
    []
    if STUDY.brain.single_trials or STUDY.brain.ids_told_by == "pattern"
    else [
        FILES.stimuli.format(
            stimuli=next(iter(STUDY.stimuli)), size=STUDY.evaluation.sizes[0]
        )
    ]
)
COMPARED_PAIRS = [FILES.pairs] if STUDY.brain.pairs != "all" else []


def brain_folder(wildcards):
    """Name the folder that a subject's responses are read from."""
    return str(BRAIN_DATA.folder(wildcards.subject))


def brain_files(wildcards):
    """List the files that a subject's responses, or its trials, are read from."""
    return BRAIN_DATA.files(wildcards.subject, wildcards.get("roi"))


def brain_images():
    """Name the folder or archive of the images that come with the brain data; none while planning
    without them."""
    # what is made with the images tells what is in them
    return [
        ancient(path) if BRAIN_DATA.image_records else untimed(path)
        for path in BRAIN_DATA.images
    ]


def stimulus_sources(wildcards):
    section = STUDY.pictured(wildcards.stimuli)
    if section.of_brain:
        trials = FILES.trials.format(subject=SUBJECTS[0])
        return {
            "images": brain_images(),
            "records": list(BRAIN_DATA.image_records),
            "trials": trials,
            "lists": STUDY.brain.stimulus_list,
        }
    return {"files": source_files(source_of(section))}


def calibration_set(wildcards):
    """Give the images that a rule is prepared with, if not with training images."""
    asked = STUDY.calibration_set(wildcards.rule)
    return [FILES.stimuli.format(stimuli=asked[0], size=asked[1])] if asked else []


def compared_with_calibration(wildcards):
    """Give all stimuli at the size of a rule's calibration set, which must have none of them."""
    asked = STUDY.calibration_set(wildcards.rule)
    return expand(FILES.stimuli, stimuli=STUDY.stimuli, size=asked[1]) if asked else []


def given_pattern(wildcards):
    """Name the file of a model that was made elsewhere, as its table does."""
    model = (wildcards.network, int(wildcards.seed), int(wildcards.epoch))
    return STUDY.rules[wildcards.rule].file(wildcards.rule, *model)


def one_of(labels):
    """Write a pattern of some labels; of none it fits nothing, where "" would fit everything."""
    return "|".join(labels) or "(?!)"


def files_of_given(wildcards):
    """Name the user's files that hold what a job takes over from elsewhere."""
    values = values_of_places(STUDY, wildcards.network)
    values["size"] = [wildcards.get("size")]
    return STUDY.rules[wildcards.rule].files(given_pattern(wildcards), values)


def previous_epoch(wildcards):
    epochs = EPOCHS[wildcards.rule]
    return epochs[epochs.index(int(wildcards.epoch)) - 1]


def previous_checkpoint(wildcards):
    return FILES.checkpoint.format(**{**wildcards, "epoch": previous_epoch(wildcards)})


def rdms_of_roi(wildcards):
    """List the RDMs of an ROI: one of each subject that has it."""
    return [
        FILES.brain_rdm.format(roi=wildcards.roi, subject=subject)
        for subject in STUDY.brain.subjects_of(wildcards.roi)
    ]


def there(files):
    """Leave out the files of ROIs that a subject lacks."""
    of_roi = (FILES.brain_rdm, FILES.responses, FILES.brain_quality)
    lacking = {
        file.format(roi=roi, subject=subject)
        for file in of_roi
        for roi in STUDY.brain.rois
        for subject in set(SUBJECTS) - set(STUDY.brain.subjects_of(roi))
    }
    return [file for file in files if file not in lacking]


def last_rdms_of_arm(wildcards):
    """List the RDMs of an arm's last checkpoint."""
    shown = {"stimuli": STUDY.stimuli, "size": STUDY.evaluation.sizes}
    networks = {
        "seed": STUDY.seeds(wildcards.rule),
        "epoch": EPOCHS[wildcards.rule][-1],
    }
    return of_arms(FILES.model_rdms, [arm_of(wildcards)], **networks, **shown)


def rdms_of_arm(wildcards):
    return of_networks(
        FILES.model_rdms,
        [arm_of(wildcards)],
        stimuli=STUDY.stimuli,
        size=STUDY.evaluation.sizes,
    )
