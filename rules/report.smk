# Figures, the report page, and the record of what made them.

TABLES = {
    name: TABLE.format(table=name)
    for name in (
        "alignment",
        "alignment_subjects",
        "ceilings",
        "training",
        "diagnostics",
        "quality",
        "inputs",
    )
}
if STUDY.controls:
    TABLES["controls"] = TABLE.format(table="controls")
VIEWS = {
    "stim-{stimuli}_px-{size}_descriptor-{descriptor}_centring-{centring}".format(
        **view
    ): view
    for view in stages.views(STUDY)
}

# What is the user's own, for the record of inputs: the source as the study names it -> the files
# below that are read, None for all.
OWN = dict.fromkeys(filter(fetch.is_path, stages.sources(STUDY)))
OWN_FILES = [
    file
    for source in OWN
    for file in source_files(source, source == stages.source(STUDY.training_set))
]
OWN |= dict.fromkeys(stages.stimulus_list(STUDY))
OWN_FILES += stages.stimulus_list(STUDY)
for source, files in (THINGS.own(SUBJECTS) if THINGS else {}).items():
    OWN[source] = files
    OWN_FILES += files or [untimed(Path(source).expanduser())]
PUBLISHED = inputs.published(
    stages.sources(STUDY) + (THINGS.datasets if THINGS else [])
)
# Checksums that nobody has published are known when the files are there.
RECORDED_WHEN_FETCHED = [
    record for name in inputs.first_used(PUBLISHED) for record in source_files(name)
]
RECORDED_WHEN_FETCHED += THINGS.fetched(SUBJECTS) if THINGS else []


rule provenance:
    input:
        OWN_FILES,
        RECORDED_WHEN_FETCHED,
    output:
        record=f"{RESULTS}/provenance.json",
        study=f"{RESULTS}/{COMPLETE}",
    log:
        f"{LOGS}/provenance.log",
    priority: 100
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
    params:
        code=code("provenance"),
        study=settings(stages.study),
        study_file=verbatim(ORIGIN),
        complete=noted("complete", study_text(stages.complete(STUDY))),
        versions=noted("versions", versions()),
        modules=noted("modules", SOURCES.versions()),
        datasets=noted("published", PUBLISHED),
        own=noted("own", OWN),
        remote=noted("remote", THINGS.remote(SUBJECTS) if THINGS else {}),
        sizes=verbatim(sizes(OWN_FILES)),
        listings=lambda wildcards: kept(
            "folder", [TRAINING_LISTING, THINGS.images_listing if THINGS else ""]
        ),
    message:
        "Record the study's settings, its inputs, and what computes it"
    script:
        "../scripts/provenance.py"


# What jobs cost is no result, and differs from run to run: it lies beside the logs that it is read
# from, and nothing depends on it.
rule cost:
    input:
        f"{RESULTS}/report.html",
        f"{RESULTS}/provenance.json",
    output:
        table=f"{LOGS}/cost.csv",
        page=report(
            f"{LOGS}/cost.html",
            caption="../docs/captions/cost.rst",
            category="Cost",
        ),
    log:
        f"{LOGS}/cost.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
    params:
        code=code("cost"),
    message:
        "Sum what the study's jobs cost"
    script:
        "../scripts/cost.py"


rule figures:
    input:
        **TABLES,
        training_set=TRAINING_SET,
    output:
        accuracy=report(
            f"{RESULTS}/figures/accuracy.svg",
            caption="../docs/captions/accuracy.rst",
            category="Learning",
        ),
        learning=report(
            f"{RESULTS}/figures/learning.svg",
            caption="../docs/captions/learning.rst",
            category="Learning",
        ),
        quality=report(
            f"{RESULTS}/figures/quality.svg",
            caption="../docs/captions/quality.rst",
            category="Brain data",
        ),
        trajectories=report(
            [f"{RESULTS}/figures/trajectory_{view}.svg" for view in VIEWS],
            caption="../docs/captions/trajectory.rst",
            category="Alignment over training",
        ),
        finals=report(
            [f"{RESULTS}/figures/final_{view}.svg" for view in VIEWS],
            caption="../docs/captions/final.rst",
            category="Alignment at the last epoch",
        ),
    log:
        f"{LOGS}/figures.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000),
    params:
        code=code("figures"),
        views=noted("views", list(VIEWS.values())),
        layer_map=noted("layer_map", [stages.plain(pair) for pair in STUDY.layer_map]),
        rules=list(STUDY.rules),
    message:
        "Draw the figures"
    script:
        "../scripts/figures.py"


rule report:
    input:
        **TABLES,
        **CLAIM_FILES,
        layers=TABLE.format(table="layers"),
        courses=TABLE.format(table="trajectories") if COURSES else [],
        baselines=TABLE.format(table="baselines") if COURSES else [],
        accuracy=rules.figures.output.accuracy,
        learning=rules.figures.output.learning,
        quality_figure=rules.figures.output.quality,
        trajectories=rules.figures.output.trajectories,
        finals=rules.figures.output.finals,
        provenance=f"{RESULTS}/provenance.json",
    output:
        report(
            f"{RESULTS}/report.html",
            caption="../docs/captions/page.rst",
            category="Report page",
        ),
    log:
        f"{LOGS}/report.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000),
    params:
        code=code("report", training_sets=USED_TRAINING_SET),
        sources=noted("sources", fetch.described(stages.sources(STUDY))),
        views=noted("views", list(VIEWS.values())),
        rules=list(STUDY.rules),
        rois=list(STUDY.brain.rois),
    message:
        "Write the report page"
    script:
        "../scripts/report.py"
