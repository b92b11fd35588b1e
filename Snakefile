# Train networks under different learning rules, and see when, where and how surely their
# representations align with human visual cortex. One .smk file per stage, in order:

from snakemake.utils import min_version

min_version("9.14")

# A study file given with --configfile is complete: it replaces the default, and is never merged
# with it. Single values may still be overridden with --config key=value.
if not workflow.overwrite_configfiles:

    configfile: "workflow_config.yaml"


include: "rules/output.smk"
include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/machine.smk"
include: "rules/data.smk"
include: "rules/brain.smk"
include: "rules/train.smk"
include: "rules/activations.smk"
include: "rules/rdm.smk"
include: "rules/alignment.smk"
include: "rules/over_time.smk"
include: "rules/encoding.smk"
include: "rules/controls.smk"
include: "rules/claims.smk"
include: "rules/statistics.smk"
include: "rules/report.smk"
include: "rules/everything.smk"


rule all:
    default_target: True
    input:
        EVERYTHING,
    message:
        "The study is complete"
