# What jobs wait for: files of the user's own or fetched, networks, images and RDMs.


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
    """Write the sizes, or the listing, of a set of images, which change when its files do."""
    if not section.of_brain:
        return sizes(own_files(section))
    listing = BRAIN_DATA.images_listing
    if not listing:
        return sizes(BRAIN_DATA.images)
    return kept("files", [[images, listing] for images in BRAIN_DATA.images])


TRAINING_LISTING = folder_listing(source_of(STUDY.training_set))


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


# What encoding takes of an ROI, with the folds of its stimuli: of every ROI, before networks train.
ENCODED = None
if STUDY.encoding:
    ENCODED = FILES.voxels if STUDY.encoding.voxels else FILES.gram


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
