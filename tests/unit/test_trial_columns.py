"""Column labels of response files: read as pandas writes them, without running a pickle."""

import pickle

import h5py
import numpy as np
import pandas as pd
import pytest

from rulealign.data.simulated.tables import write_response_data
from rulealign.data.things.pickled_labels import pickled_labels
from rulealign.data.things.trial_columns import LABELS, column_labels, labelled
from rulealign.errors import DataError

# The bytes of block0_items of pandas' DataFrame.to_hdf, written by PyTables 3.11.1 for a column
# voxel_id and four columns of numbers.
_FRAME = (
    b"\x8c\x0c_reconstruct\x94\x93\x94\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94K\x00\x85\x94C"
    b"\x01b\x94\x87\x94R\x94(K\x01K\x04\x85\x94h\x03\x8c\x05dtype\x94\x93\x94\x8c\x02O8\x94\x89"
    b"\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?t\x94b\x89]\x94("
)
_NUMPYS = (
    b"h\x00\x8c\x06scalar\x94\x93\x94h\x0c\x8c\x02i8\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01<\x94"
    b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94bC\x08\x00\x00\x00\x00\x00\x00\x00\x00\x94"
    b"\x86\x94R\x94h\x14h\x17C\x08\x01\x00\x00\x00\x00\x00\x00\x00\x94\x86\x94R\x94h\x14h\x17C\x08"
    b"\x02\x00\x00\x00\x00\x00\x00\x00\x94\x86\x94R\x94h\x14h\x17C\x08\x03\x00\x00\x00\x00\x00\x00"
    b"\x00\x94\x86\x94R\x94et\x94b."
)
_PANDAS_3 = b"\x80\x05\x95\x92\x00\x00\x00\x00\x00\x00\x00\x8c\x16numpy._core.multiarray\x94"
_PANDAS_2 = b"\x80\x05\x95\x91\x00\x00\x00\x00\x00\x00\x00\x8c\x15numpy.core.multiarray\x94"
_PANDAS_3_LONG = b"\x80\x05\x95\x05\x01\x00\x00\x00\x00\x00\x00\x8c\x16numpy._core.multiarray\x94"
WRITTEN = {
    "pandas 3.1.1, numpy 2.4.6": (
        _PANDAS_3 + _FRAME + b"K\x00K\x01K\x02K\x03et\x94b.",
        [0, 1, 2, 3],
    ),
    "pandas 2.3.3, numpy 1.26.4": (
        _PANDAS_2 + _FRAME + b"K\x00K\x01K\x03K\x02et\x94b.",
        [0, 1, 3, 2],
    ),
    "numbers of numpy": (_PANDAS_3_LONG + _FRAME + _NUMPYS, [0, 1, 2, 3]),
}


@pytest.mark.parametrize(("written", "labels"), WRITTEN.values(), ids=WRITTEN)
def test_labels_that_pandas_wrote_are_read(written, labels):
    assert pickle.loads(written).tolist() == labels  # these bytes are what they are taken for
    assert pickled_labels(written) == labels


