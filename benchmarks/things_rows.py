"""One ROI of THINGS-fMRI: rows of a table file beside `pandas.read_hdf`, and rows over a network.

`python benchmarks/things_rows.py --folder /tmp/rows` writes, into a temporary folder below that
folder, a generated subject of 40,000 voxels x 9,840 trials (3.1 GB) as pandas does, and reads 1,049
scattered rows in two fresh processes: with the project's table form, and with pandas. It prints
seconds, peak memory beyond the result and beyond the imports, and the ratios. The file is not in
the disk cache when it is read (as far as the system heeds the request).

Then it puts a smaller subject into a local S3 service (moto's) and counts the bytes that the
service sends for rows in the proportion of V1, clustered in runs as those of real ROIs and fully
scattered.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from rulealign.data.simulated.tables import write_response_data
from rulealign.data.things.remote_rows import RemoteRows
from rulealign.data.things.table_files import OPENNEURO
from rulealign.data.things.tables_form import Tables

V1, VOXELS = 1049, 211_339  # of sub-01
PIECE = 500  # rows written at once


def rows_of_roi(rng, voxels, count, run):
    """Draw rows that lie in runs of `run` on average (1: fully scattered)."""
    flags = np.zeros(voxels, dtype=bool)
    while (missing := count - int(flags.sum())) > 0:
        start = rng.integers(voxels)
        flags[start : start + min(missing, rng.geometric(1 / run))] = True
    return np.flatnonzero(flags)


def write_subject(responses, voxels, stimuli, shape, flags):
    """Write the three files of a subject; the responses piece by piece."""
    write_response_data(responses, np.zeros((1, shape[1])), np.zeros(1, dtype=np.int64))
    with h5py.File(responses, "a") as file:
        group, ids = file["ResponseData"], np.arange(shape[0])
        _enlarge(group, "axis1", ids.shape)[:] = ids
        _enlarge(group, "block1_values", (shape[0], 1))[:, 0] = ids
        values, rng = _enlarge(group, "block0_values", shape), np.random.default_rng(0)
        for start in range(0, shape[0], PIECE):
            count = min(PIECE, shape[0] - start)
            values[start : start + count] = rng.standard_normal((count, shape[1]))
    table = {"voxel_id": ids, "subject_id": 1, "V1": flags.astype(int)}
    pd.DataFrame(table).to_csv(voxels, index=False)
    number = np.arange(shape[1])
    names = [f"thing_{k}.jpg" for k in number]
    trials = {"trial_type": "train", "session": 1 + number // 820, "run": 1 + number // 82 % 10}
    trials |= {"subject_id": 1, "trial_id": number, "stimulus": names, "concept": "thing"}
    pd.DataFrame(trials).to_csv(stimuli, index=False)


def _enlarge(group, name, shape):
    """Put a dataset of another shape into the place of one, with its attributes."""
    old = group[name]
    new = group.create_dataset(f"{name}.new", shape, dtype=old.dtype)
    for key, value in old.attrs.items():
        new.attrs.create(key, value, dtype=old.attrs.get_id(key).dtype)
    del group[name]
    group.move(f"{name}.new", name)
    return new


def read_as_rulealign(folder):
    """Read the ROI with the project's table form."""
    form = Tables(folder)
    rows = np.flatnonzero(form.voxels("01", ["V1"])["V1"])
    return form.responses("01", rows)


def read_as_pandas(folder):
    """Read the ROI with pandas."""
    import tables  # noqa: F401 (loaded before the clock starts)

    flags = pd.read_csv(folder / "sub-01_VoxelMetadata.csv")["V1"].to_numpy() == 1
    table = pd.read_hdf(folder / "sub-01_ResponseData.h5")
    return table[flags].drop(columns="voxel_id").to_numpy(dtype=np.float32)


READERS = {"rulealign": read_as_rulealign, "pandas.read_hdf": read_as_pandas}


