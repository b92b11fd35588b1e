"""The fingerprint of code: what counts, and what a script reaches."""

import ast
import json
import random

import pytest

from rulealign.errors import ConfigurationError
from rulealign.rerun.code_fingerprint import Sources
from rulealign.rerun.syntax import parse, tree_hash

SAMPLE = '''
import math
from pathlib import Path as P

class A(P, metaclass=type):
    x: "int" = 1

    @property
    async def f(self, a, /, b=2.5, *c, d: float | None = None, **e) -> str:
        """Docstring."""
        with open(a) as g, h:
            return f"{a!r:>{b}} and {1 + 2 = }" "joined" + rb"\\x00".decode()

def g(v):
    match v:
        case {"k": [1, *rest], **more} if (n := len(rest)) > 1: yield n
        case A(x=0) | None: pass
        case _: raise ValueError(v) from None
    try:
        lambda q=1, *, r: [i async for i in q if i if not r]
    except (OSError, ValueError) as error:
        del error
    else:
        global z
    finally:
        z = 1e-7 + 2j if ... else b"" != -1
'''


def changed(old, new):
    assert old in SAMPLE
    return tree_hash(parse(SAMPLE.replace(old, new, 1).encode()))


def test_the_hash_is_the_same_in_every_version_of_python():
    # worked out with Python 3.11, 3.12 and 3.13, whose trees of this text have other fields
    assert tree_hash(parse(SAMPLE.encode())) == "c16d5020cda695bc"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import math\n", "import math  # a comment\n\n\n"),
        ("import math", "import  math"),
        ('"""Docstring."""', '"""Another one."""'),
        ("    x: ", '    """Of the class."""\n    x: '),
        ('    x: "int" = 1\n', '    x: "int" = 1\n    """Of an attribute."""\n'),
        ("\nimport math", '"""Of the module."""\nimport math'),
        ("a, /, b=2.5", "a, /,\n        b=2.50"),
        ('"joined"', "'joined'"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(old, new):
    assert changed(old, new) == tree_hash(parse(SAMPLE.encode()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("b=2.5", "b=2.6"),
        ("float | None = None", "int | None = None"),  # pydantic reads annotations
        ("1 + 2", "1 - 2"),
        ("1 + 2", "2 + 1"),
        ("a, /, b", "a, b"),
        ("@property\n    ", ""),
        ("async def", "def"),
        (" > 1: yield", " >= 1: yield"),
        ("case A(x=0) | None", "case A(x=0)"),
        ("i if not r", "i if r"),
        ("!r:>", "!s:>"),
        ("rb", "b"),
        ("1e-7", "1e-8"),
        ("as P", "as Q"),
        ('b"" != -1', '"" != -1'),
        ('return f"', 'return "text" and f"'),
        ("z = 1e-7", "z += 1e-7"),
        ("global z", "nonlocal z"),
    ],
)
def test_whatever_python_sees_counts(old, new):
    assert changed(old, new) != tree_hash(parse(SAMPLE.encode()))


def test_a_text_that_is_a_value_counts():
    first, second = (tree_hash(parse(f'x = "{word}"\nf("{word}")'.encode())) for word in "ab")
    assert first != second


def test_every_module_keeps_its_hash_when_it_is_written_out_anew(project):
    for path in sorted((project / "src").rglob("*.py")):
        tree = parse(path.read_bytes())
        # ast.unparse writes no comments, and lays everything out in another way
        assert tree_hash(parse(ast.unparse(tree).encode())) == tree_hash(tree), path


def test_one_changed_number_or_operator_changes_the_hash_of_any_module(project):
    random.seed(1)
    for path in random.sample(sorted((project / "src").rglob("*.py")), 40):
        tree = parse(path.read_bytes())
        before = tree_hash(tree)
        numbers = [
            n for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is int
        ]
        operators = [n for n in ast.walk(tree) if isinstance(n, ast.BinOp)]
        for node in random.sample(numbers, min(2, len(numbers))):
            node.value += 1
            assert tree_hash(tree) != before, (path, node.lineno)
            node.value -= 1
        for node in random.sample(operators, min(2, len(operators))):
            node.op, old = ast.FloorDiv() if isinstance(node.op, ast.Add) else ast.Add(), node.op
            assert tree_hash(tree) != before, (path, node.lineno)
            node.op = old
        assert tree_hash(tree) == before


LIBRARY = {
    "__init__.py": '__version__ = "1"',
    "a.py": "from rulealign import b\ndef f():\n    from rulealign.pack.late import g",
    "b.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from rulealign import unused\n"
        "else:\n    import rulealign.other"
    ),
    "other.py": "1",
    "unused.py": "1",
    "pack/__init__.py": "import rulealign.init_of_pack",
    "pack/late.py": "try:\n    pass\nexcept OSError:\n    import rulealign.in_handler",
    "init_of_pack.py": "",
    "in_handler.py": "",
    "learning/__init__.py": "",
    "learning/rules/__init__.py": (
        'REGISTRY: dict[str, str] = {"fa": "rulealign.learning.rules.fa:F",'
        ' "bp": "rulealign.learning.rules.bp:B"}\nx = 1'
    ),
    "learning/rules/fa.py": "import rulealign.feedback",
    "learning/rules/bp.py": "1",
    "feedback.py": "",
    "report/page.py": "1",
    "report/templates/page.html": "<p>",
}


