"""Print what the target `all` asks for: `python listed.py <folder with study.yaml> <Snakefile>`."""

import sys
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

if __name__ == "__main__":
    folder, snakefile = map(Path, sys.argv[1:])
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[folder / "study.yaml"]),
            snakefile=snakefile,
            workdir=folder,
        )
        print("\n".join(workflow._workflow.get_rule("all").input))
