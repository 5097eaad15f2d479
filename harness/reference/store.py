"""What a party keeps on disk: an SQLite file from which it goes on after any end, also that of its process.

Rules:

1. What was acknowledged is on disk: a party calls :meth:`Store.commit` before an answer leaves, and before it tells
   anybody that it does what it was told. Anything else is on disk at the next turn of the event loop; what is written
   in one turn is written together or not at all.
2. A table is used as a mapping. It is read once, at the start; every change is written through.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from harness.errors import ConfigurationFault, Where

K = TypeVar("K")
V = TypeVar("V")

MARK = 0xC2C
"""``application_id`` of our files, so that no other database is taken for one."""
KEPT = 10_000
"""Messages that are kept for people; older ones go."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, way TEXT, name TEXT, reference TEXT, ended TEXT, address TEXT,
  case_id TEXT, body BLOB
);
CREATE TABLE IF NOT EXISTS fault (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, name TEXT, facts TEXT);
"""


@dataclass(frozen=True)
class Note:
    """A message, for people.

    Parameters:
        at: when, RFC 3339.
        way: ``in`` or ``out``.
        name: of the message, or the first line of what was none.
        reference: its reference.
        ended: how an answer ended, or why there was none.
        address: path that a request went to.
        case: the test case that it belongs to.
        body: its bytes.
    """

    at: str
    way: str
    name: str
    reference: str
    ended: str
    address: str
    case: str
    body: bytes


class Store:
    """The file.

    Parameters:
        path: it is made when it is not there.

    Raises:
        ConfigurationFault: it cannot be opened, is not one of ours, or another party uses it.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._connection = _connected(path)
        except sqlite3.Error as problem:
            raise ConfigurationFault(
                f"the state cannot be kept: {problem}",
                where=Where(path),
                expected="a file that is not there yet, or one of an earlier `c2c serve` that has ended",
            ) from None
        self._path, self._open = path, False

    def belong_to(self, owner: str) -> None:
        """Make a new file that of a party, and refuse one that is another party's.

        Raises:
            ConfigurationFault: it is; the file is closed.
        """
        known = self.table("owner").setdefault("party", owner)
        if known != owner:
            self.close()
            raise ConfigurationFault(
                f"this is the state of another party: {known}",
                where=Where(self._path),
                expected=f"a file that is not there yet, or one of {owner}",
                remedy="Name another file with --state.",
            )
        self.commit()

    def table(
        self,
        kind: str,
        key: Callable[[Any], Any] = lambda each: each,
        dump: Callable[[Any], Any] = lambda value: value,
        load: Callable[[Any], Any] = lambda value: value,
    ) -> MutableMapping[Any, Any]:
        """A mapping whose content is on disk.

        Parameters:
            kind: name of the table.
            key: makes a key from its JSON; lists are tuples already.
            dump, load: a value to JSON values, and back.
        """
        return _Table(self, kind, key, dump, load)

    def next_start(self) -> int:
        """How often the file was opened, this time included."""
        starts = self.table("start")
        starts["count"] = int(starts.get("count", 0)) + 1
        self.commit()
        return int(starts["count"])

    def rows(self, kind: str) -> list[tuple[str, str]]:
        """Keys and values of a table, as they are written."""
        return self._connection.execute("SELECT key, value FROM fact WHERE kind = ? ORDER BY key", (kind,)).fetchall()

    def put(self, kind: str, key: str, value: str) -> None:
        """Write one entry; it is on disk after :meth:`commit`."""
        self._begin()
        self._connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?, ?)", (kind, key, value))

    def drop(self, kind: str, key: str) -> None:
        """Remove one entry."""
        self._begin()
        self._connection.execute("DELETE FROM fact WHERE kind = ? AND key = ?", (kind, key))

    def note_message(self, note: Note) -> None:
        """Keep a message for people."""
        self._begin()
        self._connection.execute(
            "INSERT INTO message (at, way, name, reference, ended, address, case_id, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            astuple(note),
        )
        self._connection.execute("DELETE FROM message WHERE number <= (SELECT max(number) FROM message) - ?", (KEPT,))

    def note_fault(self, at: str, name: str, facts: str) -> None:
        """Keep an injected fault for people."""
        self._begin()
        self._connection.execute("INSERT INTO fault (at, name, facts) VALUES (?, ?, ?)", (at, name, facts))

    def messages(self, most: int = 200) -> list[dict[str, Any]]:
        """The last messages, the newest first, without their bodies."""
        return self._dicts("SELECT number, at, way, name, reference, ended, address, case_id FROM message", most)

    def faults(self, most: int = 200) -> list[dict[str, Any]]:
        """The last injected faults, the newest first."""
        return self._dicts("SELECT number, at, name, facts FROM fault", most)

    def body(self, number: int) -> bytes | None:
        """The bytes of a message."""
        row = self._connection.execute("SELECT body FROM message WHERE number = ?", (number,)).fetchone()
        return None if row is None else bytes(row[0])

    def commit(self) -> None:
        """Return when everything is on disk."""
        if self._open:
            self._connection.execute("COMMIT")
            self._open = False

    def close(self) -> None:
        """Write what is open, and let go of the file."""
        self.commit()
        self._connection.close()

    def _dicts(self, query: str, most: int) -> list[dict[str, Any]]:
        cursor = self._connection.execute(f"{query} ORDER BY number DESC LIMIT ?", (most,))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _begin(self) -> None:
        if not self._open:
            self._connection.execute("BEGIN")
            self._open = True
            with suppress(RuntimeError):  # nobody runs yet: whoever starts will commit
                asyncio.get_running_loop().call_soon(self.commit)


def _connected(path: Path) -> sqlite3.Connection:
    """A connection to one of our files, ready for use; no other process gets one meanwhile.

    Raises:
        sqlite3.Error: it cannot be opened, is not one of ours, or another process uses it.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        mark = connection.execute("PRAGMA application_id").fetchone()[0]
        empty = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        if mark != MARK and not empty:
            raise sqlite3.DatabaseError("it is the file of another program")
        connection.execute(f"PRAGMA application_id = {MARK}")
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class _Table(MutableMapping[K, V], Generic[K, V]):
    """One kind of facts as a mapping, written through."""

    def __init__(
        self,
        store: Store,
        kind: str,
        key: Callable[[Any], K],
        dump: Callable[[V], Any],
        load: Callable[[Any], V],
    ) -> None:
        self._store, self._kind, self._dump = store, kind, dump
        self._facts: dict[K, V] = {
            key(_tuples(json.loads(text))): load(json.loads(value)) for text, value in store.rows(kind)
        }

    def __getitem__(self, key: K) -> V:
        return self._facts[key]

    def __setitem__(self, key: K, value: V) -> None:
        self._store.put(self._kind, json.dumps(key), json.dumps(self._dump(value)))
        self._facts[key] = value

    def __delitem__(self, key: K) -> None:
        del self._facts[key]
        self._store.drop(self._kind, json.dumps(key))

    def __iter__(self) -> Iterator[K]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


def _tuples(value: Any) -> Any:
    """JSON lists as tuples, at any depth: only those can be keys."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
