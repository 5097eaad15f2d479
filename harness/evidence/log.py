"""The log of everything observed: ``events.jsonl``, one line per event, only ever appended to.

Rules:

1. A line is handed to the operating system before :meth:`EventLog.write` returns, so a killed process loses
   nothing. A loss of power can cost the last moments: lines are made durable soon after, many at a time, and
   for certain at every :meth:`EventLog.checkpoint`.
2. Bytes are stored first, then the event that speaks of them is written; they become durable in this order, too.
3. The writer of a log that was cut off goes on behind its last complete line, with the next number.
4. Files that somebody removes or moves away are written anew from what is held open, and ``removed`` says so.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from harness.errors import BundleFault, ConfigurationFault, HarnessFault, Where
from harness.evidence.append import append, force, put_back
from harness.evidence.clock import Clock, stamp
from harness.evidence.model import Event
from harness.evidence.store import Store
from harness.host import lock

if TYPE_CHECKING:
    from datetime import datetime
    from io import FileIO
    from pathlib import Path

FILE = "events.jsonl"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)
_KEYS = ("seq", "kind", "at", "mono", "case", "step")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep every other process from writing into this folder, for as long as the block lasts.

    Parameters:
        folder: where ``events.jsonl`` is; both are made when they are not there.

    Raises:
        ConfigurationFault: another process is at it, or the folder cannot be written to.
    """
    with _open(folder / FILE) as file:
        if not lock(file.fileno()):
            raise ConfigurationFault(
                "another c2c is at work in this folder",
                where=Where(folder.parent),
                remedy="Wait until it has ended, or stop it with Ctrl-C.",
            )
        yield


