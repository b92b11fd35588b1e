"""One word per thing, everywhere: the vocabulary of the project, held against what it says."""

import re

BANNED = {
    r"(?<![A-Za-z])[Aa]reas?(?![A-Za-z])": "ROI",
    r"(?<![\w}>)\]-])px(?![\w-])": "size",
    r"\b([Pp]eople|[Pp]ersons?|[Ee]verybody)\b": "subjects, or users",
    r"same command again": "rerun the command",
    r"\b(is|are) (there|in it) twice\b|\bthere twice\b": "appears twice",
    r"cannot be got": "could not be downloaded",
    r"what is its own": "say which",
}
"""What is not said -> what is said instead."""

ALLOWED = {
    "px": r"\d px|\} px|[\"'] px|\d-px",  # a unit, after its number
    "area": r"[Aa]rea under|_area\(|area_under_curve",  # of a curve, which is a measure
}
"""A banned word -> lines in which it means something else."""

FOLDERS = ("src/rulealign", "rules", "scripts", "docs", "studies", "profiles")
ENDINGS = (".py", ".smk", ".md", ".j2", ".html", ".rst", ".yaml")


def said(project):
    """Give every line of code and text: its place, and what it says."""
    files = [project / "README.md", project / "CONTRIBUTING.md", project / "workflow_config.yaml"]
    for folder in FOLDERS:
        files += [path for path in (project / folder).rglob("*") if path.suffix in ENDINGS]
    for file in sorted(files):
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            yield f"{file.relative_to(project)}:{number}", line


def banned(line):
    """List the banned words of a line, each with the word to say instead."""
    found = []
    for pattern, instead in BANNED.items():
        for word in re.finditer(pattern, line):
            allowed = ALLOWED.get(word[0].lower().rstrip("s"))
            if not (allowed and re.search(allowed, line)):
                found.append(f"'{word[0]}': {instead}")
    return found


def test_one_word_stands_for_one_thing(project):
    assert [f"{place}: {word}" for place, line in said(project) for word in banned(line)] == []


def test_banned_words_are_found_and_others_are_not():
    assert banned("roi: an area") == ["'area': ROI"]
    assert banned('rows["px"]') == ["'px': size"]
    assert banned("rendered at 32 px, {size} px; stim-a_px-32.h5; the area under the curve") == []
    assert banned("nobody; a person; the visible_areas") == [
        "'areas': ROI",
        "'person': subjects, or users",
    ]
