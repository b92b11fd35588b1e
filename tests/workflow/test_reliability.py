"""A share of what docs/reliability.md counts: nothing is accepted, and nothing ends in Python."""

import pytest

from reliability.__main__ import measure
from reliability.outcomes import ACCEPTED, ANSWERED, HARMLESS, TRACEBACK

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


SHARES = {"damage": 0.03, "studies": 0.1, "rdms": 0.1, "trials": 0.05, "unsafe": 1}


@pytest.mark.parametrize(("section", "share"), SHARES.items())
def test_a_share_of_all_faults_is_answered(project, tmp_path, section, share):
    for row, found in measure(project, tmp_path, [section], share).items():
        counts, tried = found["counts"], sum(found["counts"].values())
        assert tried > 0, row
        assert counts.get(ACCEPTED, 0) == counts.get(TRACEBACK, 0) == 0, found["notes"]
        assert counts.get(ANSWERED, 0) + counts.get(HARMLESS, 0) >= 0.95 * tried, found["notes"]
