"""Fingerprints of the code that a job runs: an edited module reruns the jobs that reach it.

A job reaches its script, every rulealign module that the script imports, at once or later, and of
each registry (a module whose `REGISTRY` maps names to modules that are imported by name) the
entries that it was asked for. Modules that make no number (`messages.WORDS_ONLY`) do not count
themselves, nor do comments, docstrings and the texts of messages in any module. What a job is told
(`is_told`) does not count, nor what is reached through it alone: settings are in the job's params,
and the names of its files are its inputs and outputs. Versions of other packages are recorded by
`rerun.study_folder.versions`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from rulealign.errors import ConfigurationError
from rulealign.provenance import fingerprint
from rulealign.rerun.messages import WORDS_ONLY
from rulealign.rerun.noted import keep_note
from rulealign.rerun.parsed_sources import ParsedSources, Said

LIBRARY = Path(__file__).parent.parent

REGISTRIES = {
    "networks": "rulealign.learning.networks",
    "rules": "rulealign.learning.rules",
    "controls": "rulealign.controls",
    "comparisons": "rulealign.rsa.comparisons",
    "distances": "rulealign.rsa.distances",
    "measures": "rulealign.claims.measures",
    "training_sets": "rulealign.data.training_sets",
    "stimulus_sets": "rulealign.data.stimulus_sets",
    "brains": "rulealign.data.brains",
    "forms": "rulealign.data.responses.forms",
}
"""What a job chooses from by name -> the module with the registry."""

FILES = {
    "rulealign.report.page": "report/templates",
    "rulealign.report.cost_page": "report/templates",
}
"""Module -> the folder of the library with the files that it reads."""


_TOLD = tuple(f"rulealign.{name}." for name in ("settings", "plan.settings", "plan.files"))


def is_told(module: str) -> bool:
    """Say whether a module holds but what jobs are told: classes of settings, names of files."""
    return f"{module}.".startswith(_TOLD)


def _counts(module: str) -> bool:
    return module not in WORDS_ONLY and not is_told(module)


class Module:
    """One source file.

    Args:
        said: what it says.
        files: other files that the module reads.
    """

    def __init__(self, said: Said, files: Iterable[Path] = ()) -> None:
        self.imports, self.entries = said.imports, said.entries
        digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        self.hash = fingerprint([said.hash, *digests]) if digests else said.hash


class Sources:
    """The library's modules, each read once.

    Args:
        scripts: the folder of the rules' scripts.
        library: the folder of the package rulealign.
        remember: where to note what each fingerprint stands for, for `explain`, and what files say;
            None: nowhere.
    """

    def __init__(
        self, scripts: Path, library: Path = LIBRARY, remember: Path | None = None
    ) -> None:
        self._scripts, self._library, self._remember = scripts, library, remember
        self._parsed = ParsedSources(remember)
        self._modules: dict[str, Module | None] = {}
        self._codes: dict[object, str] = {}

    def code(self, script: str, **chosen: Sequence[str]) -> str:
        """Give the fingerprint of the code of one job.

        Args:
            script: the script's name, without folder and ".py".
            chosen: registry (a key of `REGISTRIES`) -> the entries that the job uses; all of a
                registry that is not given.

        Returns:
            16 hexadecimal digits.

        Raises:
            ConfigurationError: there is no such script, registry or entry.
        """
        key = (script, *((name, *names) for name, names in sorted(chosen.items())))
        if key not in self._codes:
            modules = self.modules(script, **chosen)
            self._codes[key] = fingerprint(modules)
            if self._remember:
                keep_note(self._remember, self._codes[key], modules)
        return self._codes[key]

    def modules(self, script: str, **chosen: Sequence[str]) -> dict[str, str]:
        """List the code of one job.

        Args:
            script: as in `code`.
            chosen: as in `code`.

        Returns:
            Name of the script, or of a module -> 16 hexadecimal digits of what it says. An entry
            of a registry has the name of its registry and its own, and is the module's name.

        Raises:
            ConfigurationError: as in `code`.
        """
        first = self._module(f"scripts/{script}.py")
        if first is None:
            raise ConfigurationError(f"{self._scripts / script}.py: there is no such script.")
        reached = self._reach(first.imports)
        entries: dict[str, str] = {}
        waiting = [*chosen, *(name for name in REGISTRIES if name not in chosen)]
        # an entry of one registry may choose from another one
        while found := [name for name in waiting if REGISTRIES.get(name) in reached]:
            for name in found:
                waiting.remove(name)
                entries |= self._entries(name, chosen.get(name))
            reached |= self._reach(target.partition(":")[0] for target in entries.values())
        unused = [name for name in waiting if chosen.get(name)]
        if unused:
            raise ConfigurationError(f"scripts/{script}.py uses no registry of {unused[0]}.")
        return {f"scripts/{script}.py": first.hash, **reached, **entries}

    def versions(self) -> dict[str, str]:
        """List all code that counts: every script and every module -> 16 hexadecimal digits."""
        found = {name: module.hash for name in self._names if (module := self._module(name))}
        self._parsed.keep()
        return {name: value for name, value in found.items() if _counts(name)}

    @cached_property
    def _names(self) -> list[str]:
        scripts = [f"scripts/{path.name}" for path in self._scripts.glob("*.py")]
        modules = [
            ".".join(path.relative_to(self._library.parent).with_suffix("").parts)
            for path in self._library.rglob("*.py")
        ]
        return sorted(scripts) + sorted(name.removesuffix(".__init__") for name in modules)

    def _entries(self, registry: str, names: Sequence[str] | None) -> Mapping[str, str]:
        found = self._module(REGISTRIES[registry])
        known = found.entries if found else {}
        unknown = [name for name in names or [] if name not in known]
        if unknown:
            raise ConfigurationError(f"{REGISTRIES[registry]} has no entry {unknown}.")
        return {f"{registry}: {name}": known[name] for name in (known if names is None else names)}

    def _reach(self, names: Iterable[str]) -> dict[str, str]:
        todo, reached = list(names), {}
        while todo:
            name = todo.pop()
            module = self._module(name)
            if module is None or name in reached or is_told(name):
                continue
            reached[name] = module.hash
            # importing a.b runs a's __init__ first
            todo += [*module.imports, *filter(None, [name.rpartition(".")[0]])]
        return {name: value for name, value in reached.items() if _counts(name)}

    def _module(self, name: str) -> Module | None:
        if name not in self._modules:
            path = self._path(name)
            files = sorted(self._read_by(name))
            self._modules[name] = Module(self._parsed.read(path), files) if path else None
        return self._modules[name]

    def _path(self, name: str) -> Path | None:
        if name.startswith("scripts/"):
            path = self._scripts / name.removeprefix("scripts/")
            return path if path.is_file() else None
        if name.partition(".")[0] != self._library.name:
            return None  # another package
        stem = self._library.parent.joinpath(*name.split("."))
        candidates = (stem / "__init__.py", stem.with_name(f"{stem.name}.py"))
        return next((path for path in candidates if path.is_file()), None)

    def _read_by(self, name: str) -> Iterator[Path]:
        if name in FILES:
            yield from (p for p in (self._library / FILES[name]).rglob("*") if p.is_file())
