"""The table of guards in docs/method.md names code and tests that are there; and guard 18."""

import ast
import re

import pytest

CORRELATIONS = {"spearmanr", "pearsonr", "kendalltau", "weightedtau", "somersd", "linregress"}
STATISTICS = {"statistic", "correlation", "rvalue", "slope", "intercept"}
HELD = {*range(2, 10), 13, 16, *range(18, 23), 24, 26, *range(28, 36), 46, 47}


def defined(path):
    """List the functions and classes of a file, methods too."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)}


def guard_rows(project):
    text = (project / "docs/method.md").read_text().partition("### Where they run")[2]
    for line in re.findall(r"^\| \d.*$", text, re.MULTILINE):
        numbers, where, planted = (cell.strip() for cell in line.strip("|").split(" | "))
        yield int(numbers), *(re.findall(r"`([^`]+)`", cell) for cell in (where, planted))


def test_every_guard_of_the_statistics_has_code_and_a_test_that_exist(project):
    rows = list(guard_rows(project))
    assert {number for number, *_ in rows} == HELD
    wrong = []
    for number, where, planted in rows:
        assert where, number
        assert planted, number
        for place in where:
            module, _, name = place.partition(":")
            path = project / "src/rulealign" / f"{module.replace('.', '/')}.py"
            wrong += [place] if not path.exists() or name not in defined(path) else []
        for place in planted:
            path, _, name = place.partition(":")
            found = (project / path).exists() and name in defined(project / path)
            wrong += [] if found else [place]
    assert wrong == []


def test_every_guard_is_told_what_goes_wrong(project):
    text = (project / "docs/method.md").read_text().partition("## Guards")[2]
    told = text.partition("### Where they run")[0]
    numbers = re.findall(r"^\| ([\d, ]+) \|", told, re.MULTILINE)
    assert {int(one) for row in numbers for one in row.split(",")} == {*range(1, 36), 46, 47}


def p_values(source):
    """Find the places where a correlation's p-value could be taken: lines of the source."""
    tree, parents = ast.parse(source), {}
    for node in ast.walk(tree):
        parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in CORRELATIONS:
            taken = parents[node]
            first = isinstance(taken, ast.Subscript) and ast.unparse(taken.slice) == "0"
            if not first and not (isinstance(taken, ast.Attribute) and taken.attr in STATISTICS):
                yield node.lineno


def called(node):
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_no_p_value_of_a_correlation_is_taken_anywhere(project):
    files = [*(project / "src").rglob("*.py"), *(project / "scripts").glob("*.py")]
    assert len(files) > 100
    found = {str(path): list(p_values(path.read_text())) for path in files}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "p = spearmanr(a, b).pvalue",
        "rho, p = scipy.stats.spearmanr(a, b)",
        "p = stats.kendalltau(a, b)[1]",
        "found = pearsonr(a, b)\np = found.pvalue",
        "return spearmanr(a, b)",
    ],
)
def test_a_planted_p_value_over_pairs_is_found(source):
    inside = "def score(a, b):\n" + "\n".join(f"    {line}" for line in source.splitlines())
    assert list(p_values(inside)) == [2]
    assert list(p_values("rho = spearmanr(a, b).statistic\nrho = kendalltau(a, b)[0]")) == []
