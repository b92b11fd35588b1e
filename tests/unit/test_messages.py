"""Messages and the fingerprint of code: rewording one runs nothing, and no result holds one."""

import ast
import re

import pytest

from helpers.reworded import reworded
from rulealign import errors
from rulealign.rerun.messages import PLAIN_ERRORS, WORDS_ONLY, without_messages
from rulealign.rerun.syntax import parse, tree_hash

HEAD = """
import logging, sys, warnings
from rulealign.errors import DataError
from rulealign.reasons import MissingValue
"""


def hashed(text):
    return tree_hash(without_messages(parse((HEAD + text).encode())))


@pytest.mark.parametrize(
    "text",
    [
        'raise DataError("WORD")',
        'raise DataError(f"{x}: WORD {y:.3g}") from error',
        'raise ValueError("WORD" + x)',
        'raise DataError("WORD" if x else "another one")',
        "raise DataError(f\"{x} {'WORD' if x else y}\")",
        "raise DataError(f\"{'WORD'.join(x)} and more\")",
        'raise OSError(5, "WORD", path)',
        'print("WORD", x, flush=True)',
        'print(f"WORD {x}", file=sys.stderr)',
        'sys.exit(f"WORD {x}")',
        'warnings.warn("WORD")',
        'logging.info(f"WORD {x}")',
        'def damaged(path):\n    return DataError(f"{path}: WORD")',
        'def f(x):\n    remedy = f"WORD {x}"\n    raise DataError(f"{x}: {remedy}")',
        'def f(x):\n    why = "WORD"\n    why += "WORD"\n    print(why)',
        '_REMEDY = "WORD"\ndef f(x):\n    raise DataError(f"{x}. {_REMEDY}")',
        'def _why(x):\n    return f"WORD {x}"\nraise DataError(_why(1))',
        # in steps: a constant in a function's words in an error
        '_A = "WORD"\ndef _b(x):\n    c = f"{_A} {x}"\n    return c\nraise DataError(f"{_b(1)}")',
    ],
)
def test_a_reworded_message_changes_nothing(text):
    assert hashed(text.replace("WORD", "one")) == hashed(text.replace("WORD", "in other words"))


@pytest.mark.parametrize(
    "text",
    [
        'x = "WORD"',
        'return_this = f("WORD")',
        'raise MissingValue("WORD")',  # a reason, which tables hold
        "raise DataError(f\"{x['WORD']}\")",
        "raise DataError(f\"{f('WORD')}\")",
        'raise errors["WORD"](x)',
        'if x == "WORD":\n    raise DataError("text")',
        'print("text", file=WORD)',
        'print("WORD", file=result)',
        'print("WORD", **more)',
        'warnings.filterwarnings("ignore", "WORD")',
        'REMEDY = "WORD"\nraise DataError(REMEDY)',  # other modules may use it
        'class A:\n    _why = "WORD"\nraise DataError(_why)',
        'if x:\n    _why = "WORD"\nraise DataError(_why)',
        'def f():\n    global why\n    why = "WORD"\n    raise DataError(why)',
        'def f(self):\n    self.why = "WORD"\n    raise DataError(self.why)',
        'def f():\n    why = "WORD"\n    print(why)\n    return why',
        'def f():\n    if why := "WORD":\n        raise DataError(why)',
        'def f():\n    a = b = "WORD"\n    print(a)\n    return b',
        'def f():\n    why = "WORD"\n    print(why)\n    return locals()',
        '_WHY = "WORD"\nprint(_WHY)\nrow = {"reason": _WHY}',
        'def _why():\n    return "WORD"\nprint(_why())\nrow = {"reason": _why()}',
        'def _why():\n    return "WORD"\nprint(_why())\nuse(_why)',
        '@cache\ndef _why():\n    return "WORD"\nprint(_why())',
        'def why():\n    return "WORD"\nprint(why())',
        'class UnfitError(DataError): ...\nraise UnfitError("WORD")',  # may have attributes
        'def print(text): ...\nprint("WORD")',
        'def f(print):\n    print("WORD")',
        'from elsewhere import DataError\nraise DataError("WORD")',
        'raise WORD("text")',
    ],
)
def test_what_may_reach_a_result_counts(text):
    assert hashed(text.replace("WORD", "one")) != hashed(text.replace("WORD", "two"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{x} of {y}", "{y} of {x}"),
        ("{x} of {y}", "{x} of"),
        ("{x} of {y}", "{x:.2f} of {y}"),
        ("{x} of {y}", "{x!r} of {y}"),
        ("{x} of {y}", "{x} of {-y}"),
    ],
)
def test_what_a_message_computes_counts(old, new):
    assert hashed(f'raise DataError(f"{old}")') != hashed(f'raise DataError(f"{new}")')


def path_of(project, module):
    return project / "src" / f"{module.replace('.', '/')}.py"


