# Claims: the scores that they take in every universe, one job per rule and ROI, and the verdicts.


include: "claimed.smk"


rule universes:
    input:
        models=claimed_rdms,
        brain=expand(FILES.brain_rdm, subject=SUBJECTS, allow_missing=True),
        controls=claimed_controls,
        pairs=claimed_pairs,
    output:
        table=FILES.universes,
        draws=FILES.universes_draws,
    log:
        f"{LOGS}/universes_rule-{{rule}}_roi-{{roi}}.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        bootstrap_mb=STUDY.statistics.memory_mb,
        mem_mb=memory((4000 if THINGS else 1500) + STUDY.statistics.memory_mb),
    params:
        # it reads the RDMs of controls, and computes none
        code=code("universes", controls=[], comparisons=USED_COMPARISONS),
        settings=settings(universe_settings, "rule", "roi"),
    message:
        "Score {wildcards.rule} with {wildcards.roi} in every universe of the claims"
    script:
        "../scripts/universes.py"


CLAIM_FILES = {}
"""What the report page shows of claims."""

if STUDY.claims:
    CLAIM_FILES = {
        "claims": FILES.table.format(table="claims"),
        "claims_summary": FILES.table.format(table="claims_summary"),
        "claims_figure": FILES.figure.format(figure="claims"),
        "specification_curves": FILES.table.format(table="specification_curves"),
        "mixed_models": FILES.table.format(table="mixed_models"),
    }

    rule claims:
        input:
            tables=claimed(FILES.universes),
            draws=claimed(FILES.universes_draws),
            alignments=claimed(FILES.alignment),
            ceilings=expand(FILES.ceiling, roi=sorted({roi for _, roi in CLAIMED})),
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
            code=code("claims", comparisons=USED_COMPARISONS),
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
            report(
                CLAIM_FILES["claims_figure"],
                caption="../docs/captions/claims.rst",
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
            code=code("claims_figure", comparisons=USED_COMPARISONS),
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
            code=code("mixed_models_table", comparisons=USED_COMPARISONS),
            settings=settings(claims.MixedModelsSettings.of),
        message:
            "Fit a mixed model of seeds and subjects to every claim"
        script:
            "../scripts/mixed_models_table.py"
