"""How far comparisons and noise ceilings are from rsatoolbox's, on the RDMs of a finished study.

`python benchmarks/rsatoolbox_agreement.py --results results/cichy92` prints a Markdown table:
the largest difference between rulealign and rsatoolbox (which is installed with the tests), of
every subject's RDM and of one network's RDMs against every subject's.
"""

import argparse
from importlib.metadata import version
from pathlib import Path

import numpy as np
from rsatoolbox.inference import boot_noise_ceiling
from rsatoolbox.rdm import RDMs, compare

from rulealign.arm import Arm
from rulealign.report.docs_page import markdown
from rulealign.rsa.brain_rdms import files_by_roi, read_brain_rdms
from rulealign.rsa.ceiling import nili_bounds, raw_bounds
from rulealign.rsa.comparisons import comparison_class
from rulealign.rsa.model_rdms import read_model_rdms

THEIRS = {
    "spearman": "spearman",
    "kendall_tau_a": "tau-a",
    "pearson": "corr",
    "cosine": "cosine",
    "whitened_cosine": "cosine_cov",
    "whitened_pearson": "corr_cov",
}


CEILINGS = ("raw noise ceiling, by rsatoolbox's Spearman", "noise ceiling")


def differences(models: np.ndarray, brains: np.ndarray) -> dict[str, float]:
    """Give the largest difference of each comparison, and of both bounds of the ceiling."""
    found = {}
    for name, method in THEIRS.items():
        theirs = compare(RDMs(models), RDMs(brains), method=method)
        ours = comparison_class(name).scores(models, brains)
        found[name] = float(np.abs(ours - theirs).max())
    raw = raw_bounds(brains, scaled=False)
    found[CEILINGS[0]] = float(np.abs(np.subtract(raw, _assembled(brains))).max())
    bounds = boot_noise_ceiling(RDMs(brains), method="spearman")
    found[CEILINGS[1]] = float(np.abs(np.subtract(nili_bounds(brains)[:2], bounds)).max())
    return found


def _assembled(brains: np.ndarray) -> tuple[float, float]:
    # the bounds from rsatoolbox's Spearman and plain means of the RDMs
    def against(mean: np.ndarray, one: np.ndarray) -> float:
        return compare(RDMs(mean[None]), RDMs(one[None]), method="spearman").item()

    whole = brains.mean(axis=0)
    lower = [
        against(np.delete(brains, at, axis=0).mean(axis=0), one) for at, one in enumerate(brains)
    ]
    return float(np.mean(lower)), float(np.mean([against(whole, one) for one in brains]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, required=True)
    folder = parser.parse_args().results
    network = sorted(folder.glob("rdms/net-cnn3_rule-bp_seed-*_epoch-0_*.h5"))[:1]
    models = read_model_rdms(network, Arm("cnn3", "bp")).rdms.astype(np.float64)
    by_roi = {}
    for roi, files in files_by_roi(sorted(folder.glob("brain/*_rdm.h5"))).items():
        brains = read_brain_rdms(files).rdms
        by_roi[roi] = differences(np.vstack([models, brains]), brains)
    names = [*THEIRS, *CEILINGS]
    body = [[name, *(f"{by_roi[roi][name]:.1e}" for roi in by_roi)] for name in names]
    print(markdown.table([f"rsatoolbox {version('rsatoolbox')}", *by_roi], body))


if __name__ == "__main__":
    main()