class EventLog:
    """Writes events; may be used from several threads. The bytes that they speak of go to its ``store``.

    ``removed`` becomes true when somebody took the files away, which were then written anew.

    Parameters:
        folder: where ``events.jsonl`` and the store are; made when it is not there.
        clock: stamps events that bring no time of their own.
        pause: seconds between two rounds of making lines durable.

    Raises:
        ConfigurationFault: the folder cannot be written to.
        BundleFault: the log that is there is damaged before its last line.
    """

    def __init__(self, folder: Path, clock: Clock, *, pause: float = 0.2) -> None:
        self._clock, self._pause = clock, pause
        self._path = folder / FILE
        self._file = _open(self._path)
        self._seq = _cut_off_rest(self._file, self._path)
        self.store, self.removed = Store(folder), False
        self._failure: HarnessFault | None = None
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._dirty, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep_durable, name="evidence", daemon=True)
        self._thread.start()

    def write(
        self,
        kind: str,
        case: str | None = None,
        step: str | None = None,
        at: datetime | None = None,
        mono: int | None = None,
        **data: Any,
    ) -> Event:
        """Append one event.

        Parameters:
            kind: see :mod:`harness.evidence.model`.
            case, step: what it belongs to.
            at, mono: the clocks at the socket; read now when left out.
            data: the rest, JSON values only.

        Raises:
            HarnessFault: the line could not be written, such as on a full disk; the log ends with the line before. Or
                earlier lines did not reach the disk.
        """
        if self._failure is not None:
            raise self._failure
        with self._lock:
            event = Event(
                self._seq,
                kind,
                stamp(self._clock.now() if at is None else at),
                self._clock.mono() if mono is None else mono,
                case,
                step,
                data,
            )
            append(self._file, _to_line(event))
            self._seq += 1
        if not self._dirty.is_set():  # setting it wakes the other thread, and costs more than the line
            self._dirty.set()
        return event

    def checkpoint(self) -> None:
        """Return when everything written so far has reached the disk, and the bytes that it speaks of.

        Raises:
            HarnessFault: it does not get there.
        """
        with self._sync_lock:
            self._dirty.clear()
            self._put_back()
            self.store.make_durable()
            force(self._file)

    def close(self) -> None:
        """Make everything durable and close the file; more than once does no harm."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._dirty.set()
        self._thread.join()
        try:
            self.checkpoint()
        finally:
            self._file.close()
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep_durable(self) -> None:
        while not self._closing.is_set():
            self._dirty.wait()
            if not self._closing.wait(self._pause):
                try:
                    self.checkpoint()
                except HarnessFault as fault:  # told to whoever writes the next line
                    self._failure = fault
                    return
                except Exception as error:  # the run must not go on as if this thread were there
                    self._failure = HarnessFault(f"the evidence is no longer made durable: {error!r}")
                    return

    def _put_back(self) -> None:
        with self._lock:
            anew = put_back(self._file, self._path)
            self._file = anew or self._file
        self.removed = self.store.put_back() or anew is not None or self.removed


class Events(Iterator[Event]):
    """The events of a log, read one line at a time.

    Parameters:
        path: the log, or the folder that it is in.
        slim: see :func:`keep_events`.
        exact: see :func:`read_events`.

    After the last event, ``cut_off`` is the rest of a line that a crash left behind, or ``None``.
    """

    def __init__(self, path: Path, *, slim: bool = False, exact: bool = False) -> None:
        self.cut_off: bytes | None = None
        self._slim, self._exact = slim, exact
        self._path = path / FILE if path.is_dir() else path
        self._lines = self._read()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        return next(self._lines)

    def _read(self) -> Iterator[Event]:
        try:
            file = self._path.open("rb")
        except OSError as error:
            raise BundleFault(f"the log cannot be read: {error.strerror}", where=Where(self._path)) from error
        with file:
            for number, line in enumerate(file):
                if not line.endswith(b"\n"):
                    self.cut_off = line
                    return
                event = _from_line(line, number, self._path)
                if self._exact and _to_line(event) != line:
                    raise _damaged("is not written the way this tool writes it", number, self._path)
                yield _slimmed(event, line) if self._slim else event


def read_events(path: Path, *, exact: bool = False) -> Events:
    """Read a log lazily. A last line cut off by a crash is left out and kept in ``cut_off``.

    Parameters:
        path: the log, or the folder that it is in.
        exact: refuse also a line that another program wrote, in which a name may stand twice.

    Raises:
        BundleFault: while reading: any other line that is not the event that must stand there.
    """
    return Events(path, exact=exact)


def keep_events(path: Path) -> tuple[Event, ...]:
    """Read a whole log, to be held while it is judged: the data of an event are read from its line when needed.

    This takes a third of the memory of the events with all their data.

    Parameters, raises: as for :func:`read_events`.
    """
    return tuple(Events(path, slim=True))


class _Data(Mapping[str, Any]):
    """The data of an event, kept as the line in which they stand."""

    __slots__ = ("_line",)

    def __init__(self, line: bytes) -> None:
        self._line = line

    def __getitem__(self, name: str) -> Any:
        return _data_in(self._line)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_data_in(self._line))

    def __len__(self) -> int:
        return len(_data_in(self._line))


@lru_cache(maxsize=1024)  # the events of the case that is looked at
def _data_in(line: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line)["data"]
    return found


def _slimmed(event: Event, line: bytes) -> Event:
    case, step = (None if each is None else sys.intern(each) for each in (event.case, event.step))
    return Event(event.seq, sys.intern(event.kind), event.at, event.mono, case, step, _Data(line))


def _to_line(event: Event) -> bytes:
    return _ENCODER.encode(event._asdict()).encode("utf-8", "surrogatepass") + b"\n"


def _from_line(line: bytes, number: int, path: Path) -> Event:
    try:
        content = json.loads(line)
        data = content.pop("data")
        event = Event(**{key: content.pop(key) for key in _KEYS}, data=data)
        sound = (
            not content
            and event.seq == number
            and isinstance(event.kind, str)
            and isinstance(event.at, str)
            and isinstance(event.mono, int)
            and isinstance(data, dict)
        )
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise _damaged("is not the event that must stand here", number, path)
    return event


def _damaged(what: str, number: int, path: Path) -> BundleFault:
    return BundleFault(
        f"the log is damaged: this line {what}",
        where=Where(path, number + 1),
        expected=f"event number {number}",
        remedy="Take the bundle from its source again.",
    )


def _open(path: Path) -> FileIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+b", buffering=0)
    except OSError as error:
        raise ConfigurationFault(
            f"the evidence cannot be written: {error.strerror}",
            where=Where(path),
            remedy="Choose another output folder, or make this one writable.",
        ) from error


def _cut_off_rest(file: FileIO, path: Path) -> int:
    """Remove the rest of a line that a crash left behind; return the number of the next event."""
    events = read_events(path)
    count = sum(1 for _ in events)
    if events.cut_off is not None:
        file.truncate(path.stat().st_size - len(events.cut_off))
    return count
