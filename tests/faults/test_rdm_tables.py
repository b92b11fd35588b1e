"""Tables of one RDM as spreadsheets save them: read, or refused with what to write."""

import numpy as np
import pandas as pd
import pytest

from brain_settings import read_rdms
from oracles.test_rdm_formats import IDS, SQUARES, N
from rulealign.errors import DataError


@pytest.mark.parametrize(("separator", "labels"), [(";", True), (";", False), ("\t", True)])
def test_a_table_may_have_other_separators(tmp_path, separator, labels):
    table = pd.DataFrame(SQUARES[0], IDS, IDS)
    table.to_csv(tmp_path / "x.csv", sep=separator, header=labels, index=labels)
    assert np.array_equal(read_rdms(tmp_path / "x.csv", None, 1)[0], SQUARES[0])


@pytest.mark.parametrize("labels", [True, False])
def test_decimal_commas_and_other_separators_are_refused(tmp_path, labels):
    table, path = pd.DataFrame(SQUARES[0], IDS, IDS), tmp_path / "x.csv"
    table.to_csv(path, sep=";", decimal=",", header=labels, index=labels)
    with pytest.raises(DataError, match="'0,.*' is no number; write decimals with a point"):
        read_rdms(path, None, 1)
    table.to_csv(path, sep=" ", header=labels, index=labels)
    with pytest.raises(DataError, match=r"x\.csv: has a single column; separate its fields"):
        read_rdms(path, None, 1)
    path.write_text("\n")
    with pytest.raises(DataError, match=r"x\.csv: is empty"):
        read_rdms(path, None, 1)


def test_a_label_that_was_mistyped_contradicts_the_ids(tmp_path):
    names = [IDS[0], IDS[1], IDS[3], *IDS[3:]]  # one of them twice
    pd.DataFrame(SQUARES[0], names, names).to_csv(tmp_path / "x.csv")
    match = f"'labels' says that row 2 of the RDMs is {IDS[3]}, and brain.ids that it is {IDS[2]}"
    with pytest.raises(DataError, match=match):
        read_rdms(tmp_path / "x.csv", None, 1, ids="image_{:02d}")
    others = [f"face {number}" for number in range(N)]  # describe, and name no image
    pd.DataFrame(SQUARES[0], others, others).to_csv(tmp_path / "x.csv")
    assert np.array_equal(read_rdms(tmp_path / "x.csv", None, 1, ids="image_{:02d}")[0], SQUARES[0])
