"""The modules that typed settings need, which are in no job's fingerprint."""

import functools
import subprocess
import sys

SETTINGS = "src/rulealign/plan/settings"


@functools.cache
def loaded_by_settings(project):
    """List the modules that what jobs are told needs: it is in params, or names files."""
    names = ["rulealign.plan.files"]
    names += [f"rulealign.plan.settings.{path.stem}" for path in (project / SETTINGS).glob("*.py")]
    code = f"import sys, {', '.join(names)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split() if name.partition(".")[0] == "rulealign"}
