"""What the methods of a study refer to."""

from __future__ import annotations

from typing import NamedTuple


class Reference(NamedTuple):
    """A publication.

    Attributes:
        named: how the text names it.
        text: for a list of references.
        doi: its DOI.
        bibtex: its entry.
    """

    named: str
    text: str
    doi: str
    bibtex: str


def article(
    key: str,
    named: str,
    authors: tuple[str, ...],
    year: int,
    title: str,
    journal: str,
    where: str,
    doi: str,
) -> Reference:
    """Write the reference of an article.

    Args:
        key: of the BibTeX entry.
        named: how the text names it.
        authors: each as "Surname, I.".
        year: of publication.
        title: without a full stop.
        journal: or the proceedings.
        where: volume and pages, or the number.
        doi: its DOI, or that of its preprint.

    Returns:
        The reference.
    """
    who = f"{', '.join(authors[:-1])} & {authors[-1]}" if len(authors) > 1 else authors[0]
    text = f"{who} ({year}). {title}. {journal} {where}."
    fields = {
        "author": " and ".join(authors),
        "title": title,
        "journal": journal,
        "year": year,
        "note": where,
        "doi": doi,
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return Reference(named, text, doi, f"@article{{{key},\n{lines}\n}}")


REFERENCES = (
    article(
        "kriegeskorte2008",
        "Kriegeskorte et al. 2008",
        ("Kriegeskorte, N.", "Mur, M.", "Bandettini, P."),
        2008,
        "Representational similarity analysis: connecting the branches of systems neuroscience",
        "Frontiers in Systems Neuroscience",
        "2, 4",
        "10.3389/neuro.06.004.2008",
    ),
    article(
        "nili2014",
        "Nili et al. 2014",
        (
            "Nili, H.",
            "Wingfield, C.",
            "Walther, A.",
            "Su, L.",
            "Marslen-Wilson, W.",
            "Kriegeskorte, N.",
        ),
        2014,
        "A toolbox for representational similarity analysis",
        "PLoS Computational Biology",
        "10(4), e1003553",
        "10.1371/journal.pcbi.1003553",
    ),
    article(
        "schuett2023",
        "Schütt et al. 2023",
        ("Schütt, H. H.", "Kipnis, A. D.", "Diedrichsen, J.", "Kriegeskorte, N."),
        2023,
        "Statistical inference on representational geometries",
        "eLife",
        "12, e82566",
        "10.7554/eLife.82566",
    ),
    article(
        "simonsohn2020",
        "Simonsohn et al. 2020",
        ("Simonsohn, U.", "Simmons, J. P.", "Nelson, L. D."),
        2020,
        "Specification curve analysis",
        "Nature Human Behaviour",
        "4, 1208–1214",
        "10.1038/s41562-020-0912-z",
    ),
)
"""Of methods that every study uses, in the order of the alphabet."""
