"""Pages of docs/: links lead somewhere, the site has every page, and quoted errors are printed."""

import ast
import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from rulealign.report.dictionary import MEANINGS, TABLES
from rulealign.report.docs_page.files_and_tables import PAGE, rewritten

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = [*sorted(PROJECT.glob("*.md")), PROJECT / "results/README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"")
NAMES = [str(page.relative_to(PROJECT)) for page in PAGES]


def prose(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`", "``", text)


def anchors(page):
    """Name the headings of a page as hosts of repositories do."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page):
    """List the links of a page that lead nowhere."""
    for found in LINK.findall(prose(page)):
        target, _, anchor = "".join(found).partition("#")
        if re.match(r"\w+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield "".join(found)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(name):
    assert list(broken(PROJECT / name)) == []


def test_a_link_that_leads_nowhere_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        '# One `two`: three\n[a](b.md) [c](#one-two-three) [d](#four) <img src="e.png">'
    )
    assert list(broken(page)) == ["b.md", "#four", "e.png"]


def test_the_site_has_every_page_once():
    nav = (PROJECT / "mkdocs.yml").read_text().partition("\nnav:")[2]
    listed = re.findall(r"[\w/-]+\.md", nav)
    parts = [{"Start": "README.md"}, {"Results": ["results/README.md"]}]
    site_hooks().on_config(SimpleNamespace(docs_dir=str(DOCS), nav=parts))
    listed += parts[1]["Results"][1:]
    assert len(listed) > 20
    assert sorted(listed) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_pictures_are_small_and_shown_as_the_site_finds_them():
    # the site moves pages into folders, and mends links of Markdown alone
    assert [page.name for page in DOCS.rglob("*.md") if "<img" in page.read_text()] == []
    files = list((DOCS / "pictures").iterdir())
    assert files
    assert {file.name for file in files if file.stat().st_size > 100_000} == set()


def site_hooks():
    spec = importlib.util.spec_from_file_location("site_links", DOCS / "site_links.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (None, "[a](../claims.md#x) b [c](#d)"),
        (
            "https://host/us/it",
            "[a](../claims.md#x) [b](https://host/us/it/blob/main/src/b.py#L1) [c](#d)",
        ),
    ],
)
def test_links_out_of_docs_lead_to_the_repository_or_are_names(address, expected):
    page = SimpleNamespace(file=SimpleNamespace(src_uri="results/page.md"))
    text = "[a](../claims.md#x) [b](../../src/b.py#L1) [c](#d)"
    found = site_hooks().on_page_markdown(text, page=page, config=SimpleNamespace(repo_url=address))
    assert found == expected


def constants():
    """Give every text of the library, with a mark where values stand."""
    for path in (PROJECT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    getattr(part, "value", "") if isinstance(part, ast.Constant) else "\0"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_quoted_errors_are_those_that_are_printed():
    said = list(constants())
    text = (DOCS / "errors.md").read_text().partition("## A run was stopped")[0]
    quoted = re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)
    assert len(quoted) > 20
    for quote in quoted:
        pattern = ".*".join(re.escape(part) for part in quote.split("…"))
        assert any(re.search(pattern, one, re.DOTALL) for one in said), quote


def test_columns_are_those_of_the_dictionary():
    page = (PROJECT / PAGE).read_text()
    assert rewritten(page) == page
    assert re.findall(r"^### (\w+)\.csv$", page, re.MULTILINE) == list(TABLES)
    assert "| |" not in page
    assert f"| `null_upper_high` | {MEANINGS['null_upper_high']} |" in page


def test_columns_of_a_study_are_added(tmp_path):
    (tmp_path / "statistics").mkdir()
    (tmp_path / "statistics" / "ceilings.csv").write_text("roi,depth:V1\nV1,1\n")
    page = rewritten((PROJECT / PAGE).read_text(), [tmp_path])
    assert f"| `depth:<ROI>` | {MEANINGS['depth']} |" in page.partition("### ceilings.csv")[2]
