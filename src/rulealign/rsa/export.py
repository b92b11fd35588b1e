"""Give results to rsatoolbox: `python -m rulealign.rsa.export results/<study> folder`.

Files are what rsatoolbox itself writes (Schütt et al. 2023): `rsatoolbox.rdm.load_rdm` reads the
RDMs, `rsatoolbox.inference.load_results` the scores. It need not be installed here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from rulealign.arm import Arm
from rulealign.atomic import whole
from rulealign.errors import DataError, RulealignError
from rulealign.plan.files import ARM
from rulealign.rsa.brain_rdms import files_by_roi, read_brain_rdms
from rulealign.rsa.compare import PER_SUBJECT
from rulealign.rsa.export_volumes import export_volumes
from rulealign.rsa.model_rdms import read_model_rdms
from rulealign.rsa.rdm_file import read_attributes
from rulealign.store import open_h5, read_csv, read_ids


def export(results: Path, folder: Path) -> list[Path]:
    """Write the RDMs and scores of a finished study as files of rsatoolbox.

    Args:
        results: the study's folder of results.
        folder: where files are made: `roi-<r>_rdms.hdf5`, one RDM per subject;
            `net-<n>_rule-<k>_rdms.hdf5`, one RDM per seed, epoch, layer and setting, which
            descriptors of RDMs tell; `net-<n>_rule-<k>_roi-<r>_scores.hdf5`, Spearman's rho of each
            of these with each subject, as a `Result` of fixed evaluation; and `..._draws.hdf5`,
            means over subjects in each resample of the stimuli, as a `Result` of a bootstrap over
            patterns. Also volumes of ROIs, see `export_volumes`.

    Returns:
        The files, in the order in which they were made.

    Raises:
        DataError: there are no results, or a name is not in ASCII, which rsatoolbox cannot read.
        StoreError: a result cannot be read, or the disk is full.
    """
    made = []
    for name, content in _contents(Path(results)):
        made.append(Path(folder) / f"{name}.hdf5")
        made[-1].parent.mkdir(parents=True, exist_ok=True)
        with whole(made[-1]) as temporary, h5py.File(temporary, "w") as file:
            _fill(file, content)
    return made + export_volumes(Path(results), Path(folder))


def _contents(results: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    brains = sorted(results.glob("brain/sub-*_rdm.h5"))
    for roi, files in (files_by_roi(brains) if brains else {}).items():
        yield f"roi-{roi}_rdms", _brain_content(files, roi)
    for arm, files in _by_arm(sorted(results.glob("rdms/*.h5"))).items():
        models = read_model_rdms(files, arm)
        index = {name: models.index[name].astype(str).tolist() for name in models.index}
        yield f"{_name(arm)}_rdms", _rdms(models.rdms, models.ids, index, "correlation")
    scored = sorted(results.glob("alignment/*_draws.h5"))
    if not brains or not scored:
        raise DataError(f"{results}: has no RDMs and scores of a finished study; run it first.")
    ceilings = read_csv(results / "statistics" / "ceilings.csv")
    for path in scored:
        with open_h5(path) as file:
            if "subject_scores" in file and "rule" in file.attrs:
                yield from _score_contents(file, path, ceilings)


def _brain_content(files: Sequence[Path], roi: str) -> dict[str, Any]:
    brain = read_brain_rdms(files, roi)
    about = {"subject": brain.subjects, "roi": [roi] * len(brain.subjects)}
    return _rdms(brain.rdms, brain.ids, about, brain.distance)


def _name(arm: Arm) -> str:
    return ARM.format(**arm._asdict())


def _by_arm(files: Sequence[Path]) -> dict[Arm, list[Path]]:
    found: dict[Arm, list[Path]] = {}
    for path in files:
        with open_h5(path) as file:
            if "rule" in file.attrs:  # controls have none
                arm = Arm(*(str(file.attrs[name]) for name in Arm._fields))
                found.setdefault(arm, []).append(path)
    return found


def _rdms(
    rdms: np.ndarray, ids: Sequence[str], about: Mapping[str, Sequence[str]], distance: str
) -> dict[str, Any]:
    return {
        "dissimilarities": np.asarray(rdms, dtype=np.float64),
        "descriptors": {},
        "rdm_descriptors": {"index": np.arange(len(rdms)), **about},
        "pattern_descriptors": {"index": np.arange(len(ids)), "stimulus": ids},
        "dissimilarity_measure": distance,
    }


def _score_contents(
    file: h5py.File, path: Path, ceilings: Any
) -> Iterator[tuple[str, dict[str, Any]]]:
    about = read_attributes(file, [*Arm._fields, "roi"])
    name = f"{_name(Arm(about['network'], about['rule']))}_roi-{about['roi']}"
    table = read_csv(path.with_name(path.name.replace("_draws.h5", ".csv")))
    of_roi = ceilings[ceilings["roi"] == about["roi"]]
    ceiling = of_roi[of_roi["pairs"] == table["pairs"].iloc[0]][["lower", "upper"]].to_numpy()[0]
    rows, stimuli = read_ids(file, "subject_row"), read_ids(file, "stimulus")
    scores, draws = file["subject_scores"][()], file["draws"]
    columns = np.flatnonzero((table["convention"] == PER_SUBJECT).to_numpy())
    drawn = draws[()][:, columns].astype(np.float64)
    counts = {"n_rdm": scores.shape[1], "n_pattern": len(stimuli)}
    fixed = {"cv_method": "fixed", "dof": scores.shape[1] - 1}
    fixed |= {"variances": np.atleast_2d(np.cov(scores)) / scores.shape[1]}
    yield f"{name}_scores", _result(rows, scores[np.newaxis], ceiling, fixed | counts)
    bootstrap = {"cv_method": "bootstrap_pattern", "dof": len(stimuli) - 1}
    bootstrap |= {"variances": np.atleast_2d(np.cov(drawn.T))}
    yield f"{name}_draws", _result(rows, drawn, ceiling, bootstrap | counts)


def _result(
    rows: Sequence[str], evaluations: np.ndarray, ceiling: np.ndarray, about: Mapping[str, Any]
) -> dict[str, Any]:
    models = {
        f"model_{place}": {"rdm": None, "name": row, "type": "Model"}
        for place, row in enumerate(rows)
    }
    told = {"evaluations": evaluations, "noise_ceiling": ceiling, "method": "spearman"}
    return {**told, **about, "models": models}


def _fill(group: h5py.Group, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        if isinstance(value, Mapping):
            _fill(group.create_group(name), value)
        elif isinstance(value, str):
            group.attrs[name] = value
        elif value is None:
            group[name] = h5py.Empty("f")
        else:
            group[name] = _ascii(value) if _is_text(value) else value


def _is_text(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def _ascii(names: Sequence[str]) -> np.ndarray:
    for name in names:
        if not name.isascii():
            raise DataError(f"'{name}' is not in ASCII, which rsatoolbox cannot read; rename it.")
    return np.array(names).astype("S")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: of the command line; by default those given.

    Returns:
        0, or 1 after an error that is written to stderr.
    """
    parser = argparse.ArgumentParser(
        prog="python -m rulealign.rsa.export", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("results", type=Path, help="results/<study>")
    parser.add_argument("folder", type=Path, help="where files are made")
    given = parser.parse_args(arguments)
    try:
        made = export(given.results, given.folder)
    except (RulealignError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(map(str, made)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
