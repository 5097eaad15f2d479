"""Paths in the words of another pack: where an overlay has the places that its base speaks of.

A path is written in the words of the pack in whose folder it stands. An overlay with other schemas says once where each
place is (``paths:`` of a message), and every path that it inherits is moved there: of bindings, errors, code lists,
rules, refusals and scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import ConfigurationFault, Where
from harness.message.path import parse_path
from harness.pack.entry import Entry

OPEN = "?"
"""What stands in an overlay for a root or a place that nobody has found yet."""

Names = tuple[str, ...]
Moves = Mapping[Names, Names | None]
"""Place in the words of the base to the same place here; ``None`` where nobody has found it yet."""


@dataclass(frozen=True)
class Paths:
    """Where the places of the base are.

    Parameters:
        roots: the folders of the packs, nearest first.
        moves: message to what each of these packs moves, in the same order.
        unsettled: messages in which something is open: they are not played, so what was moved apart is left alone.
    """

    roots: tuple[Path, ...] = ()
    moves: Mapping[str, tuple[Moves, ...]] = field(default_factory=dict)
    unsettled: frozenset[str] = frozenset()

    def open(self, message: str) -> tuple[str, ...]:
        """The places of a message that nobody has found yet, in the words of the base."""
        tables = self.moves.get(message, ())
        return tuple("/".join(place) for table in tables for place, here in table.items() if here is None)

    def path(self, message: str, path: str, where: Where) -> str:
        """A path of a message as it is in the pack on top; one that nobody has found stays as it is.

        Parameters:
            message: the message in which it leads to a place.
            path: a path, or a pointer.
            where: where it is written, which says in whose words.

        Raises:
            ConfigurationFault: a list and what is in it were moved apart.
        """
        for table in reversed(self.moves.get(message, ())[: self._depth(where)]):
            if table and path != "/":
                path = self._settled(message, path, table, where)
        return path

    def below(self, message: str, start: str, path: str, where: Where) -> str:
        """A path that begins at another one.

        Raises:
            ConfigurationFault: it was moved to a place that is not below the other one.
        """
        whole, above = (self.path(message, each, where) for each in (f"{start}/{path}", start))
        if message in self.unsettled and not whole.startswith(f"{above}/"):
            return path
        if not whole.startswith(f"{above}/"):
            raise _apart(f"{start}/{path}", whole, start, above, where)
        return whole.removeprefix(f"{above}/")

    def _settled(self, message: str, path: str, table: Moves, where: Where) -> str:
        try:
            return _moved(path, table, where)
        except ConfigurationFault:
            if message in self.unsettled:
                return path
            raise

    def _depth(self, where: Where) -> int:
        """How many packs lie above the one in whose folder a file stands."""
        file = Path(where.file or "")
        inside = (depth for depth, root in enumerate(self.roots) if file.is_relative_to(root))
        return next(inside, 0)


def read_paths(table: Entry, roots: tuple[Path, ...]) -> Paths:
    """Read ``paths:`` of all messages.

    Raises:
        ConfigurationFault: something that is no path, or that counts.
    """
    moves: dict[str, tuple[Moves, ...]] = {}
    unsettled: set[str] = set()
    places = Paths(roots)
    for message, entry in table.table("messages"):
        tables: list[dict[Names, Names | None]] = [{} for _ in roots]
        for place, here in entry.table("paths"):
            tables[places._depth(here.where)][_names(place, here)] = (
                None if here.data == OPEN else _names(here.data, here)
            )
        if any(tables):
            moves[message] = tuple(tables)
        if entry.get("root") == OPEN or any(None in each.values() for each in tables):
            unsettled.add(message)
    return Paths(roots, moves, frozenset(unsettled))


def _names(path: str, entry: Entry) -> Names:
    steps = parse_path(path).steps
    if any(step.index is not None for step in steps):
        raise entry.fault(f"'{path}' counts", expected="a path without [*] and [1]: what repeats is known already")
    return tuple(map(str, steps))


def _moved(path: str, table: Moves, where: Where) -> str:
    steps = parse_path(path).steps
    names = tuple(str(replace(step, index=None)) for step in steps)
    here = list(found := _place(names, table))
    for number, step in enumerate(steps, 1):
        if step.index is not None:
            above = _place(names[:number], table)
            if not above or found[: len(above)] != above:
                raise _apart(path, "/".join(found), "/".join(names[:number]), "/".join(above), where)
            here[len(above) - 1] += f"[{step.index}]"
    return ("/" if path.startswith("/") else "") + "/".join(here)


def _place(names: Names, table: Moves) -> Names:
    """A place after the longest beginning that is moved."""
    for length in range(len(names), -1, -1):
        if names[:length] in table:
            here = table[names[:length]]
            return names if here is None else (*here, *names[length:])
    return names


def _apart(path: str, whole: str, start: str, above: str, where: Where) -> ConfigurationFault:
    return ConfigurationFault(
        f"'{path}' is moved to '{whole}', but '{start}', in which it stands, to '{above}'",
        where=where,
        expected=f"a place below '{above}'",
        remedy=f"Correct 'paths' of the message: say where '{start}' is, or give the binding itself.",
    )
