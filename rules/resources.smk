# What jobs ask for, and whether this machine, or a node of the cluster, has that.


def memory(megabytes):
    """Give a job's memory: what is stated, and as much again at every further attempt."""
    return lambda wildcards, attempt: megabytes * attempt


GPU = int(STUDY.device == "cuda")  # of every job that runs networks, or fits voxels


def asked(one, resource):
    """Give what a rule asks for at its first attempt, before Snakemake cuts it to the limits."""
    wanted = one.resources.get(resource)
    if wanted is not None and wanted.is_evaluable():
        wanted = wanted.evaluate(
            None, input=[], attempt=1, threads=1, rulename=one.name, async_run=None
        )
    return wanted and wanted.value


def requests(rules):
    """List what rules ask for, by the partition that they are sent to (None: this machine)."""
    found = {}
    for one in rules:
        memory_mb, gpu = asked(one, "mem_mb") or 0, asked(one, "gpu") or 0
        wanted = found.setdefault(asked(one, "slurm_partition"), [])
        wanted.append(machine.Request(one.name, memory_mb, gpu))
    return found


def check_machine(rules):
    """Refuse a run that asks for more than this machine, or any node of the cluster, has."""
    if workflow.local_exec:
        given = {
            name: workflow.global_resources[name].value
            for name in ("mem_mb", "gpu")
            if name in workflow.global_resources
        }
        machine.refuse_limit(given.get("mem_mb"), machine.whole_memory_mb())
        limits = {"mem_mb": machine.memory_mb(), "gpu": machine.gpus()} | given
        machine.refuse_requests(sum(requests(rules).values(), []), limits)
        return
    cluster.refuse_cores(workflow.global_resources["_cores"].value)
    for partition, wanted in requests(rules).items():
        if partition:
            limits = cluster.largest_node(partition)
            machine.refuse_requests(wanted, limits, f"on a node of {partition}")
