"""The bytes of everything that was sent and received, by their digest.

Rules:

1. Messages stand one behind the other in ``messages-0001.bin``, each with a line before it, ``sha256:<hex> <length>``,
   and a line end behind it. A file that has grown long is followed by the next one.
2. A file is only ever appended to, by the one process that began it. So a crash can leave a message half written at
   the end of a file and nowhere else: reading ends there.
3. Where a message stands is found by reading the lines before all of them. A run that goes on and on remembers only
   the latest, which are those that its judge asks for; of these it has the bytes at hand, if they are not long.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import BundleFault, Where
from harness.evidence.append import append, force, put_back, unwritten

if TYPE_CHECKING:
    from io import FileIO

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_LINE = re.compile(rb"(sha256:[0-9a-f]{64}) (0|[1-9][0-9]{0,11})\n")
_LONGEST_LINE = 100
_NAME = re.compile(r"messages-[0-9]{4,}\.bin", re.ASCII)
_FILE_SIZE = 64 * 1024 * 1024
_REMEMBERED = 4096
_AT_HAND, _LONG = 512, 64 * 1024


def digest_of(data: bytes) -> str:
    """The digest under which *data* is kept, ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def holds_messages(name: str) -> bool:
    """Whether a file of that name in the folder of the evidence belongs to the store."""
    return _NAME.fullmatch(name) is not None


class _Place(NamedTuple):
    """Where a message stands."""

    path: Path
    start: int
    length: int


class Store:
    """Keeps bytes, and gives them back by their digest; may be used from several threads.

    Parameters:
        folder: where the files are; it must be there before something is put.
        file_size: bytes after which the next file is begun.
        remembered: places that are kept in memory while a run goes on.
    """

    def __init__(self, folder: Path, *, file_size: int = _FILE_SIZE, remembered: int = _REMEMBERED) -> None:
        self._folder, self._file_size, self._remembered = folder, file_size, remembered
        self._places: OrderedDict[str, _Place] = OrderedDict()
        self._all_known = False
        self._at_hand: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._file: FileIO | None = None
        self._path = folder
        self._to_sync: list[FileIO] = []

    def put(self, data: bytes) -> str:
        """Hand *data* over to the operating system and return its digest.

        Raises:
            HarnessFault: it could not be written; nothing of it is kept.
        """
        digest = digest_of(data)
        with self._lock:
            if digest not in self._places:
                line = f"{digest} {len(data)}\n".encode()
                file = self._open_file()
                start = append(file, b"%b%b\n" % (line, data)) + len(line)
                self._places[digest] = _Place(self._path, start, len(data))
                if len(data) <= _LONG:
                    self._at_hand[digest] = data
                if len(self._at_hand) > _AT_HAND:
                    self._at_hand.popitem(last=False)
                if file not in self._to_sync:
                    self._to_sync.append(file)
                if len(self._places) > self._remembered and not self._all_known:
                    self._places.popitem(last=False)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes with that digest.

        Raises:
            BundleFault: it is no digest, nothing is kept under it, or the bytes have been changed.
        """
        at_hand = self._at_hand.get(digest)
        if at_hand is not None:
            return at_hand
        place = self._find(digest)
        data = self._read(place)
        if digest_of(data) != digest:
            raise BundleFault(
                "evidence was changed: the bytes do not have the digest that stands before them",
                where=Where(place.path),
                expected=digest,
                remedy="Take the bundle from its source again.",
            )
        return data

    def make_durable(self) -> None:
        """Return when everything put so far has reached the disk. From one thread at a time.

        Raises:
            HarnessFault: it does not get there.
        """
        with self._lock:
            files, self._to_sync = self._to_sync, []
        for file in files:
            force(file)
            with self._lock:  # what was put meanwhile is for the next time
                full = file is not self._file and file not in self._to_sync
            if full:
                file.close()

    def put_back(self) -> bool:
        """Write the file that is appended to anew, where somebody removed or moved it; tells whether that was so.

        From the thread that makes it durable.

        Raises:
            HarnessFault: it cannot be written.
        """
        with self._lock:
            old, anew = self._file, put_back(self._file, self._path) if self._file is not None else None
            if anew is not None:
                self._file = anew
                self._to_sync = [anew if each is old else each for each in self._to_sync]
        return anew is not None

    def close(self) -> None:
        """Make everything durable and close the file; more than once does no harm."""
        try:
            self.make_durable()
        finally:
            if self._file is not None:
                self._file.close()

    def _open_file(self) -> FileIO:
        """The file to append to."""
        if self._file is None or self._file.tell() >= self._file_size:
            try:
                number = 1 + max((int(path.stem.rpartition("-")[2]) for path in _files(self._folder)), default=0)
                self._path = self._folder / f"messages-{number:04}.bin"
                self._file = self._path.open("x+b", buffering=0)
            except OSError as error:
                raise unwritten("the evidence could not be written", self._path, error) from error
        return self._file

    def _read(self, place: _Place) -> bytes:
        try:
            with place.path.open("rb", buffering=0) as file:
                file.seek(place.start)
                return file.read(place.length)
        except OSError as error:
            with self._lock:
                if self._file is not None and place.path == self._path:  # it was taken away, and is still held open
                    self._file.seek(place.start)
                    return self._file.read(place.length)
            raise _unreadable(place.path, error) from error

    def _find(self, digest: str) -> _Place:
        if _DIGEST.fullmatch(digest) is None:
            raise BundleFault(f"{digest!r:.100} is not a digest", where=Where(self._folder), expected="sha256:<64 hex>")
        place = self._places.get(digest)
        if place is None and not self._all_known:
            with self._lock:
                self._places.update(_scan_all(self._folder))
                self._all_known = True
            place = self._places.get(digest)
        if place is None:
            raise BundleFault(
                "evidence is missing: no message has this digest",
                where=Where(self._folder),
                expected=digest,
                remedy="Take the bundle from its source again.",
            )
        return place


def bytes_beside(folder: Path, digests: Collection[str]) -> int:
    """How many bytes in the files of a store belong to no message that has one of the digests.

    Raises:
        BundleFault: a file cannot be read.
    """
    of_them = sum(
        len(f"{digest} {place.length}\n") + place.length + 1 for digest, place in _scan_all(folder) if digest in digests
    )
    return sum(path.stat().st_size for path in _files(folder)) - of_them


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if holds_messages(path.name))


def _scan_all(folder: Path) -> Iterator[tuple[str, _Place]]:
    try:
        for path in _files(folder):
            yield from _scan(path)
    except OSError as error:
        raise _unreadable(Path(error.filename or folder), error) from error


def _scan(path: Path) -> Iterator[tuple[str, _Place]]:
    """Where each message of a file stands, up to the first one that is not whole."""
    with path.open("rb") as file:
        end = path.stat().st_size
        while match := _LINE.fullmatch(file.readline(_LONGEST_LINE)):
            start, length = file.tell(), int(match[2])
            if start + length >= end:
                return
            file.seek(start + length)
            if file.read(1) != b"\n":
                return
            yield match[1].decode(), _Place(path, start, length)


def _unreadable(path: Path, error: OSError) -> BundleFault:
    return BundleFault(
        f"evidence cannot be read: {error.strerror}",
        where=Where(path),
        remedy="Take the bundle from its source again.",
    )
