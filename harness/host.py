"""The one place that knows the operating system: permissions, durability, console.

Everything else is written against :mod:`pathlib` and :mod:`asyncio` and runs alike on Linux, macOS and Windows.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS = sys.platform == "win32"
_AWAKE_OR_NOT: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def make_private(path: Path) -> None:
    """Let only the owner read and write a file or folder. On Windows the profile folder's rights are inherited."""
    if not WINDOWS:
        path.chmod(stat.S_IRWXU if path.is_dir() else stat.S_IRUSR | stat.S_IWUSR)


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that nobody else could read at any moment.

    Raises:
        FileExistsError: the file is there already; keys are never overwritten.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def readable_by_others(path: Path) -> bool:
    """Whether group or world can read the file. Always false on Windows, where modes do not say it."""
    return not WINDOWS and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH))


def make_durable(descriptor: int) -> None:
    """Return when the bytes written to an open file have reached the disk."""
    os.fsync(descriptor)


def passing() -> int:
    """Nanoseconds from an arbitrary start that nobody can set, and that also pass while the computer sleeps."""
    return time.monotonic_ns() if _AWAKE_OR_NOT is None else time.clock_gettime_ns(_AWAKE_OR_NOT)
