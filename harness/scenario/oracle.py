"""The life-cycle table applied: what state everything is in, and how a message must be answered there.

Rules:

1. This file does not know who is the system under test, so that it cannot apply different rules to it.
2. It does not know what the values mean. Planning works with names for values ("the guarantee of the
   movement"), judging with the values themselves; both are texts here.
3. The first refusal in the order of the table is the expected one; the later ones are permitted, because a
   receiver may check in another order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.message.model import Value, Values
from harness.pack.model import Cell, Expectation, MessageRules, Outcome, Pack, Unique

Key = tuple[str, ...]


@dataclass(frozen=True)
class Ledger:
    """What is on record. Immutable.

    Parameters:
        states: state of each object that has left its initial state.
        first: for each such object, the values of the message that moved it there.
        seen: sender and reference of every accepted or refused message.
    """

    states: Mapping[tuple[str, Key], str] = field(default_factory=dict)
    first: Mapping[tuple[str, Key], Values] = field(default_factory=dict)
    seen: frozenset[tuple[str, str]] = frozenset()

    def state(self, pack: Pack, name: str, values: Values) -> str:
        """State of the object that *values* speak of."""
        return self.states.get((name, key_of(pack, name, values)), pack.objects[name].initial)

    def snapshot(self) -> frozenset[tuple[tuple[str, Key], str]]:
        """The states as something that can be compared and hashed."""
        return frozenset(self.states.items())


def key_of(pack: Pack, name: str, values: Values) -> Key:
    """The key of the object that *values* speak of."""
    return tuple([str(values.get(part)) for part in pack.objects[name].key])


def cells_at(ledger: Ledger, pack: Pack, message: str, values: Values, *, duplicate: bool = False) -> tuple[Cell, ...]:
    """Every cell of the table that has a say about this message now, in the order of the table.

    Parameters:
        ledger: what is on record.
        pack: the profile.
        message: the request.
        values: its bound values, or symbols for them.
        duplicate: whether the receiver has seen this very message before.
    """
    table = pack.rules_by_message.get(message)
    if table is None:
        return ()
    cells = [table.duplicate] if duplicate and table.duplicate is not None else []
    cells += [guard.cells[ledger.state(pack, guard.object, values)] for guard in table.guards]
    cells += [each.cell for each in table.listed if _in_pool(pack, each.pool, values.get(each.value))]
    for match in table.matches:
        recorded = ledger.first.get((match.object, key_of(pack, match.object, values)))
        if recorded is not None and match.value in recorded and not _same(recorded, values, match.value):
            cells.append(match.cell)
    cells += [each.cell for each in table.unique if _used(ledger, each, values)]
    return tuple(cells)


def refusals(ledger: Ledger, pack: Pack, message: str, values: Values) -> tuple[Cell, ...]:
    """The cells that refuse this message now; empty when it may proceed."""
    return tuple(cell for cell in cells_at(ledger, pack, message, values) if cell.refuse is not None)


def drawn_from(pool: str) -> str:
    """The symbol of a value that is taken from a pool."""
    return f"pool {pool}"


def _in_pool(pack: Pack, pool: str, value: Value) -> bool:
    entries = [value] if isinstance(value, str) else [each for each in value or () if isinstance(each, str)]
    return any(entry == drawn_from(pool) or entry in pack.pools[pool] for entry in entries)


def _used(ledger: Ledger, demand: Unique, values: Values) -> bool:
    """Whether an object on record, of those to compare with, was created with the same value."""
    return any(
        name == demand.object and all(_same(first, values, each) for each in (*demand.within, demand.value))
        for (name, _), first in ledger.first.items()
    )


def _same(one: Values, other: Values, name: str) -> bool:
    return one.get(name) == other.get(name)


def accept(ledger: Ledger, pack: Pack, message: str, values: Values) -> Ledger:
    """The ledger after this message was accepted."""
    table = pack.rules_by_message.get(message)
    if table is None:
        return ledger
    states, first = dict(ledger.states), dict(ledger.first)
    for name, state in effects_of(table, values).items():
        key = (name, key_of(pack, name, values))
        first.setdefault(key, dict(values))
        states[key] = state
    return Ledger(states, first, ledger.seen)


def effects_of(table: MessageRules, values: Values) -> Mapping[str, str]:
    """Object name to new state, when a message with these values is accepted."""
    taken = (branch.effects for branch in table.branches if values.get(branch.value) in branch.texts)
    return next(taken, table.effects)


def remember(ledger: Ledger, sender: str, reference: Value) -> Ledger:
    """The ledger after it saw a reference of that sender."""
    return Ledger(ledger.states, ledger.first, ledger.seen | {(sender, str(reference))})


def expectation(cells: tuple[Cell, ...]) -> Expectation:
    """How a message must be answered: accepted, or the first refusal. What any other cell allows is permitted."""
    first = next((cell for cell in cells if cell.refuse is not None), None)
    expected = (Outcome("accepted"),) if first is None or first.refuse is None else (first.refuse, *first.also)
    permitted = [outcome for cell in cells for outcome in (cell.refuse, *cell.permitted) if outcome is not None]
    return Expectation(expected, tuple(outcome for outcome in dict.fromkeys(permitted) if outcome not in expected))


def symbols(pack: Pack, message: str, subject: str | None, movement: str = "") -> dict[str, Value]:
    """Names in the place of values, for planning: one per movement, or per position where the scope says so."""
    mark = f" of {movement}" if movement else ""
    named: dict[str, Value] = {}
    for name in pack.messages[message].bindings:
        scope = pack.values[name].scope
        if scope == "movement":
            named[name] = f"{name}{mark}"
        elif scope == "position":
            named[name] = f"{name}@{subject}{mark}"
    return named
