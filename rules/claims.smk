# Claims: the scores that they take in every universe, one job per rule and ROI, and the verdicts.

from rulealign import claim_stages

CLAIMED = claim_stages.needs(STUDY)
UNIVERSES = f"{RESULTS}/alignment/rule-{{rule}}_roi-{{roi}}_universes.csv"
UNIVERSES_DRAWS = f"{RESULTS}/alignment/rule-{{rule}}_roi-{{roi}}_universes_draws.h5"


def claimed(pattern):
    """Name the files of every rule and ROI that a claim takes, in one order."""
    return [pattern.format(rule=rule, roi=roi) for rule, roi in CLAIMED]


def claimed_rdms(wildcards):
    need = CLAIMED[wildcards.rule, wildcards.roi]
    names = {"seed": "seeds", "epoch": "epochs", "stimuli": "stimuli", "size": "sizes"}
    every = {wildcard: need[name] for wildcard, name in names.items()}
    return expand(MODEL_RDMS, **every, **{"rule": wildcards.rule})


def claimed_controls(wildcards):
    need = CLAIMED[wildcards.rule, wildcards.roi]
    partialled = any(one["control"] != "none" for one in need["analyses"])
    sets = {"stimuli": need["stimuli"], "size": need["sizes"]}
    return expand(CONTROL_RDMS, **sets) if partialled else []


def claimed_pairs(wildcards):
    need = CLAIMED[wildcards.rule, wildcards.roi]
    return (
        [PAIRS] if any(one["pairs"] == "cross_run" for one in need["analyses"]) else []
    )


rule universes:
    input:
        models=claimed_rdms,
        brain=expand(BRAIN_RDM, subject=SUBJECTS, allow_missing=True),
        controls=claimed_controls,
        pairs=claimed_pairs,
    output:
        table=UNIVERSES,
        draws=UNIVERSES_DRAWS,
    log:
        f"{LOGS}/universes_rule-{{rule}}_roi-{{roi}}.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        bootstrap_mb=STUDY.statistics.memory_mb,
        mem_mb=memory((4000 if THINGS else 1500) + STUDY.statistics.memory_mb),
    params:
        code=code("universes", controls=[]),  # it reads their RDMs, and computes none
        settings=lambda wildcards: settings(
            claim_stages.universes, wildcards.rule, wildcards.roi
        ),
    message:
        "Score {wildcards.rule} with {wildcards.roi} in every universe of the claims"
    script:
        "../scripts/universes.py"


CLAIM_FILES = {}
"""What the report page shows of claims."""

if STUDY.claims:
    CLAIM_FILES = {
        "claims": TABLE.format(table="claims"),
        "claims_summary": TABLE.format(table="claims_summary"),
        "claims_figure": f"{RESULTS}/figures/claims.svg",
    }

    rule claims:
        input:
            tables=claimed(UNIVERSES),
            draws=claimed(UNIVERSES_DRAWS),
            alignments=claimed(ALIGNMENT),
        output:
            claims=CLAIM_FILES["claims"],
            summary=CLAIM_FILES["claims_summary"],
        log:
            f"{LOGS}/claims.log",
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(3000),
        params:
            code=code("claims"),
            settings=settings(claim_stages.claims),
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
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(1000),
        params:
            code=code("claims_figure"),
        message:
            "Draw every claim in every universe"
        script:
            "../scripts/claims_figure.py"
