# Figures, the report page, and the record of what made them.

TABLES = {
    name: FILES.table.format(table=name)
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
    TABLES["controls"] = FILES.table.format(table="controls")
if STUDY.brain.timed_rois:
    TABLES["over_time"] = FILES.table.format(table="over_time")
FILTERS = [
    FILES.filters.format(**arm._asdict(), seed=STUDY.seeds(arm.rule)[0])
    for arm in OF_STATES
    if arm.rule in lines(STUDY)
]
VIEWS = [view.model_dump() for view in STUDY.views()]

# What is the user's own, for the record of inputs: the source as the study names it -> the files
# below that are read, None for all.
NAMED = sorted({section.source for section in STUDY.sourced().values()})
OWN = dict.fromkeys(filter(fetch.is_path, NAMED))
OWN_FILES = [
    file
    for source in OWN
    for file in source_files(source, source == source_of(STUDY.training_set))
]
OWN |= dict.fromkeys(STUDY.brain.stimulus_list)
OWN_FILES += STUDY.brain.stimulus_list
for rule in GIVEN:
    files = given_files(STUDY, rule)
    OWN[common_folder(files)] = files
    OWN_FILES += files
for source, files in (BRAIN_DATA.own(SUBJECTS) if BRAIN_DATA else {}).items():
    OWN[source] = files
    OWN_FILES += files or [untimed(Path(source).expanduser())]
PUBLISHED = inputs.published([*NAMED, *(BRAIN_DATA.datasets if BRAIN_DATA else [])])
# Checksums that nobody has published are known when the files are there.
RECORDED_WHEN_FETCHED = [
    record for name in inputs.first_used(PUBLISHED) for record in source_files(name)
]
RECORDED_WHEN_FETCHED += BRAIN_DATA.fetched(SUBJECTS) if BRAIN_DATA else []


rule provenance:
    input:
        OWN_FILES,
        RECORDED_WHEN_FETCHED,
    output:
        record=FILES.record,
        study=FILES.study,
    log:
        f"{LOGS}/provenance.log",
    priority: 100
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
    params:
        code=code("provenance"),
        study=noted("study", STUDY.computed()),
        study_file=verbatim(ORIGIN),
        complete=noted("complete", study_text(STUDY.complete())),
        versions=noted("versions", versions()),
        modules=noted("modules", SOURCES.versions()),
        datasets=noted("published", PUBLISHED),
        own=noted("own", OWN),
        remote=noted("remote", BRAIN_DATA.remote(SUBJECTS) if BRAIN_DATA else {}),
        sizes=verbatim(sizes(OWN_FILES)),
        listings=lambda wildcards: kept(
            "folder",
            [TRAINING_LISTING, BRAIN_DATA.images_listing if BRAIN_DATA else ""],
        ),
    message:
        "Record the study's settings, its inputs, and what computes it"
    script:
        "../scripts/provenance.py"


# What jobs cost is no result, and differs from run to run: it lies beside the logs that it is read
# from, and nothing depends on it.
rule cost:
    input:
        FILES.page,
        FILES.record,
    output:
        table=FILES.cost_table,
        page=report(
            FILES.cost_page,
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


OVER_TIME_FIGURE = (
    [FILES.figure.format(figure="over_time")] if STUDY.brain.timed_rois else []
)


rule figures:
    input:
        **TABLES,
        shown_rdms=FILES.shown_rdms,
        filters=FILTERS,
    output:
        **{
            "over_time": report(
                path,
                caption="../docs/captions/over_time.rst",
                category="Alignment at the last epoch",
            )
            for path in OVER_TIME_FIGURE
        },
        layers=report(
            FILES.figure.format(figure="layers"),
            caption="../docs/captions/layers.rst",
            category="Alignment at the last epoch",
        ),
        accuracy=report(
            FILES.figure.format(figure="accuracy"),
            caption="../docs/captions/accuracy.rst",
            category="Learning",
        ),
        learning=report(
            FILES.figure.format(figure="learning"),
            caption="../docs/captions/learning.rst",
            category="Learning",
        ),
        rdms=report(
            FILES.figure.format(figure="rdms"),
            caption="../docs/captions/rdms.rst",
            category="RDMs",
        ),
        maps=report(
            FILES.figure.format(figure="maps"),
            caption="../docs/captions/maps.rst",
            category="RDMs",
        ),
        filters=report(
            FILES.figure.format(figure="filters"),
            caption="../docs/captions/filters.rst",
            category="Learning",
        ),
        quality=report(
            FILES.figure.format(figure="quality"),
            caption="../docs/captions/quality.rst",
            category="Brain data",
        ),
        trajectories=report(
            [FILES.trajectory.format(**view) for view in VIEWS],
            caption="../docs/captions/trajectory.rst",
            category="Alignment over training",
        ),
        finals=report(
            [FILES.final.format(**view) for view in VIEWS],
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
        code=code("figures", comparisons=USED_COMPARISONS, measures=USED_MEASURES),
        settings=settings(report_settings.FigureSettings.of),
    message:
        "Draw the figures"
    script:
        "../scripts/figures.py"


rule report:
    input:
        **TABLES,
        **CLAIM_FILES,
        layers=FILES.table.format(table="layers"),
        courses=FILES.table.format(table="trajectories") if COURSES else [],
        baselines=FILES.table.format(table="baselines") if COURSES else [],
        encoding=FILES.table.format(table="encoding") if STUDY.encoding else [],
        encoding_order=(
            FILES.table.format(table="encoding_order")
            if STUDY.encoding and STUDY.encoding.hierarchy
            else []
        ),
        accuracy=rules.figures.output.accuracy,
        learning=rules.figures.output.learning,
        shown_rdms=FILES.shown_rdms,
        filters=FILTERS,
        filters_figure=rules.figures.output.filters,
        rdms=rules.figures.output.rdms,
        maps=rules.figures.output.maps,
        layers_figure=rules.figures.output.layers,
        over_time_figure=OVER_TIME_FIGURE,
        quality_figure=rules.figures.output.quality,
        trajectories=rules.figures.output.trajectories,
        finals=rules.figures.output.finals,
        provenance=rules.provenance.output.record,
        study=rules.provenance.output.study,
    output:
        report(
            FILES.page,
            caption="../docs/captions/page.rst",
            category="Report page",
        ),
        dictionary=FILES.dictionary,
    log:
        f"{LOGS}/report.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000),
    params:
        code=code(
            "report",
            networks=USED_NETWORKS,
            rules=USED_RULES,
            controls=STUDY.controls,
            comparisons=USED_COMPARISONS,
            measures=USED_MEASURES,
            distances=USED_DISTANCES,
            training_sets=USED_TRAINING_SET,
            stimulus_sets=USED_STIMULUS_SETS,
            brains=USED_BRAIN,
        ),
        sources=noted("sources", fetch.described(NAMED)),
    message:
        "Write the report page"
    script:
        "../scripts/report.py"
