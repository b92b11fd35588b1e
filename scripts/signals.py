"""Show the stimuli to one frozen network; keep the gradients and teaching signals at its layers."""

from pathlib import Path

from rulealign.arm import Arm
from rulealign.job import job
from rulealign.learning.device import use_threads
from rulealign.plan.settings.encoding import SignalSettings
from rulealign.signals import write_signals

with job(snakemake):
    use_threads(snakemake.threads)
    write_signals(
        Path(snakemake.input.checkpoint),
        [Path(path) for path in snakemake.input.stimuli],
        [Path(path) for path in snakemake.output.signals],
        SignalSettings.read(snakemake.params.settings),
        arm=Arm(snakemake.wildcards.network, snakemake.wildcards.rule),
        seed=int(snakemake.wildcards.seed),
        epoch=int(snakemake.wildcards.epoch),
        size=int(snakemake.wildcards.size),
        training_set=next(map(Path, snakemake.input.get("training_set", [])), None),
    )
