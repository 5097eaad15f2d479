"""The register on disk: SQLite by default, PostgreSQL by URL. Lines are only ever added.

What a certificate is worth today follows from its history and the time; see :func:`harness.admission.model.status_of`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.admission.model import Action, Certificate, Entry, Status, status_of
from harness.errors import ConfigurationFault, Where
from harness.evidence.clock import stamp

_TABLES = (
    "CREATE TABLE IF NOT EXISTS certificate (id TEXT PRIMARY KEY, content TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS history (number INTEGER PRIMARY KEY, certificate TEXT NOT NULL REFERENCES certificate,"
    " at TEXT NOT NULL, action TEXT NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS evidence (digest TEXT PRIMARY KEY, certificate TEXT NOT NULL REFERENCES certificate)",
)
_NEXT = "INSERT INTO history SELECT COALESCE(MAX(number), 0) + 1, ?, ?, ?, ?, ? FROM history"
_POSTGRESQL = ("postgresql", "postgres")


@dataclass(frozen=True)
class Head:
    """How much is in a register, and a digest of it.

    Parameters:
        lines: of all histories.
        digest: of them and of the certificates that they speak of, ``sha256:<hex>``.
    """

    lines: int
    digest: str


@dataclass(frozen=True)
class Register:
    """An open register.

    Parameters:
        name: of the file or database, for messages.
        connection: to it.
        mark: how its dialect marks a parameter.
    """

    name: str
    connection: Any
    mark: str = "?"

    def add(self, certificate: Certificate, entry: Entry) -> None:
        """Add a certificate with the first line of its history.

        Raises:
            ConfigurationFault: it is there already, or another one of the same evidence.
        """
        there = self.known(certificate.id, certificate.evidence, certificate.until)
        if there is not None:
            raise ConfigurationFault(
                f"certificate {there.id} of the same evidence is in the register already", where=Where(self.name)
            )
        content = json.dumps(certificate.to_json(), ensure_ascii=False, sort_keys=True)
        with self._transaction():
            self._run("INSERT INTO certificate VALUES (?, ?)", certificate.id, content)
            for digest in certificate.evidence:
                self._run("INSERT INTO evidence VALUES (?, ?)", digest, certificate.id)
            self._append(entry)

    def note(self, entry: Entry) -> None:
        """Add a line to the history of a certificate.

        Raises:
            ConfigurationFault: there is no such certificate, or the action does not follow from its history.
        """
        self.get(entry.certificate)
        history = [each.action for each in self.history(entry.certificate)]
        suspended = next((each for each in reversed(history) if each in ("suspended", "resumed")), "") == "suspended"
        wrong = {
            "revoked": False,
            "suspended": suspended,
            "resumed": not suspended,
            "admitted": True,
        }[entry.action]
        if "revoked" in history or wrong:
            raise ConfigurationFault(
                f"certificate {entry.certificate} cannot be {entry.action}: it was {history[-1]} last",
                where=Where(self.name),
                remedy="`c2c register history` shows what was done.",
            )
        with self._transaction():
            self._append(entry)

    def get(self, name: str) -> Certificate:
        """A certificate.

        Raises:
            ConfigurationFault: there is none of this id.
        """
        found = self.find(name)
        if found is None:
            raise ConfigurationFault(
                f"there is no certificate {name!r}", where=Where(self.name), remedy="`c2c register list` shows all."
            )
        return found

    def find(self, name: str) -> Certificate | None:
        """A certificate, or ``None``."""
        rows = self._run("SELECT content FROM certificate WHERE id = ?", name).fetchall()
        return self._kept(name, rows[0][0]) if rows else None

    def known(self, name: str, evidence: Sequence[str], until: str) -> Certificate | None:
        """The certificate that there is already of the same evidence, whatever its id.

        Parameters:
            name: id that a new one would have.
            evidence: by what its evidence is known again.
            until: when it would have expired in an older version of this tool, whose entries do not name their
                evidence, but which end at the same microsecond when they are of the same run.
        """
        same = [self.find(name)]
        for digest in evidence:
            rows = self._run("SELECT certificate FROM evidence WHERE digest = ?", digest).fetchall()
            same += [self.find(row[0]) for row in rows]
        same += [each for each in self.certificates() if not each.evidence and until and each.until == until]
        return next((each for each in same if each is not None), None)

    def certificates(self) -> list[Certificate]:
        """All, in the order in which they were admitted."""
        found = [self._kept(*row) for row in self._run("SELECT id, content FROM certificate").fetchall()]
        return sorted(found, key=lambda each: (each.issued, each.id))

    def history(self, name: str) -> Sequence[Entry]:
        """What was done with a certificate, oldest first.

        Raises:
            ConfigurationFault: lines were taken out.
        """
        count, last = self._run("SELECT COUNT(*), COALESCE(MAX(number), 0) FROM history").fetchone()
        query = "SELECT certificate, at, action, person, reason FROM history WHERE certificate = ? ORDER BY number"
        found = [Entry(*row) for row in self._run(query, name).fetchall()]
        if count != last or [each.action for each in found[:1]] != ["admitted"]:
            raise self._changed(f"lines of the history are missing; {count} of {last} are there")
        return found

    def head(self, lines: int | None = None) -> Head:
        """What the first lines of all histories come to, in the order in which they were added.

        Parameters:
            lines: how many; ``None`` means all. Fewer, where there are not so many.
        """
        query = (
            "SELECT history.number, history.certificate, at, action, person, reason, content FROM history"
            " JOIN certificate ON certificate.id = history.certificate ORDER BY number"
        )
        rows = self._run(query).fetchall()[:lines]
        text = "".join(json.dumps([*row], ensure_ascii=False) + "\n" for row in rows)
        return Head(len(rows), f"sha256:{hashlib.sha256(text.encode()).hexdigest()}")

    def must_continue(self, head: Head, since: str) -> None:
        """Whether everything is there, and unchanged, that was there when a status list was made.

        Parameters:
            head: what the list says.
            since: when it was made.

        Raises:
            ConfigurationFault: something was taken out or changed since then.
        """
        there = self.head(head.lines)
        if there.lines < head.lines:
            raise self._changed(f"it has {there.lines} lines, and had {head.lines} on {since}")
        if there != head:
            raise self._changed(f"its first {head.lines} lines are not those of {since}")

    def status(self, certificate: Certificate, at: Any) -> tuple[Status, Entry]:
        """What a certificate is worth at a time, and the last line of its history."""
        history = self.history(certificate.id)
        return status_of(certificate, history, at), history[-1]

    def _kept(self, name: str, content: str) -> Certificate:
        try:
            found = Certificate.from_json(json.loads(content))
            sound = found.id == name and datetime.fromisoformat(found.until).tzinfo is not None
        except (ValueError, TypeError):
            sound = False
        if not sound:
            raise self._changed(f"the entry {name} is not what this tool writes")
        return found

    def _changed(self, what: str) -> ConfigurationFault:
        return ConfigurationFault(
            f"somebody has changed this register: {what}",
            where=Where(self.name),
            expected="entries and lines that are only ever added",
            remedy="Restore a copy of it, and compare it with the last status list that was published.",
        )

    def _append(self, entry: Entry) -> None:
        self._run(_NEXT, entry.certificate, entry.at, entry.action, entry.person, entry.reason)

    def _run(self, statement: str, *values: str) -> Any:
        return self.connection.execute(statement.replace("?", self.mark), values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            yield
            self.connection.commit()
        except BaseException:
            self.connection.rollback()
            raise


@contextmanager
def open_register(name: str) -> Iterator[Register]:
    """Open a register, and make it where it is not there yet.

    Parameters:
        name: a file for SQLite, or ``postgresql://user@host/database``. A password does not belong into it: PostgreSQL
            reads one from its password file (PGPASSFILE).

    Raises:
        ConfigurationFault: it cannot be opened.
    """
    if urlsplit(name).scheme in _POSTGRESQL:
        yield from _postgresql(name)
    else:
        yield from _sqlite(name)


def _sqlite(name: str) -> Iterator[Register]:
    if "://" in name:
        raise ConfigurationFault(f"there is no such kind of register: {name[:80]}", expected="a file or postgresql://")
    try:
        connection = sqlite3.connect(Path(name), timeout=10)
        try:
            for table in _TABLES:
                connection.execute(table)
            yield Register(name, connection)
        finally:
            connection.close()
    except sqlite3.Error as problem:
        raise ConfigurationFault(
            f"the register cannot be used: {problem}", where=Where(name), remedy="Check the path and its rights."
        ) from None


def _postgresql(name: str) -> Iterator[Register]:
    if urlsplit(name).password is not None:
        raise ConfigurationFault(
            "a password does not belong into the address of the register",
            expected="postgresql://user@host/database",
            remedy="Put it into PostgreSQL's password file (PGPASSFILE), which only you can read.",
        )
    try:
        import psycopg
    except ImportError:
        raise ConfigurationFault(
            "a register in PostgreSQL needs a package that is not installed",
            remedy="Run: pip install 'c2c-harness[postgresql]'",
        ) from None
    try:
        with psycopg.connect(name, connect_timeout=10) as connection:
            for table in _TABLES:
                connection.execute(table.encode())
            connection.commit()
            yield Register(name, connection, "%s")
    except psycopg.Error as problem:
        raise ConfigurationFault(f"the register cannot be used: {problem}", where=Where(name)) from None


def entry(certificate: str, at: Any, action: Action, person: str, reason: str) -> Entry:
    """A line of a history, stamped."""
    return Entry(certificate, stamp(at), action, person, reason)
