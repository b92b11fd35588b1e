# Claims: the scores that they take in every universe, one job per arm and ROI, and the verdicts.


include: "claimed.smk"


rule universes:
    input:
        models=claimed_rdms,
        brain=rdms_of_roi,
        controls=claimed_controls,
        pairs=claimed_pairs,
    output:
        table=FILES.universes,
        draws=FILES.universes_draws,
    log:
        f"{LOGS}/universes_{ARM}_roi-{{roi}}.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        bootstrap_mb=STUDY.statistics.memory_mb,
        mem_mb=memory(1500 + rdms_mb(STUDY, 2500) + STUDY.statistics.memory_mb),
    params:
        # it reads the RDMs of controls, and computes none
        code=code("universes", controls=[], comparisons=USED_COMPARISONS),
        settings=settings(universe_settings, "arm", "roi"),
    message:
        "Score {wildcards.network} by {wildcards.rule} with {wildcards.roi} in every universe of the"
        " claims"
    script:
        "../scripts/universes.py"


rule signal_rdms:
    input:
        signals=expand(FILES.signals, stimuli=STUDY.stimuli, allow_missing=True),
    output:
        rdms=expand(FILES.signal_rdms, stimuli=STUDY.stimuli, allow_missing=True),
    log:
        f"{LOGS}/signal_rdms_{NETWORK}_px-{{size}}_features-{{features}}.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000),
    params:
        code=code("signal_rdms"),
        settings=settings(scores.SignalRdmSettings.of, "features"),
    message:
        "RDMs of the {wildcards.features} of {wildcards.network} by {wildcards.rule},"
        " seed {wildcards.seed}, epoch {wildcards.epoch}, at {wildcards.size} px"
    script:
        "../scripts/signal_rdms.py"


rule signal_universes:
    input:
        models=measured_models,
        brain=rdms_of_roi,
        controls=claimed_controls,
        pairs=claimed_pairs,
    output:
        table=FILES.measured,
        draws=FILES.measured_draws,
    log:
        f"{LOGS}/signal_universes_{ARM}_roi-{{roi}}_measure-{{measure}}_features-{{features}}.log",
    wildcard_constraints:
        measure=one_of(OF_RDMS),
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        bootstrap_mb=STUDY.statistics.memory_mb,
        mem_mb=memory(1500 + rdms_mb(STUDY, 2500) + STUDY.statistics.memory_mb),
    params:
        code=code("signal_universes", controls=[], comparisons=USED_COMPARISONS),
        settings=settings(measured_settings, "arm", "roi", "measure", "features"),
    message:
        "Score the {wildcards.features} of {wildcards.network} by {wildcards.rule} with"
        " {wildcards.roi} by {wildcards.measure}, in every universe of the claims"
    script:
        "../scripts/signal_universes.py"


rule measured:
    input:
        models=measured_models,
        brain=rdms_of_roi,
        folds=FILES.gram,
    output:
        table=FILES.measured,
        draws=FILES.measured_draws,
    log:
        f"{LOGS}/measured_{ARM}_roi-{{roi}}_measure-{{measure}}_features-{{features}}.log",
    wildcard_constraints:
        measure=one_of(OF_GRAMS),
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
    params:
        code=lambda wildcards: code(
            "measured",
            controls=[],
            comparisons=USED_COMPARISONS,
            measures=[wildcards.measure],
        ),
        settings=settings(measured_settings, "arm", "roi", "measure", "features"),
    message:
        "Score the {wildcards.features} of {wildcards.network} by {wildcards.rule} with"
        " {wildcards.roi} by {wildcards.measure}, in every universe of the claims"
    script:
        "../scripts/measured.py"


CLAIM_FILES = {}
"""What the report page shows of claims."""

if STUDY.claims:
    CLAIM_FILES = {
        "claims": FILES.table.format(table="claims"),
        "claims_summary": FILES.table.format(table="claims_summary"),
        "claims_figure": FILES.figure.format(figure="claims"),
        "overview_figure": FILES.figure.format(figure="overview"),
        "specification_curves": FILES.table.format(table="specification_curves"),
        "mixed_models": FILES.table.format(table="mixed_models"),
    }

    rule claims:
        input:
            tables=claimed(FILES.universes) + measured(FILES.measured),
            draws=claimed(FILES.universes_draws) + measured(FILES.measured_draws),
            alignments=claimed(FILES.alignment),
            encodings=measured_encodings(),
            ceilings=expand(FILES.ceiling, roi=CLAIMED_ROIS),
        output:
            claims=CLAIM_FILES["claims"],
            summary=CLAIM_FILES["claims_summary"],
            curves=CLAIM_FILES["specification_curves"],
        log:
            f"{LOGS}/claims.log",
        localrule: True
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(3000),
        params:
            code=code("claims", comparisons=USED_COMPARISONS, measures=USED_MEASURES),
            settings=settings(claims.ClaimsSettings.of),
        message:
            "Hold every claim against every universe"
        script:
            "../scripts/claims.py"

    rule claims_figure:
        input:
            claims=CLAIM_FILES["claims"],
            claims_summary=CLAIM_FILES["claims_summary"],
        output:
            each=report(
                CLAIM_FILES["claims_figure"],
                caption="../docs/captions/claims.rst",
                category="Claims",
            ),
            every=report(
                CLAIM_FILES["overview_figure"],
                caption="../docs/captions/overview.rst",
                category="Claims",
            ),
        log:
            f"{LOGS}/claims_figure.log",
        localrule: True
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(1000),
        params:
            code=code(
                "claims_figure",
                comparisons=USED_COMPARISONS,
                measures=USED_MEASURES,
            ),
        message:
            "Draw every claim in every universe"
        script:
            "../scripts/claims_figure.py"

    rule mixed_models_table:
        input:
            FILES.table.format(table="alignment_subjects"),
        output:
            CLAIM_FILES["mixed_models"],
        log:
            f"{LOGS}/mixed_models_table.log",
        localrule: True
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(1000),
        params:
            code=code(
                "mixed_models_table",
                comparisons=USED_COMPARISONS,
                measures=USED_MEASURES,
            ),
            settings=settings(claims.MixedModelsSettings.of),
        message:
            "Fit a mixed model of seeds and subjects to every claim"
        script:
            "../scripts/mixed_models_table.py"
