"""Starting a pack from nothing: one message and its answer, small enough to be read in one look, and whole."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ConfigurationFault, Where
from harness.pack.names import id_of

_TEMPLATE = Path(__file__).resolve().parent.parent / "templates" / "pack"


def new_pack(folder: Path) -> tuple[Path, ...]:
    """Write a first pack into a folder.

    Returns:
        the files, in the order in which to read them.

    Raises:
        ConfigurationFault: the folder is not empty, or its name cannot be an id.
    """
    name = id_of(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationFault("the folder is not empty", where=Where(folder), remedy="Name a new folder.")
    written = []
    for source in sorted(_TEMPLATE.rglob("*.*")):
        file = folder / source.relative_to(_TEMPLATE)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source.read_text("utf-8").replace("NAME", name), "utf-8", newline="\n")
        written.append(file)
    return tuple(written)
