"""Draws are written as they come, yet whole or not at all, and the same for any threads."""

from contextlib import contextmanager

import h5py
import numpy as np
import pandas as pd
import pytest

import score_settings
from rulealign.arm import Arm
from rulealign.errors import DataError, StoreError
from rulealign.rsa import alignment
from rulealign.rsa.alignment import align
from rulealign.rsa.bootstrap.draw_blocks import draw_blocks
from rulealign.rsa.bootstrap.draws_file import new_draws
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, resample_counts
from rulealign.settings import Settings
from rulealign.store import read_ids, read_settings, write_h5

N, N_MODELS = 20, 12
IDS = [f"image_{place:02d}" for place in range(N)]
PAIRS = N * (N - 1) // 2
KEYS = {"network": "cnn3", "rule": "bp", "seed": 1, "epoch": 0, "stimuli": "grey", "size": 32}


@pytest.fixture
def study(tmp_path):
    """Give a function that aligns in a new folder: (name, options of align) -> its folder."""
    rng = np.random.default_rng(1)
    arrays = {f"conv{k:02}/vector/centred": rng.random(PAIRS).round(2) for k in range(N_MODELS)}

    def make(name, changed=None, brains=None, **options):
        folder = tmp_path / name
        write = {"ids": {"stimulus": IDS}, "settings": {}}
        model, files = folder / "in/model.h5", []
        write_h5(model, arrays | (changed or {}), attributes=KEYS, **write)
        for subject in range(3):
            about = {"subject": subject, "roi": "EVC", "distance": "1 - Pearson"}
            about |= {"acquisition": "3T", "repetitions": 2}
            files.append(folder / f"in/sub-{subject}.h5")
            rdm = np.random.default_rng(50 + subject).random(PAIRS)
            rdm = (brains or {}).get(subject, rdm)
            write_h5(files[-1], {"rdm": rdm}, attributes=about, **write)
        outputs = folder / "out/t.csv", folder / "out/d.h5"
        align(
            [model],
            files,
            Arm("cnn3", "bp"),
            "EVC",
            score_settings.alignment(),
            *outputs,
            **options,
        )
        return folder / "out"

    return make


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_threads_and_megabytes_change_no_byte(study):
    plain = contents(study("plain"))
    assert sorted(plain) == ["d.h5", "t.csv"]
    assert contents(study("threads", threads=2)) == plain
    assert contents(study("one model at a time", work_mb=0.001)) == plain
    assert contents(study("both", work_mb=0.7, threads=3)) == plain


def test_intervals_are_those_of_the_draws_written(study):
    folder = study("sets", work_mb=0.001)
    table = pd.read_csv(folder / "t.csv")
    with h5py.File(folder / "d.h5") as file:
        draws, dtype = file["draws"][()].astype(float), file["draws"].dtype
        assert read_settings(file) == score_settings.SCORES.plain()
        assert read_ids(file, "stimulus") == IDS
        assert len(read_ids(file, "row")) == len(table)
    assert dtype == np.float32
    assert draws.shape == (60, 2 * N_MODELS)
    assert (draws.std(axis=0) > 0).all()
    np.testing.assert_allclose(table["low"], np.percentile(draws, 5, axis=0), atol=1e-6)
    np.testing.assert_allclose(table["high"], np.percentile(draws, 95, axis=0), atol=1e-6)


def test_draws_are_written_before_the_next_ones_are_made(study, monkeypatch):
    stored, written = [], []

    @contextmanager
    def kept(*arguments):
        with new_draws(*arguments) as dataset:
            stored.append(dataset)
            yield dataset

    def watched(*arguments, **options):
        for block in draw_blocks(*arguments, **options):
            written.append(int((stored[0][()] != 0).sum()))
            yield block

    monkeypatch.setattr(alignment, "new_draws", kept)
    monkeypatch.setattr(alignment, "draw_blocks", watched)
    study("watched")
    assert len(written) > 5
    size = written[1]
    assert size > 0
    assert written == [size * number for number in range(len(written))]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_a_job_that_is_stopped_half_way_leaves_nothing(study, tmp_path, monkeypatch, error):
    def stop_at(fraction):
        if fraction > 0.5:
            raise error

    monkeypatch.setattr(alignment, "_progress_lines", lambda _: stop_at)
    with pytest.raises(error):
        study("stopped")
    assert list((tmp_path / "stopped/out").iterdir()) == []


def test_an_rdm_without_ranks_in_a_late_resample_leaves_nothing(study, tmp_path):
    counts = resample_counts(N, 60, bootstrap_seed(5, N))
    first, second = np.triu_indices(N, 1)
    missing = (counts[:, first] * counts[:, second] == 0).argmax(axis=0)
    pair = int(missing.argmax())  # drawn in all resamples up to this one
    assert missing[pair] > 2
    changed = {"conv07/vector/centred": np.where(np.arange(PAIRS) == pair, 2.0, 1.0)}
    named = "cnn3_bp_1_0_grey_32_conv07_vector_centred"
    message = rf"^{named} is constant over the pairs of resample {missing[pair]} "
    for threads, work_mb in ((1, 512), (2, 512), (1, 0.001)):  # 0.001: one model at a time
        name = f"constant, {threads}, {work_mb}"
        with pytest.raises(DataError, match=message):
            study(name, changed, threads=threads, work_mb=work_mb)
        assert list((tmp_path / name / "out").iterdir()) == []


def test_a_brain_rdm_without_ranks_in_a_resample_is_named_by_roi_and_subject(study):
    counts = resample_counts(N, 60, bootstrap_seed(5, N))
    first, second = np.triu_indices(N, 1)
    pair = int((counts[:, first] * counts[:, second] == 0).any(axis=0).argmax())
    flat = np.where(np.arange(PAIRS) == pair, 2.0, 1.0)
    with pytest.raises(DataError, match="^EVC of 1 is constant over the pairs of resample"):
        study("flat", brains={1: flat})


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path):
    def fill():
        with new_draws(tmp_path / "d.h5", 5, {"row": ["a", "b"]}, Settings(), {}) as stored:
            stored[:2] = 1
            raise OSError("Can't write data (No space left on device)")

    with pytest.raises(StoreError, match=r"d\.h5: the disk is full"):
        fill()
    assert list(tmp_path.iterdir()) == []
