"""Runs that are stopped in the middle: started, watched, killed, and typed again."""

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

# rule -> how the line begins that announces one of its jobs, in the order of a run
BRAIN_STAGES = {
    "simulate_images": "Draw the images of the simulated",
    "simulate_subject": "Simulate the responses",
    "trials": "Read the trials",
    "responses": "Read the responses",
    "quality": "Check the trials",
    "brain_rdm": "RDM of",
    "pairs": "Find the pairs",
}
ENCODING_STAGES = {
    "gram": "Gram matrices and folds",
    "signals": "Gradients and teaching signals",
    "encoding": "Predict ",
    "encoding_table": "Encoding of all ROIs",
    "encoding_order": "Order in which layers",
}
GIVEN_STAGES = {
    "given": "Take over mixer",
    "given_activations": "Take over activations",
    "given_rdms": "Take over RDMs",
}
MEASURE_STAGES = {
    "signal_rdms": "RDMs of the gradient",
    "signal_universes": "with EVC by rsa",
    "measured": "with EVC by encoding",
    "over_time": "against MEG over time",
    "over_time_table": "Alignment over time",
}
VOXEL_STAGES = {"voxels": "Patterns, noise ceilings and folds"}
STAGES = {
    "stimuli": "Prepare the stimulus set",
    "brain_rdms": "Read the given RDMs",
    "check_inputs": "Check that every stimulus set",
    "quality_table": "Quality of the brain data",
    "training_set": "Make the training set",
    "controls": "RDMs of the controls",
    "initial_state": "Make the initial cnn3",
    "train": "Train ",
    "activations": "Activations and RDMs",
    "diagnostics": "Diagnostics of cnn3 by bp",
    "training_table": "Held-out accuracy of all",
    "diagnostics_table": "Diagnostics of all",
    "ceiling": "Noise ceiling of",
    "ceilings_table": "Noise ceilings of all",
    "control_alignment": "Hold the controls against",
    "controls_table": "Alignment of all controls",
    "alignment": "Hold cnn3 by bp against",
    "universes": "Score ",
    "claims": "Hold every claim",
    "mixed_models_table": "Fit a mixed model",
    "alignment_table": "Alignment of all rules",
    "layers_table": "Every layer with",
    "trajectories_table": "Drops, changes",
    "provenance": "Record the study's settings",
    "shown_rdms": "Choose and map",
    "figures": "Draw the figures",
    "claims_figure": "Draw every claim",
    "report": "Write the report page",
    "cost": "Sum what the study's jobs cost",
}


def wait_for(condition, process, seconds=600):
    """Wait until something is so; tell whether it became so before the process ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        if process.poll() is not None:
            return condition()
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def kill_in(run, rule, delay, *targets):
    """Kill a whole run a moment after it has announced a job of a rule; tell whether it did.

    The rule is forced, because its jobs may have ended before an earlier run was killed.
    """
    asked = BRAIN_STAGES | ENCODING_STAGES | VOXEL_STAGES | GIVEN_STAGES | MEASURE_STAGES
    announced = (asked | STAGES)[rule]
    process = run.begin("--forcerun", rule, *targets)
    try:
        reached = wait_for(lambda: announced in process.output(), process)
        time.sleep(delay)
    finally:
        kill(process)
    return reached


def kill(process):
    """Kill a process and all that it has started, at once."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def jobs_of(process, script):
    """List the processes below a run that work on one script, by /proc."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            group = os.getpgid(int(folder.name))
        except (OSError, ValueError):
            continue  # it has ended
        if group == process.pid and any(
            f".{script}.py" in w or f"/{script}.py" in w for w in words
        ):
            found.append(int(folder.name))
    return found


def kill_one(process, script):
    """Kill one job of a script as for want of memory, as soon as there is one; the run goes on."""

    def killed():
        for job in jobs_of(process, script):
            with suppress(ProcessLookupError):  # it ended between the look and the blow
                os.kill(job, signal.SIGKILL)
                return True
        return False

    assert wait_for(killed, process)


def copy_of(run, folder):
    """Copy a working folder with all times, and give the run in it."""
    shutil.copytree(run.folder, folder, dirs_exist_ok=True)
    return type(run)(run.project, folder, run.study)


def without(run, *names):
    """Delete results, by patterns below the study's folder; what needs them will be made again."""
    root = run.folder / "results" / run.study["study"]
    for name in names:
        found = list(root.glob(name))
        assert found, name
        for path in found:
            path.unlink()


def used_kilobytes(folder):
    """Give how much of a disk is used."""
    return shutil.disk_usage(folder).used // 1024


def differences(run, finished):
    """Name the results that are not those of the undisturbed run, and those too many."""
    one, other = run.results(), finished.results()
    return [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]
