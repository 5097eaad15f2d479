"""Appending to a file, all or nothing."""

from __future__ import annotations

from contextlib import suppress
from os import SEEK_END
from typing import TYPE_CHECKING

from harness.errors import HarnessFault

if TYPE_CHECKING:
    from io import FileIO


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
        raise HarnessFault(f"the evidence could not be written: {error.strerror}") from error
    return start
