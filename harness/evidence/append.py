"""Appending to a file, all or nothing, also when somebody takes the file away meanwhile."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from os import SEEK_END
from typing import TYPE_CHECKING

from harness.errors import HarnessFault, Where
from harness.host import make_durable

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path


def unwritten(what: str, path: Path | str, problem: OSError) -> HarnessFault:
    """The fault of evidence that the operating system did not take, such as on a full disk."""
    return HarnessFault(
        f"{what}: {problem.strerror}",
        where=Where(path),
        remedy="Make room; then `c2c judge` makes a bundle of what was recorded, and `c2c run --resume` goes on.",
    )


def append(file: FileIO, data: bytes) -> int:
    """Hand *data* over to the operating system, whole or not at all, and return where it begins.

    Raises:
        HarnessFault: it could not be written, such as on a full disk; the file ends where it ended before.
    """
    start = file.seek(0, SEEK_END)
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) or 0 :]
    except OSError as error:
        with suppress(OSError):
            file.truncate(start)
        raise unwritten("the evidence could not be written", str(file.name), error) from error
    return start


def force(file: FileIO) -> None:
    """Return when everything in a file has reached the disk.

    Raises:
        HarnessFault: it does not get there.
    """
    try:
        make_durable(file.fileno())
    except OSError as error:
        raise unwritten("the evidence does not reach the disk", str(file.name), error) from error


def put_back(file: FileIO, path: Path) -> FileIO | None:
    """Write a file that is held open anew, where it was removed or moved away; ``None`` where it still is.

    Parameters:
        file: open for reading and appending.
        path: where it must be.

    Returns:
        the new file, open like the old one, which is closed.

    Raises:
        HarnessFault: it cannot be written there.
    """
    try:
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        anew = path.open("x+b", buffering=0)
        file.seek(0)
        shutil.copyfileobj(file, anew)
    except OSError as error:
        raise unwritten("the evidence was removed, and could not be written anew", path, error) from error
    file.close()
    return anew
