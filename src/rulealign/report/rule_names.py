"""What the learning rules are called in full, and whose they are: for the methods of a study."""

from __future__ import annotations

from typing import NamedTuple


class NamedRule(NamedTuple):
    """A kind of learning rule in the words of a paper.

    Attributes:
        name: in full, without an article.
        sources: the references that it is from, as `Reference.named` has them.
    """

    name: str
    sources: tuple[str, ...] = ()


RULES = {
    "untrained": NamedRule("initial weights with identity BatchNorm"),
    "untrained_bn": NamedRule("initial weights with BatchNorm statistics of images"),
    "readout": NamedRule("a supervised readout of untrained conv layers"),
    "bp": NamedRule("backpropagation", ("Rumelhart et al. 1986",)),
    "fa": NamedRule("feedback alignment", ("Lillicrap et al. 2016",)),
    "dfa": NamedRule("direct feedback alignment", ("Nøkland 2016",)),
    "kolen_pollack": NamedRule(
        "feedback learned as by Kolen and Pollack", ("Kolen & Pollack 1994", "Akrout et al. 2019")
    ),
    "weight_mirror": NamedRule("weight mirrors", ("Akrout et al. 2019",)),
    "sign_symmetry": NamedRule(
        "backpropagation through the signs of the weights", ("Liao et al. 2016",)
    ),
    "pc": NamedRule(
        "hierarchical predictive coding with a supervised readout",
        ("Rao & Ballard 1999", "Whittington & Bogacz 2017"),
    ),
    "pc_error": NamedRule(
        "error-based predictive coding", ("Goemaere et al. 2025", "Whittington & Bogacz 2017")
    ),
    "pc_supervised": NamedRule(
        "supervised predictive coding", ("Whittington & Bogacz 2017", "Millidge et al. 2022")
    ),
    "target_propagation": NamedRule(
        "difference target propagation", ("Lee et al. 2015", "Meulemans et al. 2020")
    ),
    "burst": NamedRule(
        "burst-dependent plasticity in its rate form", ("Payeur et al. 2021", "Greedy et al. 2022")
    ),
    "local_supervised": NamedRule(
        "greedy local learning with labels", ("Belilovsky et al. 2019", "Nøkland & Eidnes 2019")
    ),
    "forward_forward": NamedRule(
        "forward-forward learning",
        ("Hinton 2022", "Scodellaro et al. 2023", "Papachristodoulou et al. 2024"),
    ),
    "vicreg": NamedRule(
        "self-supervised learning of two views with variance, invariance and covariance (VICReg)",
        ("Bardes et al. 2022",),
    ),
    "vicreg_local": NamedRule(
        "VICReg in every block by itself",
        ("Bardes et al. 2022", "Illing et al. 2021", "Halvagal & Zenke 2023"),
    ),
    "softhebb": NamedRule("soft Hebbian competition (SoftHebb)", ("Journé et al. 2023",)),
    "stdp": NamedRule(
        "spike-timing-dependent plasticity with a supervised readout",
        ("Bi & Poo 1998", "Kheradpisheh et al. 2018"),
    ),
    "oja": NamedRule("Oja’s subspace rule with a supervised readout", ("Oja 1989",)),
    "pc_2026": NamedRule(
        "the procedure published in 2026 as predictive coding",
        ("arXiv 2605.30556", "arXiv 2604.16875"),
    ),
    "stdp_2026": NamedRule(
        "the procedure published in 2026 as STDP", ("arXiv 2605.30556", "arXiv 2604.16875")
    ),
    "given": NamedRule("weights that were learned elsewhere"),
    "given_activations": NamedRule("activations that were computed elsewhere"),
    "given_rdms": NamedRule("RDMs that were computed elsewhere"),
}
"""Kind -> what it is called; as docs/rules.md has it."""


def named_rule(kind: str) -> NamedRule:
    """Give the name of a kind of rule; one that nobody has named here is called by its kind."""
    return RULES.get(kind, NamedRule(kind))
