"""What a study's data are and whose: what its results have to cite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.data.download.fetch import check_source, is_path, load_registry
from rulealign.report.describe import Facts

if TYPE_CHECKING:
    from rulealign.config.study import Study

_OWN = "The user's own files."


def sources(study: Study) -> Facts:
    """Name every source of the study's data, once each, in the study's order.

    Args:
        study: the study.

    Returns:
        (term, text): of a dataset its name, and title, citation and licence as the registry has
        them; of a local path the path as the study gives it; then what was generated, or comes
        with other data; then what appears twice on purpose, and why.

    Raises:
        ConfigurationError: the study names a dataset that the registry does not have.
    """
    named = dict.fromkeys(section.source for section in study.sourced().values())
    copies = [(f"“{name}” appears twice", reason) for name, reason in study.copies.items()]
    return [*((source, _about(source)) for source in named), *_without_source(study), *copies]


def _about(source: str) -> str:
    if is_path(source):
        return _OWN
    check_source(source)
    dataset = load_registry()[source]
    return f"{dataset.title}. To cite: {dataset.citation} Licence: {dataset.licence}"


def _without_source(study: Study) -> Facts:
    sections = {"Training images": study.training_set, "Brain data": study.brain}
    for term, sets in (("Stimuli", study.stimuli), ("Calibration images", study.calibration)):
        sections |= {f"{term} “{label}”": section for label, section in sets.items()}
    return [(term, section.cited) for term, section in sections.items() if section.cited]
