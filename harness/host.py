"""The one place that knows the operating system: permissions, durability, console.

Everything else is written against :mod:`pathlib` and :mod:`asyncio` and runs alike on Linux, macOS and Windows.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import stat
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.errors import ConfigurationFault, Where

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS = sys.platform == "win32"
_ENOUGH = 4096
_REQUESTS_TO_END = ("SIGTERM", "SIGHUP", "SIGBREAK")
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


def demand_private(file: Path, what: str, instead: str = "") -> None:
    """Refuse a secret that other users can read.

    Parameters:
        file: that holds it.
        what: the word for it.
        instead: what else can be done, such as where the mode of the file cannot be changed.

    Raises:
        ConfigurationFault: they can; says how to mend it.
    """
    if readable_by_others(file):
        mend = f"Run `chmod 600 {shlex.quote(str(file))}`, and replace the {what} if others may have copied it."
        raise ConfigurationFault(
            f"other users of this computer can read the {what}",
            where=Where(file),
            expected="a file that only its owner can read",
            remedy=f"{mend} {instead}".strip(),
        )


def split_command(text: str) -> tuple[str, ...]:
    """A command line as its arguments; a backslash is part of a path on Windows, and an escape elsewhere."""
    if not WINDOWS:
        return tuple(shlex.split(text))
    return tuple(part.strip('"') for part in shlex.split(text, posix=False))


def end_as_by_ctrl_c() -> None:
    """Let every request to end this process raise :class:`KeyboardInterrupt`, as Ctrl-C does: it then ends in order.

    Whoever runs programs for others, or closes a terminal, sends one. What is ignored stays so (``nohup``).
    """
    for name in _REQUESTS_TO_END:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def refusal(problem: OSError) -> str | None:
    """Why a connection failed, in the words of the operating system, in place of which asyncio may put its own.

    Returns:
        each reason once; ``None`` after a time limit.
    """
    numbers = re.findall(r"\[Errno (\d+)\] Connect call failed", str(problem))
    if numbers:
        return ", ".join(dict.fromkeys(os.strerror(int(number)) for number in numbers))
    return problem.strerror or (None if isinstance(problem, TimeoutError) else str(problem) or None)


def lock(descriptor: int) -> bool:
    """Lock an open file against other processes until it is closed, also by the end of this one.

    Returns:
        false when another one has locked it. Reading and writing stay possible: only those who ask for it are kept out.
    """
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        handle = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
        high = 1 << 30  # of the offset, behind any content: Windows keeps others even from reading what is locked
        return bool(ctypes.windll.kernel32.LockFile(handle, 0, high, 1, 0))
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network folder without locks
        return True
    return True


def make_durable(descriptor: int) -> None:
    """Return when the bytes written to an open file have reached the disk."""
    os.fsync(descriptor)


def passing() -> int:
    """Nanoseconds from an arbitrary start that nobody can set, and that also pass while the computer sleeps."""
    return time.monotonic_ns() if _AWAKE_OR_NOT is None else time.clock_gettime_ns(_AWAKE_OR_NOT)


def handles() -> int | None:
    """How many files and connections this process may have open; its own limit is raised to a few thousand if it may.

    ``None`` where no limit is known.
    """
    if sys.platform == "win32":
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return None if soft == resource.RLIM_INFINITY else soft
