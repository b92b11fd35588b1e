"""Prepare one stimulus set at one size."""

from pathlib import Path

from rulealign.data.download.fetch import resolve
from rulealign.data.images.stimulus_images import stimulus_groups, write_stimuli
from rulealign.job import job
from rulealign.plan.settings.images import StimuliSettings

with job(snakemake):
    settings = StimuliSettings.read(snakemake.params.settings)
    own = next(map(Path, snakemake.input.get("images", [])), None)
    named = getattr(settings.images, "source", None)
    trials = snakemake.input.get("trials")
    write_stimuli(
        settings,
        int(snakemake.wildcards.size),
        resolve(named, Path("resources")) if named else own,
        Path(snakemake.output[0]),
        stimulus_groups(settings, trials and Path(trials)),
    )
