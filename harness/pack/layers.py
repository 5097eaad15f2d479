"""The folders of a pack: its own, and those of the packs that it extends.

An overlay inherits every entry of every table by its name, and every file by its path. An entry that it
has itself replaces the inherited one as a whole; only of a message it may replace single keys, and single bound names.
``null`` removes what is inherited. A list is one entry.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationFault, Where
from harness.pack.data import data_folder, known_packs
from harness.pack.names import pick
from harness.pack.source import Source, Steps, check_source, read_source

MOST = 8
"""An overlay of an overlay of ..., at most this deep."""

_WHOLE = 2
"""Mappings are merged so deep: the tables of a file, and the entries of a table."""

_DEEPER: dict[Steps, int] = {("messages", "messages"): 4}
"""File and table whose entries are merged as well: the keys of a message, and what ``bind`` or ``paths`` hold."""

TOLD = ("teeth.yaml",)
"""The file that tells what was shown with a pack, and is no part of what it tells about."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Layers:
    """Where the files of a pack are looked for, nearest first.

    Parameters:
        ids: the ids of the packs, its own first.
        roots: their folders.
        fixtures: the folders of their golden samples.
        journeys: the folders of the samples of other transports, by name. Those of a base count only where the packs
            above it name no samples of their own, which may have another form.
    """

    ids: tuple[str, ...]
    roots: tuple[Path, ...]
    fixtures: tuple[Path, ...]
    journeys: Mapping[str, Path] = field(default_factory=dict)

    @property
    def samples(self) -> tuple[Path, ...]:
        """All folders of golden samples."""
        return (*self.fixtures, *self.journeys.values())


@dataclass(frozen=True)
class Base:
    """A pack that another one overlays: which one, and the digest that it has by itself."""

    id: str
    version: str
    digest: str


def find_layers(folder: Path) -> Layers:
    """Follow ``extends`` from a pack to the pack at the bottom.

    Raises:
        ConfigurationFault: a pack that does not exist, extends itself, or names fixtures that do not exist.
    """
    ids: list[str] = []
    roots: list[Path] = []
    fixtures: list[Path] = []
    journeys: dict[str, Path] = {}
    while True:
        head = read_source(folder / "pack.yaml")
        data = head.data if isinstance(head.data, dict) else {}
        roots.append(folder)
        ids.append(str(data.get("id", folder.name)))
        if not fixtures:
            journeys = {**_journeys(folder, head, data.get("journeys")), **journeys}
        if isinstance(named := data.get("fixtures"), str):
            fixtures.append(_fixtures(folder, named, head.where(("fixtures",))))
        if not isinstance(base := data.get("extends"), str):
            return Layers(tuple(ids), tuple(roots), tuple(fixtures), journeys)
        folder = _base(folder, base, head.where(("extends",)))
        if folder.resolve() in {root.resolve() for root in roots} or len(roots) == MOST:
            raise ConfigurationFault(
                f"the pack '{base}' extends itself in the end",
                where=head.where(("extends",)),
                expected=f"at most {MOST} packs, each below the other",
                remedy="Remove 'extends' in one of them.",
            )


def _journeys(folder: Path, head: Source, journeys: object) -> dict[str, Path]:
    table = journeys if isinstance(journeys, dict) else {}
    named = {name: entry.get("fixtures") for name, entry in table.items() if isinstance(entry, dict)}
    return {
        name: _fixtures(folder, samples, head.where(("journeys", name, "fixtures")))
        for name, samples in named.items()
        if isinstance(samples, str)
    }


def _base(folder: Path, name: str, where: Where) -> Path:
    """The pack of this name beside the overlay, or among those of the harness; never a path."""
    if _NAME.fullmatch(name) and (folder.parent / name / "pack.yaml").is_file():
        return folder.parent / name
    return data_folder("suites") / pick(name, known_packs(), "pack", where)


def _fixtures(folder: Path, named: str, where: Where) -> Path:
    """A folder inside the pack (``./golden``), or below the ``fixtures`` that lies beside ``suites``."""
    if named.startswith("./"):
        candidates = [folder]
    else:
        candidates = [folder.resolve().parent.parent / "fixtures", data_folder("fixtures")]
    for candidate in candidates:
        if (candidate / named).is_dir() and (candidate / named).resolve().is_relative_to(candidate.resolve()):
            return candidate / named
    raise ConfigurationFault(
        f"there is no folder '{named}' with golden samples",
        where=where,
        expected="a folder below one of " + ", ".join(map(str, candidates)),
        remedy="Correct the name, or make the folder.",
    )