@pytest.fixture
def library(tmp_path):
    """Give a function: what to change in a small library -> its sources, read anew."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "plain.py").write_text("from rulealign.a import f")
    (scripts / "train.py").write_text("from rulealign.learning.rules import REGISTRY")
    (scripts / "page.py").write_text("import rulealign.report.page")

    def write(changes=(), **options):
        for name, text in (LIBRARY | dict(changes)).items():
            path = tmp_path / "rulealign" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Sources(scripts, tmp_path / "rulealign", **options)

    return write


def test_a_job_reaches_what_its_script_imports_wherever_it_does(library):
    modules = set(library().modules("plain"))
    expected = ["a", "b", "other", "pack", "pack.late", "init_of_pack", "in_handler"]
    assert modules == {"scripts/plain.py", "rulealign", *(f"rulealign.{m}" for m in expected)}


def test_a_module_that_makes_no_number_counts_for_what_it_imports_and_no_more(library):
    jobs = {"a.py": "from rulealign import job", "job.py": "import rulealign.late"}
    jobs["late.py"] = "1"
    code, versions = library(jobs).code("plain"), library(jobs).versions()
    edited = library(jobs | {"job.py": "import rulealign.late\nx = 1"})
    assert (edited.code("plain"), edited.versions()) == (code, versions)
    assert library(jobs | {"late.py": "2"}).code("plain") != code
    assert library(jobs | {"job.py": "import rulealign.feedback"}).code("plain") != code


def test_of_a_registry_only_the_chosen_entry_counts(library):
    fa, bp, all_of_them = (
        lambda sources: sources.code("train", rules=["fa"]),
        lambda sources: sources.code("train", rules=["bp"]),
        lambda sources: sources.code("train"),
    )
    before = library()
    codes = [code(before) for code in (fa, bp, all_of_them)]
    assert len(set(codes)) == 3

    def which_changed(changes):
        after = library(changes)
        return [code(after) != old for code, old in zip((fa, bp, all_of_them), codes, strict=True)]

    assert which_changed({}) == [False, False, False]
    edited = {"learning/rules/fa.py": "import rulealign.feedback\n1"}
    assert which_changed(edited) == [True, False, True]
    assert which_changed({"feedback.py": "1"}) == [True, False, True]
    registry = LIBRARY["learning/rules/__init__.py"]
    added = registry.replace("{", '{"new": "rulealign.learning.rules.bp:N", ', 1)
    assert which_changed({"learning/rules/__init__.py": added}) == [False, False, True]
    moved = registry.replace("fa:F", "fa:G")
    assert which_changed({"learning/rules/__init__.py": moved}) == [True, False, True]
    assert which_changed({"learning/rules/__init__.py": registry + "\ny = 1"}) == [True, True, True]


def test_a_new_version_number_changes_nothing_and_a_template_its_page(library):
    before = library()
    codes = {script: before.code(script) for script in ("plain", "train", "page")}
    after = library({"__init__.py": '__version__ = "2"'})
    assert {script: after.code(script) for script in codes} == codes
    after = library({"report/templates/page.html": "<p >"})
    assert [script for script in codes if after.code(script) != codes[script]] == ["page"]


def test_what_is_not_there_is_named(library):
    sources = library()
    with pytest.raises(ConfigurationError, match=r"scripts/none\.py: there is no such script"):
        sources.code("none")
    with pytest.raises(ConfigurationError, match=r"learning\.rules has no entry \['xx'\]"):
        sources.code("train", rules=["xx"])
    with pytest.raises(ConfigurationError, match=r"scripts/plain\.py uses no registry of rules"):
        sources.code("plain", rules=["fa"])
    assert sources.code("plain", rules=[]) == sources.code("plain")


def test_what_a_fingerprint_stands_for_is_noted(library, tmp_path):
    sources = library(remember=tmp_path / "notes" / "code")
    code = sources.code("train", rules=["fa"])
    noted = json.loads((tmp_path / "notes" / "code" / f"{code}.json").read_text())
    assert noted == sources.modules("train", rules=["fa"])
    (tmp_path / "file").write_text("")  # where no folder can be made
    assert library(remember=tmp_path / "file" / "x").code("train", rules=["fa"]) == code


def test_a_file_is_parsed_again_only_when_its_bytes_change(library, tmp_path, monkeypatch):
    parsed = []

    def parse_and_note(source):
        parsed.append(source.decode())
        return ast.parse(source)

    monkeypatch.setattr("rulealign.rerun.syntax.parse", parse_and_note)
    notes = tmp_path / "notes"
    first = library(remember=notes).versions()
    texts = sorted({path.read_text() for path in tmp_path.rglob("*.py")})
    assert sorted(parsed) == texts
    parsed.clear()
    assert library(remember=notes).versions() == first
    assert parsed == []
    changes = {"b.py": "import rulealign.other\n2"}
    edited = library(changes, remember=notes)
    expected = library(changes).versions()
    parsed.clear()
    assert edited.versions() == expected != first
    assert parsed == ["import rulealign.other\n2"]


@pytest.mark.parametrize("left", ["", "[1]", '{"a": [1]}', '{"a'])
def test_a_broken_note_of_what_files_say_is_made_anew(library, tmp_path, left):
    first = library(remember=tmp_path / "notes").versions()
    (note,) = (tmp_path / "notes").glob("parsed-*.json")
    whole = note.read_text()
    note.write_text(left)
    assert library(remember=tmp_path / "notes").versions() == first
    assert note.read_text() == whole


def test_other_code_that_reads_files_takes_no_note_of_the_old_one(library, tmp_path, monkeypatch):
    library(remember=tmp_path / "notes").versions()
    other = tmp_path / "syntax.py"
    other.write_text("def tree_hash(): ...")
    monkeypatch.setattr("rulealign.rerun.syntax.__file__", str(other))
    library(remember=tmp_path / "notes").versions()
    assert len(list((tmp_path / "notes").glob("parsed-*.json"))) == 2