def test_every_message_of_the_library_can_be_reworded(project):
    count = 0
    files = {*project.glob("src/**/*.py"), *project.glob("scripts/*.py")}
    for path in sorted(files - {path_of(project, name) for name in WORDS_ONLY}):
        text = path.read_text()
        new, found = reworded(text)
        first, second = (without_messages(parse(one.encode())) for one in (text, new))
        assert tree_hash(first) == tree_hash(second), path
        count += found
    assert count > 350


def test_modules_that_only_say_something_exist_and_hold_no_reason(project):
    for name in WORDS_ONLY:
        assert path_of(project, name).is_file()
    own = [one for one in vars(errors).values() if isinstance(one, type)]
    # an error of several arguments could hand one of them on, as a result
    assert all(one.__init__ is Exception.__init__ for one in own)
    assert all(not set(vars(one)) - {"__module__", "__doc__", "__weakref__"} for one in own)


def test_no_module_takes_private_names_of_another_one(project):
    # private constants count as messages where their own module tells them and no more
    for path in sorted([*project.glob("src/**/*.py"), *project.glob("scripts/*.py")]):
        for node in ast.walk(parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("rulealign"):
                assert not [one.name for one in node.names if one.name.startswith("_")], path


# Where the text of an error is read and reaches no result: h5py hides a full disk in it, a study's
# file is read and checked before any job, downloads are known by their checksums, and a child
# process that reads MATLAB files hands its error over.
READ = {
    "atomic.py",
    "config/checks.py",
    "config/file.py",
    "config/given_checks.py",
    "config/network_checks.py",
    "data/init_study.py",
    "data/mat.py",
    "data/things/s3.py",
}
READ |= {"data/download/http.py", "data/download/obtain.py"}
TEXT = {"args", "strerror", "msg", "message", "problem", "reason", "filename"}


def texts_of_errors(tree):
    """Find where the text of a caught or given error is taken, other than for another message."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    missing = {
        handler.name
        for handler in ast.walk(tree)
        if isinstance(handler, ast.ExceptHandler)
        and getattr(handler.type, "id", "") in ("MissingValue", "UnfitRdm")
    }
    caught = {h.name for h in ast.walk(tree) if isinstance(h, ast.ExceptHandler) and h.name}
    given = {
        argument.arg
        for argument in ast.walk(tree)
        if isinstance(argument, ast.arg) and re.search(r"(Error|Exception)\b", annotation(argument))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in caught | given:
            above, around = parents[node], list(ancestors(node, parents))
            taken = (
                isinstance(above, ast.FormattedValue)
                or (isinstance(above, ast.Call) and ast.unparse(above.func) in ("str", "repr"))
                or (isinstance(above, ast.Attribute) and above.attr in TEXT)
            )
            if isinstance(above, ast.Attribute) and above.attr == "reason" and node.id in missing:
                continue
            if taken and not any(map(is_message, around)):
                yield node.lineno


def annotation(argument):
    return ast.unparse(argument.annotation) if argument.annotation else ""


def ancestors(node, parents):
    while node in parents:
        node = parents[node]
        yield node


def is_message(node):
    if isinstance(node, ast.Raise):
        return True
    kinds = {*PLAIN_ERRORS, *vars(errors), "print", "sys.exit"}
    return isinstance(node, ast.Call) and ast.unparse(node.func) in kinds


def test_no_text_of_an_error_enters_a_result(project):
    library = project / "src" / "rulealign"
    for path in sorted([*library.rglob("*.py"), *project.glob("scripts/*.py")]):
        name = path.relative_to(library).as_posix() if library in path.parents else path.name
        module = f"rulealign.{name.removesuffix('.py')}"
        if name not in READ and module not in WORDS_ONLY:
            assert list(texts_of_errors(ast.parse(path.read_text()))) == [], path


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('row["reason"] = str(error)', True),
        ('row["reason"] = f"no fit: {error}"', True),
        ('row["reason"] = repr(error)[:20]', True),
        ('row["reason"] = error.args[0]', True),
        ('row["reason"] = error.reason', True),
        ("return np.nan, str(error).removesuffix('.')", True),
        ('if "constant" in str(error): pass', True),
        ('raise DataError(f"{path}: {error}") from error', False),
        ('print(f"no fit: {error}")', False),
        ("raise unreadable(path, error) from error", False),
        ("if error.errno == 28: pass", False),
    ],
)
def test_the_text_of_an_error_in_a_result_is_found(line, found):
    text = f"def f(row):\n  try:\n    g()\n  except DataError as error:\n    {line}"
    assert bool(list(texts_of_errors(ast.parse(text)))) == found


def test_the_reason_of_a_missing_value_may_enter_a_result():
    text = "try:\n  g()\nexcept MissingValue as missing:\n  row['reason'] = missing.reason"
    assert list(texts_of_errors(ast.parse(text))) == []