def find_file(folders: tuple[Path, ...], name: str, where: Where) -> Path:
    """The nearest file of this name; it must lie inside its folder.

    Parameters:
        folders: where to look, nearest first.
        name: relative path with slashes.
        where: the place that names the file, for the message.

    Raises:
        ConfigurationFault: there is none.
    """
    for folder in folders:
        file = folder / name
        if file.is_file() and file.resolve().is_relative_to(folder.resolve()):
            return file
    raise ConfigurationFault(
        f"there is no file '{name}'",
        where=where,
        expected="a file below " + " or ".join(str(folder) for folder in folders),
        remedy="Correct the name, or add the file.",
    )


def find_files(roots: tuple[Path, ...], pattern: str) -> dict[str, Path]:
    """Every file that a pattern reaches, the nearest of each relative path, sorted by that path.

    A file of an overlay that says only ``null`` removes the inherited one.
    """
    found: dict[str, Path] = {}
    for root in reversed(roots):
        found |= {file.relative_to(root).as_posix(): file for file in root.glob(pattern)}
    return {name: file for name, file in sorted(found.items()) if len(roots) == 1 or not _says_null(file)}


def _says_null(file: Path) -> bool:
    return file.stat().st_size < 16 and file.read_bytes().strip() == b"null"


def read_table(roots: tuple[Path, ...], name: str, *, required: bool = True) -> Source:
    """Read ``<name>.yaml`` of a pack, overlays applied, and check it against the schema of that name.

    Raises:
        ConfigurationFault: it is not there although required, or not right.
    """
    files = [root / f"{name}.yaml" for root in reversed(roots)]
    present = [file for file in files if file.is_file()]
    if not present:
        if not required:
            return Source(files[-1], {})
        raise ConfigurationFault(
            f"the pack has no {name}.yaml", where=Where(files[-1]), remedy=f"Write it; 'c2c schema {name}' helps."
        )
    source = read_source(present[0])
    for file in present[1:]:
        source = _overlay(source, read_source(file))
    check_source(source, name)
    return source


def _overlay(base: Source, top: Source) -> Source:
    if not (isinstance(base.data, dict) and isinstance(top.data, dict)):
        return top
    replaced: set[Steps] = set()
    data = _merged(base.data, top.data, (base.path.stem,), replaced)
    kept = {
        steps: where
        for steps, where in base.places.items()
        if not any(steps[:length] in replaced for length in range(1, len(steps) + 1))
    }
    return Source(top.path, data, {**kept, **top.places})


def _merged(base: dict[str, Any], top: dict[str, Any], steps: Steps, replaced: set[Steps]) -> dict[str, Any]:
    """What is inherited with what stands on top of it; *steps* begin with the name of the file."""
    data = dict(base)
    for key, entry in top.items():
        below = (*steps, key)
        if len(steps) < _DEEPER.get(below[:2], _WHOLE) and isinstance(entry, dict) and isinstance(data.get(key), dict):
            data[key] = _merged(data[key], entry, below, replaced)
        else:
            replaced.add(below[1:])
            data[key] = entry
    return {key: entry for key, entry in data.items() if entry is not None}


def find_bases(layers: Layers) -> tuple[Base, ...]:
    """The packs below the one on top, nearest first."""
    return tuple(map(_by_itself, layers.roots[1:]))


def find_installed(name: str) -> Base | None:
    """The pack of this id that comes with the harness, ``None`` where there is none."""
    return _by_itself(data_folder("suites") / name) if name in known_packs() else None


def _by_itself(root: Path) -> Base:
    own = find_layers(root)
    head = read_table(own.roots, "pack").data
    return Base(str(head.get("id")), str(head.get("version")), digest(own))


def digest(layers: Layers) -> str:
    """SHA-256 over the names and bytes of all files of a pack, wherever it lies, as ``sha256:<hex>``.

    Hidden files and ``__pycache__`` do not count, nor does ``teeth.yaml``, which names this digest.
    """
    total = hashlib.sha256()
    for kind, folders in (("pack", layers.roots), ("fixtures", layers.fixtures)):
        for depth, folder in enumerate(folders):
            for name, file in _files(folder):
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                total.update(f"{kind}/{depth}/{name}\0{content}\n".encode())
    for journey, folder in sorted(layers.journeys.items()):
        for name, file in _files(folder):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"journeys/{journey}/{name}\0{content}\n".encode())
    return f"sha256:{total.hexdigest()}"


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*"), key=lambda each: each.relative_to(folder).as_posix()):
        parts = file.relative_to(folder).parts
        if parts == TOLD or not file.is_file():
            continue
        if not any(part.startswith(".") or part == "__pycache__" for part in parts):
            yield "/".join(parts), file
