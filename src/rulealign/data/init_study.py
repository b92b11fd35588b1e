"""Write a study of own images, and RDMs or betas: `python -m rulealign.data.init_study --help`.

The study runs as it is. What no file tells (scanner, distance, background) it
says in words to be replaced; the rest has the defaults of docs/configuration.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from rulealign.config.load import load_study
from rulealign.data.betas.patterns import found_files
from rulealign.data.file_names import is_image, natural_order
from rulealign.data.given_rdms import IMAGES, GivenRdms
from rulealign.data.rdm_axes import possible_counts, square_rdms
from rulealign.data.rdm_formats import stored_rdms
from rulealign.data.rdm_formats.stored import StoredRdms
from rulealign.data.rdm_labels import row_labels
from rulealign.data.rdm_names import refuse_other_order
from rulealign.data.same_names import as_names
from rulealign.data.training_sets import REGISTRY as TRAINING_SETS
from rulealign.errors import ConfigurationError, DataError, RulealignError
from rulealign.learning.networks import REGISTRY as NETWORKS
from rulealign.learning.networks import network_class
from rulealign.learning.rules import REGISTRY, rule_class

_UNTOLD = "not stated; replace these words"
_ORDER = {
    f"ids: {IMAGES}": " # the file names no images: rows are in the natural order of their names",
    "ids: {descriptor: ": " # names in the file, by which rows come into the order of the images",
}
"""How the line of the ids starts -> what it says of the order of the RDMs."""


def new_study(
    images: Path,
    rdms: str,
    rules: Sequence[str],
    *,
    name: str = "mine",
    roi: str = "V1",
    key: str | None = None,
    sessions: int = 1,
    masks: str | None = None,
    events: str | None = None,
    image: str = "stim_file",
) -> str:
    """Write a study of images, and RDMs or betas, in YAML.

    Args:
        images: a folder with an image for each stimulus.
        rdms: a file of RDMs as `rdm-archive` reads it, with {subject} in its name where each
            subject has one; or, with `masks`, a pattern of betas.
        rules: kinds of learning rules; `untrained_bn`, the baseline, is added where one trains.
        name: of the study.
        roi: what the RDMs are of.
        key: name of the array in the file, where it has several.
        sessions: how many each subject has in a file.
        masks: pattern of masks with {roi}, where betas are given.
        events: pattern of the tables that say which image each beta is of.
        image: their column that names the image.

    Returns:
        The study, 40 lines at most.

    Raises:
        ConfigurationError: there is no such rule, or the name cannot be one.
        DataError: there are no images or RDMs, it cannot be told from the number of images how
            many subjects the file holds or in which order its rows are, or a file of betas,
            events or masks is missing.
    """
    stems = _names_of_images(images)
    ordered = _with_baseline(rules)
    if masks:
        brain = _betas(rdms, masks, events, image) | {"rois": {roi: [roi]}}
    else:
        brain = _brain(rdms, key, stems, roi, sessions)
    study = {
        "study": name,
        "title": f"{', '.join(rules)} and {roi}",
        "training_set": {"kind": next(iter(TRAINING_SETS))},
        "training": {"seeds": [1, 2, 3, 4, 5], "checkpoints": [0, 1, 10, 40]},
        "rules": {rule: {} for rule in ordered},
        "stimuli": {"shown": _shown(images)},
        "brain": brain,
        "evaluation": {"sizes": [32, 224]},
        "layer_map": [{"layer": _first_layer(), "roi": roi}],
    }
    loaded = load_study(study, name)
    if masks:
        loaded.brain.files(None, Path(), Path())  # refuses a missing file
    lines = yaml.safe_dump(study, sort_keys=False, default_flow_style=None, width=100)
    return "".join(line + _order_told(line) + "\n" for line in lines.splitlines())


def _order_told(line: str) -> str:
    return next((told for start, told in _ORDER.items() if line.strip().startswith(start)), "")


def _first_layer() -> str:
    kind = next(iter(NETWORKS))  # of a study that names none
    return network_class(kind)(kind=kind).layers()[0].name


def _with_baseline(rules: Sequence[str]) -> list[str]:
    unknown = [rule for rule in rules if rule not in REGISTRY]
    if unknown:
        raise ConfigurationError(f"there is no rule '{unknown[0]}'; there are: {list(REGISTRY)}.")
    trained = any(rule_class(rule).trains for rule in rules)
    return list(dict.fromkeys([*(["untrained_bn"] if trained else []), *rules]))


def _shown(images: Path) -> dict[str, Any]:
    about = {"background": _UNTOLD, "as_shown": True}
    return {"kind": "folder", "source": _as_path(str(images)), **about}


def _as_path(place: str) -> str:
    return place if "/" in place else f"./{place}"


def _names_of_images(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder of images.")
    names = sorted((path.name for path in folder.iterdir()), key=natural_order)
    if not (stems := [Path(name).stem for name in names if is_image(name)]):
        raise DataError(f"{folder}: holds no images.")
    return stems


def _brain(
    rdms: str, key: str | None, images: Sequence[str], roi: str, sessions: int
) -> dict[str, Any]:
    named = _subjects_with_files(rdms) if "{subject}" in rdms else []
    path = Path(rdms.replace("{subject}", named[0]) if named else rdms).expanduser()
    stored = stored_rdms(path, key)
    subjects = _count_of_subjects(stored, sessions, len(images), path)
    source = {"source": _as_path(rdms)} | ({"key": key} if key else {})
    return {
        "kind": "rdm-archive",
        "subjects": named or subjects,
        **({"sessions": sessions} if sessions > 1 else {}),
        "ids": _ids(stored, images, path),
        "acquisition": _UNTOLD,
        "distance": _UNTOLD,
        "rois": {roi: source},
    }


def _betas(betas: str, masks: str, events: str | None, image: str) -> dict[str, Any]:
    pattern = _as_path(betas)
    named = [one.labels.get("subject", "01") for one in found_files(pattern)]
    if not named:
        raise DataError(f"{betas}: there are no such files.")
    tables = {"events": {"source": _as_path(events), "image": image}} if events else {}
    return {
        "kind": "betas",
        "subjects": list(dict.fromkeys(named)),
        "acquisition": _UNTOLD,
        "betas": pattern,
        **tables,
        "masks": _as_path(masks),
    }


def _subjects_with_files(pattern: str) -> list[str]:
    before, after = Path(pattern).expanduser().name.split("{subject}", 1)
    folder = Path(pattern).expanduser().parent
    found = sorted(folder.glob(f"{before}*{after}"), key=lambda path: natural_order(path.name))
    names = [path.name.removeprefix(before).removesuffix(after) for path in found]
    if not names:
        raise DataError(f"{pattern}: there are no such files.")
    return names


def _count_of_subjects(stored: StoredRdms, sessions: int, stimuli: int, path: Path) -> int:
    counts = possible_counts(stored.numbers.shape, stored.axes, stimuli)
    subjects = [count for count, each in counts if each == sessions]
    if len(subjects) != 1:
        raise DataError(
            f"{path}: shape {stored.numbers.shape} does not tell how many subjects it has, with"
            f" {stimuli} images and {sessions} sessions. Correct the folder of images or"
            " --sessions; or write the study by hand, with `subjects`, `sessions` and `axes`."
        )
    square_rdms(stored.numbers, (subjects[0], sessions), stored.axes, path)  # in one way only
    return subjects[0]


def _ids(stored: StoredRdms, images: Sequence[str], path: Path) -> Any:
    for name, texts in stored.texts.items():
        if as_names(texts, images):
            return {"descriptor": name.rpartition("/")[2]}
    refuse_other_order(stored.texts, path, images)
    for name, texts in row_labels(stored.texts, len(images)).items():
        if sorted(texts, key=natural_order) != texts or not all(map(str.isdecimal, texts)):
            raise DataError(
                f"{path}: '{name}' names the rows of the RDMs {', '.join(texts[:3])} ..., and no"
                f" image is called that ({', '.join(images[:3])} ...), so their order cannot be"
                f" told. Give the images the names of '{name}'; or write the names of the images in"
                " a text file, in the order of the rows, and name it as brain.ids of a study"
                " written by hand."
            )
    return IMAGES


def refusal(text: str, images: Path) -> str:
    """Say why a run of a new study would stop at its RDMs: similarities, missing pairs, say.

    Args:
        text: of `new_study`.
        images: its folder of images.

    Returns:
        The error; "" where RDMs are sound, or the study has betas, which only a run reads.
    """
    brain = load_study(yaml.safe_load(text), "the new study").brain
    if not isinstance(brain, GivenRdms):
        return ""
    try:
        for roi in brain.rois:
            sources = [Path(one).expanduser() for one in brain.sources(roi)]
            brain.read(brain, roi, sources, _names_of_images(images))
    except RulealignError as error:
        return str(error)
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: of the command line; by default those given.

    Returns:
        0, or 1 after an error that is written to stderr, also where the study is written and would
        stop at its RDMs.
    """
    parser = argparse.ArgumentParser(
        prog="python -m rulealign.data.init_study", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("images", type=Path, help="folder with an image for each stimulus")
    rdms = "file of RDMs, such as rdms.hdf5 or rdms/sub-{subject}.npy; with --masks, of betas"
    parser.add_argument("rdms", help=rdms)
    parser.add_argument("rules", nargs="+", help="learning rules, such as bp fa")
    parser.add_argument("--name", default="mine", help="of the study (mine)")
    parser.add_argument("--roi", default="V1", help="what the RDMs are of (V1)")
    parser.add_argument("--key", help="name of the array in a .npz, .mat or .hdf5")
    parser.add_argument("--sessions", type=int, default=1, help="of each subject in a file (1)")
    parser.add_argument("--masks", help="of betas: masks/sub-{subject}_{roi}.nii.gz")
    parser.add_argument("--events", help="of betas: tables of trials, with {subject} and {run}")
    parser.add_argument("--image", default="stim_file", help="their column of images (stim_file)")
    parser.add_argument("--output", type=Path, help="file to write (studies/<name>.yaml)")
    given = parser.parse_args(arguments)
    output = given.output or Path("studies") / f"{given.name}.yaml"
    try:
        if output.exists():
            raise DataError(f"{output}: is there already; choose another --name or --output.")
        told = ("name", "roi", "key", "sessions", "masks", "events", "image")
        about = {name: getattr(given, name) for name in told}
        text = new_study(given.images, given.rdms, given.rules, **about)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
        reason = refusal(text, given.images)
    except (RulealignError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for line in filter(_order_told, text.splitlines()):
        print(f"Order of the RDMs:{line.partition('#')[2]}")
    print(f"{output} is written. Replace '{_UNTOLD}', then run it:")
    print(f"snakemake --cores 2 --configfile {output}")
    if reason:
        print(f"As it is, the run would stop: {reason}", file=sys.stderr)
    return int(bool(reason))


if __name__ == "__main__":
    sys.exit(main())