LISTS = {
    "none": [],
    "mixed": ["voxel_id", 0, 1, 255, 256, 65536, -1, 2**40, -(2**70)],
    "more than one batch": list(range(2500)),
    "the same name twice": ["ä", "b", "ä", "ä"],
    "numpy's": [*np.arange(3), np.int32(-7), np.uint8(200), np.array([5], dtype=">i8")[0]],
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("labels", LISTS.values(), ids=LISTS)
def test_labels_of_every_protocol_are_read_or_said_to_be_unreadable(labels, protocol):
    array = np.empty(len(labels), dtype=object)
    array[:] = labels
    found = pickled_labels(pickle.dumps(array, protocol=protocol))
    # before protocol 3, a pickle of Python 3 holds numpy's numbers as a call that decodes text
    unreadable = protocol < 3 and any(isinstance(label, np.generic) for label in labels)
    assert found == (None if unreadable else labels)


class Call:
    def __reduce__(self):
        return (exit, (3,))


OTHERS = {
    "a call": np.array([Call(), 1], dtype=object),
    "truth": np.array([True, 1], dtype=object),
    "nothing": np.array([None, 1], dtype=object),
    "bytes": np.array([b"0", b"1"], dtype=object),
    "lists": np.array([[0], [1, 2]], dtype=object),
    "two axes": np.array([[0, "a"], [1, "b"]], dtype=object),
    "numbers": np.arange(3),
    "a list": [0, 1, 2],
    "a dictionary": {0: 1},
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", OTHERS.values(), ids=OTHERS)
def test_anything_else_is_unreadable_and_nothing_is_called(value, protocol):
    assert pickled_labels(pickle.dumps(value, protocol=protocol)) is None


def test_fractions_and_a_column_of_labels_are_read():
    assert pickled_labels(pickle.dumps(np.array([0.0, 1.5], dtype=object))) == ["0.0", "1.5"]
    assert pickled_labels(pickle.dumps(np.array([["a"], [3]], dtype=object))) == ["a", 3]


def test_damaged_pickles_raise_nothing():
    whole = WRITTEN["pandas 3.1.1, numpy 2.4.6"][0]
    for place in range(len(whole)):
        assert pickled_labels(whole[:place]) is None
        for other in (0, ord("."), ord("("), ord("R"), ord("b"), ord("e"), ord("h"), 255):
            changed = whole[:place] + bytes([other]) + whole[place + 1 :]
            found = pickled_labels(changed)
            assert found is None or len(found) == 4


def stored(path, labels):
    with h5py.File(path, "w") as file:
        file["labels"] = labels
        return column_labels(file["labels"])


def test_labels_that_are_no_pickle_are_read(tmp_path):
    path = tmp_path / "labels.h5"
    assert stored(path, np.arange(5, dtype=">i4")) == [0, 1, 2, 3, 4]
    assert stored(path, np.array([b"0", b"10", b"2"])) == ["0", "10", "2"]
    assert stored(path, ["a", "\u00e4"]) == ["a", "\u00e4"]
    assert stored(path, np.arange(3.0)) == ["0.0", "1.0", "2.0"]
    assert stored(path, np.zeros((2, 2), dtype=int)) is None
    assert column_labels(None) is None


TEN = [str(number) for number in range(11)]


def check(path, labels, trials, as_stored=False):
    write_response_data(path, np.zeros((2, len(trials))), np.arange(2))
    with h5py.File(path, "r+") as file:
        if labels is not None:
            del file[LABELS]
        if isinstance(labels, bytes):
            file.create_dataset(LABELS, (1,), dtype=h5py.vlen_dtype(np.uint8))
            file[LABELS][0] = np.frombuffer(labels, np.uint8)
        elif labels is not None and len(labels):
            file[LABELS] = np.array(labels).astype("S") if isinstance(labels[0], str) else labels
        return labelled(file, "x.h5", trials, as_stored=as_stored)


def numbered(trial_ids):
    names = [f"dog_{place:02d}s.jpg" for place in range(len(trial_ids))]
    return pd.DataFrame({"trial_id": trial_ids, "stimulus": names, "concept": "dog"})


ELEVEN = numbered(range(11))
SHOWN = ["dog_01s.jpg", "ant_03b.jpg", "ice_cream_02n.jpg", "ant_01b.jpg", "dog_01s.jpg"]
CONCEPTS = ["dog", "ant", "ice_cream", "ant", "dog"]
FIVE = pd.DataFrame({"trial_id": range(5), "stimulus": SHOWN, "concept": CONCEPTS})
STEMS = [name.removesuffix(".jpg") for name in SHOWN]
PATHS = [f"images/{concept}/{name}" for concept, name in zip(CONCEPTS, SHOWN, strict=True)]


@pytest.mark.parametrize(
    ("labels", "trials"),
    [
        (None, ELEVEN),
        (TEN, ELEVEN),
        (ELEVEN["stimulus"].tolist(), ELEVEN),
        (list(range(5, 16)), ELEVEN),
        ([f"{number}.0" for number in range(11)], ELEVEN),
        (np.arange(11.0), ELEVEN),
        ([f"trial_{number:02d}" for number in range(11)], ELEVEN),
        *((names, FIVE) for names in (SHOWN, STEMS, PATHS, CONCEPTS)),
        ([0, 1, 3], numbered([0, 1, 3])),
        ([0, 1, 3], numbered([7, 8, 10])),
        ([0, 1, 2, 3], numbered([0, 1, 0, 1])),
    ],
)
def test_labels_in_the_order_of_the_trials_are_taken(tmp_path, labels, trials):
    assert check(tmp_path / "x.h5", labels, trials) is True


@pytest.mark.parametrize("as_stored", [False, True])
@pytest.mark.parametrize(
    ("labels", "trials", "message"),
    [
        (sorted(TEN), ELEVEN, r"in the order 0, 1, 10, 2, 3, 4, \.\.\.: they were sorted as text"),
        (pickle.dumps(np.array([0, 2, 1], object)), numbered(range(3)), "0, 2, 1: they were moved"),
        (list(range(11))[::-1], ELEVEN, "they were moved, and responses"),
        ([0, 1, 3], numbered([0, 1, 2]), "column 2 is labelled 3, and trial row 2 has trial_id 2"),
        ([0, 1, 2], numbered([0, 2, 3]), "column 1 is labelled 1, and trial row 1 has trial_id 2"),
        ([0, 1, 3], numbered([0, 1, 0]), "column 2 is labelled 3, and trial row 2 has trial_id 0"),
        (sorted(f"{n}.0" for n in range(11)), ELEVEN, "0, 1, 10, 2, .* they were sorted as text"),
        (sorted(f"trial_{n}" for n in range(11)), ELEVEN, "0, 1, 10, 2, .* sorted as text"),
        (np.arange(11.0)[::-1], ELEVEN, "they were moved, and responses"),
        *(
            (
                sorted(names),
                FIVE,
                f"column 0 is labelled {first}, and trial row 0 shows {shown}: .*",
            )
            for names, first, shown in (
                (SHOWN, "ant_01b", "dog_01s"),
                (STEMS, "ant_01b", "dog_01s"),
                (PATHS, "ant_01b", "dog_01s"),
                (CONCEPTS, "ant", "dog"),
            )
        ),
        (SHOWN[:4], FIVE, "labels of 4 columns, its table has 5 trials"),
        ([*SHOWN[:4], "emu_01b.jpg"], FIVE, "column 4 is labelled emu_01b, and trial row 4 shows"),
        ([0, 1], numbered([0, 1, 2]), "labels of 2 columns, its table has 3 trials"),
    ],
)
def test_labels_in_another_order_are_refused_whatever_the_study_says(
    tmp_path, labels, trials, message, as_stored
):
    with pytest.raises(DataError, match=f"^x.h5: .*{message}"):
        check(tmp_path / "x.h5", labels, trials, as_stored)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([], "cannot be read"),
        (pickle.dumps(np.array([Call(), 1, 2], dtype=object)), "cannot be read"),
        (["a", "b", "c"], "are a, b, c"),
        (["0.5", "1.5", "2.5"], r"are 0\.5, 1\.5, 2\.5"),
        (["a_0", "b_1", "c_2"], "are a_0, b_1, c_2"),
    ],
)
def test_labels_that_tell_nothing_stop_or_are_believed_as_the_study_says(
    tmp_path, labels, found, capsys
):
    trials = numbered(range(3))
    with pytest.raises(
        DataError, match=f"block0_items'. {found}, so .*`things.columns: as_stored`"
    ):
        check(tmp_path / "x.h5", labels, trials)
    assert check(tmp_path / "x.h5", labels, trials, as_stored=True) is False
    assert "QUALITY: x.h5: nothing says which trial a column is" in capsys.readouterr().out
