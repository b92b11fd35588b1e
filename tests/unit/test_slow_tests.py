"""What `make test` leaves out is named, with what it checks."""

import re

SLOW = re.compile(r"\bpytest\.mark\.slow\b")


def test_the_documentation_names_every_file_with_slow_tests(project):
    text = (project / "docs/performance.md").read_text()
    table = text.split("| slow | what it checks |")[1].split("\n\n")[0]
    named = re.findall(r"^\| `(\w+/test_\w+\.py)`", table, re.MULTILINE)
    tests = project / "tests"
    marked = {
        str(path.relative_to(tests))
        for path in tests.glob("*/test_*.py")
        if SLOW.search(path.read_text()) and path.stem != "test_slow_tests"
    }
    assert "workflow/test_crash_safety.py" in marked
    assert sorted(named) == sorted(marked)
