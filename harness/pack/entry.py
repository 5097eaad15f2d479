"""One entry of a file: its data, its place, and the references that it makes to other tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.errors import ConfigurationFault, Where, gathering, refuse
from harness.pack.names import pick
from harness.pack.source import Source, Steps

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A place in a file whose notation has been checked already.

    Parameters:
        source: the file.
        data: what stands at the place.
        steps: how one gets there from the top.
    """

    source: Source
    data: Any
    steps: Steps = ()

    @property
    def where(self) -> Where:
        """File, line and path, for a message."""
        return self.source.where(self.steps)

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def at(self, key: str | int) -> Entry:
        """What stands below a key or at a position of a list; it must be there."""
        return Entry(self.source, self.data[key], (*self.steps, key))

    def get(self, key: str, default: Any = None) -> Any:
        """Plain data below a key."""
        return self.data.get(key, default)

    def table(self, key: str) -> Iterator[tuple[str, Entry]]:
        """Names and entries of the table below a key; none where the key is left out."""
        for name in self.data.get(key, ()):
            yield name, Entry(self.source, self.data[key][name], (*self.steps, key, name))

    def list(self, key: str) -> Iterator[Entry]:
        """Entries of the list below a key; none where the key is left out."""
        for index, item in enumerate(self.data.get(key, ())):
            yield Entry(self.source, item, (*self.steps, key, index))

    def made(self, key: str, make: Callable[[str, Entry], T]) -> dict[str, T]:
        """What is made of each entry of the table below a key; the mistakes of all of them are told together.

        Raises:
            ConfigurationFault: an entry is wrong.
        """
        made: dict[str, T] = {}
        faults: list[ConfigurationFault] = []
        for name, entry in self.table(key):
            with gathering(faults):
                made[name] = make(name, entry)
        refuse(faults)
        return made

    def made_list(self, key: str, make: Callable[[Entry], T]) -> tuple[T, ...]:
        """The same for a list."""
        made: list[T] = []
        faults: list[ConfigurationFault] = []
        for entry in self.list(key):
            with gathering(faults):
                made.append(make(entry))
        refuse(faults)
        return tuple(made)

    def name(self, key: str, known: Collection[str], what: str) -> str:
        """The name below a key, which must be a known one.

        Raises:
            ConfigurationFault: it is not known.
        """
        entry = self.at(key)
        return pick(entry.data, known, what, entry.where)

    def optional(self, key: str, known: Collection[str], what: str) -> str | None:
        """The same for a key that may be left out."""
        return self.name(key, known, what) if key in self.data else None

    def names(self, key: str, known: Collection[str], what: str) -> tuple[str, ...]:
        """The list of names below a key, each of them known; empty where the key is left out."""
        return tuple(pick(entry.data, known, what, entry.where) for entry in self.list(key))

    def fault(self, what: str, expected: str | None = None, remedy: str | None = None) -> ConfigurationFault:
        """The fault that says what is wrong here."""
        return ConfigurationFault(what, where=self.where, expected=expected, remedy=remedy)
