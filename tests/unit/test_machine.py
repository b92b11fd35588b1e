"""What a machine may give to jobs, from planted system files; what is refused, in which words."""

import os

import pytest

from rulealign.errors import ConfigurationError
from rulealign.plan import cluster, machine
from rulealign.plan.machine import Request

MEMINFO = "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nSwapTotal: 99999999 kB\n"


def plant(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_jobs_share_nine_tenths_of_the_memory_without_swap(tmp_path):
    root = plant(tmp_path, proc__meminfo=MEMINFO)
    assert machine.whole_memory_mb(root) == 16384  # 16,000,000 x 1024 bytes
    assert machine.memory_mb(root) == 14745


@pytest.mark.parametrize(
    ("file", "limit", "expected"),
    [
        ("sys__fs__cgroup__memory_DOT_max", "4000000000\n", 4000),
        ("sys__fs__cgroup__memory_DOT_max", "max\n", 16384),
        ("sys__fs__cgroup__memory__memory_DOT_limit_in_bytes", "2000000000\n", 2000),
        # what version 1 writes where there is no limit
        ("sys__fs__cgroup__memory__memory_DOT_limit_in_bytes", "9223372036854771712\n", 16384),
    ],
)
def test_a_container_has_the_memory_that_it_may_use(tmp_path, file, limit, expected):
    root = plant(tmp_path, proc__meminfo=MEMINFO, **{file: limit})
    assert machine.whole_memory_mb(root) == expected


def test_this_machine_has_no_more_than_its_pages():
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6
    assert 0 < machine.memory_mb() <= 0.9 * pages


def test_a_system_that_does_not_say_is_an_error_with_a_remedy(tmp_path):
    with pytest.raises(ConfigurationError, match="--resources mem_mb="):
        machine.memory_mb(tmp_path)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [(None, 2), ("0", 1), ("1,0", 2), ("", 0), ("-1", 0), ("0,1,2", 2)],
)
def test_gpus_are_counted_unless_hidden(tmp_path, visible, expected):
    for card in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / "proc/driver/nvidia/gpus" / card).mkdir(parents=True)
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert machine.gpus(tmp_path, environment) == expected


def test_without_a_driver_there_is_no_gpu(tmp_path):
    assert machine.gpus(tmp_path, {}) == 0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("alignment", 8001, 0), r"alignment.*8001 MB.*8000.*--set-resources alignment:mem"),
        (Request("train", 10, 2), r"device: cuda: rule train asks for 2 GPU.*1 here.*device: cpu"),
    ],
)
def test_what_is_beyond_the_limits_is_named(request_, message):
    fits = Request("stimuli", 8000, 1)
    limits = {"mem_mb": 8000, "gpu": 1}
    machine.refuse_requests([fits], limits)
    with pytest.raises(ConfigurationError, match=message):
        machine.refuse_requests([fits, request_], limits)


def test_what_is_not_limited_is_not_refused():
    machine.refuse_requests([Request("train", 10**9, 9)], {})


def test_a_limit_beyond_the_machine_is_refused():
    machine.refuse_limit(None, 4000)
    machine.refuse_limit(4000, 4000)
    with pytest.raises(ConfigurationError, match=r"mem_mb=4001.*\(4000 MB\)"):
        machine.refuse_limit(4001, 4000)


@pytest.fixture
def login_node(tmp_path, monkeypatch):
    """Give the environment of a login node, with all that the profile needs."""
    sbatch = tmp_path / "sbatch"
    sbatch.write_text("#!/bin/sh\n")
    sbatch.chmod(0o755)
    monkeypatch.setattr(cluster, "find_spec", lambda name: name)
    return {"PATH": str(tmp_path), "RULEALIGN_PARTITION": "short"}


def test_a_site_is_read_from_the_environment(login_node):
    assert cluster.site(login_node) == ("short", "short", None, "sacct")
    more = {"GPU_PARTITION": "gpu", "ACCOUNT": "us", "SLURM_STATUS": "squeue"}
    more = {f"RULEALIGN_{name}": value for name, value in more.items()}
    assert cluster.site(login_node | more) == ("short", "gpu", "us", "squeue")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"RULEALIGN_PARTITION": ""}, "no partition: export RULEALIGN_PARTITION"),
        ({"PATH": "/nowhere"}, "no sbatch here"),
        ({"RULEALIGN_SLURM_STATUS": "scontrol"}, "RULEALIGN_SLURM_STATUS=scontrol"),
    ],
)
def test_what_a_site_lacks_is_named(login_node, change, message):
    with pytest.raises(SystemExit, match=message):
        cluster.site(login_node | change)


def test_a_missing_plugin_is_named_with_its_installation(login_node, monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"plugin is not installed: pip install .*\[slurm\]"):
        cluster.site(login_node)


@pytest.mark.parametrize("cores", [2, 64, None])
def test_groups_must_not_ask_for_their_members_side_by_side(cores):
    cluster.refuse_cores(1)
    with pytest.raises(ConfigurationError, match=f"cores: {cores}.*--workflow-profile"):
        cluster.refuse_cores(cores)


def plant_sinfo(tmp_path, monkeypatch, lines, status=0):
    sinfo = tmp_path / "sinfo"
    sinfo.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}END\nexit {status}\n")
    sinfo.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


@pytest.mark.parametrize(
    ("lines", "memory", "cards"),
    [
        ("8000 (null)\n", 8000, 0),
        ("8000+ gpu:2\n64000 (null)\n", 64000, 2),
        ("8000 gpu:a100:4(S:0-1),shard:8\n4000 gpu:2\n", 8000, 4),
        ("8000 gpu:a100:4,gpu:t4:1\n", 8000, 5),
    ],
)
def test_the_largest_node_is_asked_for(tmp_path, monkeypatch, lines, memory, cards):
    plant_sinfo(tmp_path, monkeypatch, lines)
    assert cluster.largest_node("short") == {"mem_mb": memory, "gpu": cards}


@pytest.mark.parametrize(("lines", "status"), [("", 0), ("8000 (null)\n", 1)])
def test_an_unknown_partition_is_named(tmp_path, monkeypatch, lines, status):
    plant_sinfo(tmp_path, monkeypatch, lines, status)
    with pytest.raises(ConfigurationError, match=r"partition short: .*sinfo -s.*RULEALIGN_PART"):
        cluster.largest_node("short")
