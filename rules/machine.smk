# What the machine or the cluster must offer, checked when a run starts; a plan can be made anywhere.


include: "resources.smk"


# Seconds each, or in need of the internet: on a cluster they run on the login node.
localrules:
    all,
    fetch,
    provenance,
    cost,
    check_inputs,
    alignment_table,
    ceilings_table,
    layers_table,
    controls_table,
    training_table,
    diagnostics_table,
    shown_rdms,
    figures,
    report,


onstart:
    # A plan can be made without the user's images, and responses can be read; but no run that leads
    # to a job which needs the images starts without them.
    rules_to_run = {job.rule for job in workflow.dag.needrun_jobs()}
    try:
        check_machine(rules_to_run)
        if BRAIN_DATA and any(rule.name == "stimuli" for rule in rules_to_run):
            BRAIN_DATA.check_images()
    except RulealignError as error:
        raise refused(error) from None
    # Of 100 jobs a second at most: to keep it, Snakemake looks for jobs to start once more in every
    # second for each job that has ended, until hundreds of them keep a core busy.
    limit = workflow.scheduler.job_rate_limiter
    asked = (limit.max_jobs, limit.timespan) if limit else None
    if asked == (100, 1):  # the default
        workflow.scheduler.job_rate_limiter = None
    if workflow.is_main_process and workflow.local_exec:
        sys.executable = python_of_jobs()  # what Snakemake starts scripts with
