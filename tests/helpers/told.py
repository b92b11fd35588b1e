"""What a workflow tells a script of its job, where a test calls it by itself."""

from types import SimpleNamespace


def told(log, inputs=(), outputs=(), rule="figures", **params):
    """Give a job's log, files and params, with one thread."""
    files = [str(path) for path in outputs]
    return SimpleNamespace(
        rule=rule,
        log=[str(log)],
        threads=1,
        input=list(map(str, inputs)),
        output=files,
        params=params,
    )