def memory(kind):
    """Give VmHWM (peak) or VmRSS (now) of this process, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(kind))


def measure(name, folder):
    """In a process of its own: read, and print seconds, MB beyond the result, and a checksum."""
    if name != "rulealign":
        import tables  # noqa: F401

    before, start = memory("VmRSS"), time.perf_counter()
    result = READERS[name](Path(folder))
    seconds = time.perf_counter() - start
    beyond = memory("VmHWM") - before - result.nbytes / 1e6
    print(seconds, beyond, hashlib.sha256(result.tobytes()).hexdigest())


def compare_readers(folder, shape, count):
    """Write a large subject and read its ROI in both ways."""
    rng = np.random.default_rng(1)
    flags = np.zeros(shape[0], dtype=bool)
    flags[rows_of_roi(rng, shape[0], count, run=1)] = True
    names = ("ResponseData.h5", "VoxelMetadata.csv", "StimulusMetadata.csv")
    start = time.perf_counter()
    write_subject(*(folder / f"sub-01_{name}" for name in names), shape, flags)
    path = folder / "sub-01_ResponseData.h5"
    print(f"{shape[0]} voxels x {shape[1]} trials: {path.stat().st_size / 1e9:.2f} GB", end=" ")
    print(f"written in {time.perf_counter() - start:.0f} s; {count} rows", flush=True)
    measured = {}
    for name in READERS:
        _leave_cache(path)
        command = [sys.executable, __file__, "--measure", name, "--folder", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, beyond, digest = done.stdout.split()[-3:]
        measured[name] = float(seconds), float(beyond), digest
        print(
            f"{name}: {float(seconds):.2f} s, {float(beyond):.0f} MB beyond the result", flush=True
        )
    (ours, our_memory, one), (theirs, their_memory, other) = measured.values()
    assert one == other, "the two read different numbers"
    print(f"{theirs / ours:.1f} times faster, {their_memory / our_memory:.1f} times less memory")


def _leave_cache(path):
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Counter:
    """Wraps a WSGI service and counts the bytes that it sends for GETs of objects."""

    def __init__(self, service):
        self._service, self._lock, self.sent, self.requests = service, threading.Lock(), 0, 0

    def __call__(self, environ, start_response):
        """Answer one request."""
        parts = self._service(environ, start_response)
        if environ["REQUEST_METHOD"] != "GET":
            return parts
        body = b"".join(parts)
        with self._lock:
            self.sent += len(body)
            self.requests += 1
        return [body]


@contextmanager
def s3_service(folder, bucket):
    """Run a local S3 service with the files of a folder; yields its counter and its URL."""
    import boto3
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_):
            pass

    counter = Counter(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, counter, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=url, **keys)
    client.create_bucket(Bucket=bucket)
    for path in filter(Path.is_file, folder.rglob("*")):
        key = path.relative_to(folder).as_posix()
        client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ACL="public-read")
    try:
        yield counter, url
    finally:
        server.shutdown()


def count_bytes(folder, shape):
    """Read rows over a network and print bytes sent over bytes needed."""
    place = folder / "ds004192" / OPENNEURO.format(s="01")
    place.mkdir(parents=True)
    names = ("voxel-wise-responses.h5", "voxel-metadata.tsv", "stimulus-metadata.tsv")
    files = [place / f"sub-01_task-things_{name}" for name in names]
    write_subject(*files, shape, np.zeros(shape[0], dtype=bool))
    count = max(2, round(shape[0] * V1 / VOXELS))
    os.environ["NO_PROXY"] = "127.0.0.1"
    with s3_service(folder, "openneuro.org") as (counter, url), h5py.File(files[0], "r") as file:
        form = RemoteRows(place, "s3://openneuro.org/ds004192", parallel=4, endpoint=url)
        for run in (1, 4, 16):
            rows = rows_of_roi(np.random.default_rng(2), shape[0], count, run)
            counter.sent = counter.requests = 0
            read = form.responses("01", rows)
            expected = file["ResponseData/block0_values"][rows].astype(np.float32)
            assert (read == expected).all(), "the network gave other numbers"
            needed = len(rows) * shape[1] * 8
            print(
                f"{len(rows)} rows in runs of {run}: {needed / 1e6:.2f} MB needed,"
                f" {counter.sent / 1e6:.2f} MB sent in {counter.requests} requests,"
                f" {counter.sent / needed:.3f} times",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="where to write; emptied after")
    parser.add_argument("--voxels", type=int, default=40_000, help="of the large subject; 0: skip")
    parser.add_argument("--remote-voxels", type=int, default=4_000, help="of the other; 0: skip")
    parser.add_argument("--trials", type=int, default=9_840)
    parser.add_argument("--rows", type=int, default=V1, help="of the large subject's ROI")
    parser.add_argument("--measure", choices=READERS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure, asked.folder)
        sys.exit()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=asked.folder) as made:
        if asked.voxels:
            compare_readers(Path(made), (asked.voxels, asked.trials), asked.rows)
        if asked.remote_voxels:
            remote = Path(made) / "remote"
            remote.mkdir()
            count_bytes(remote, (asked.remote_voxels, asked.trials))
