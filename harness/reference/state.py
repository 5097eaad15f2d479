"""What one party has on record: objects and their states, references it has seen, values it has heard.

The life-cycle table is read here once more, on purpose: the harness's own oracle says what *should* be answered,
this says what an implementation would answer, and no line is shared, so that one mistake cannot hide in both.

A party knows only what was said to it or by it. A guard on an object of which it does not see every change is
applied only when it can know better: see :meth:`Book.sees`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field, replace

from harness.message.model import Value, Values
from harness.pack.model import Cell, Outcome, Pack, Unique
from harness.reference.hooks import Hooks

Key = tuple[str, ...]


@dataclass
class Entry:
    """One object on record: its state, and the message that created it."""

    state: str
    created: Values


@dataclass
class Book:
    """The records of one party.

    Parameters:
        pack: the profile.
        role: the role of the party; it decides what the party can know.
        hooks: its faults.
        entries: objects on record, by kind and key.
        references: those that were used, by who used them; the value says nothing.
        heard: values of movements, by every name and value by which a movement is found again.
        last: what was heard last of any movement.
    """

    pack: Pack
    role: str
    hooks: Hooks
    entries: MutableMapping[tuple[str, Key], Entry] = field(default_factory=dict)
    references: MutableMapping[tuple[str, str], bool] = field(default_factory=dict)
    heard: MutableMapping[tuple[str, str], dict[str, Value]] = field(default_factory=dict)
    last: dict[str, Value] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self.references.clear()
        self.heard.clear()

    def lose(self, what: str | None) -> None:
        """Forget references, objects or all, as a program does that keeps them nowhere and is started again."""
        if what in ("references", "all"):
            self.references.clear()
        if what in ("objects", "all"):
            self.entries.clear()

    def key(self, name: str, values: Values) -> Key:
        """The key of the object that these values speak of."""
        overlooked = self.hooks.key_without(object=name)
        return tuple(str(values.get(part)) for part in self.pack.objects[name].key if part != overlooked)

    def state(self, name: str, values: Values) -> str:
        """The state on record; the initial one when nothing is."""
        entry = self.entries.get((name, self.key(name, values)))
        return entry.state if entry else self.pack.objects[name].initial

    def report(self, name: str, values: Values) -> str | None:
        """The state as the control interface tells it; ``None`` for an object of which this party hears nothing."""
        if name not in self.pack.objects:
            return None
        known = (name, self.key(name, values)) in self.entries or any(self._ends(name))
        return self.hooks.state(self.state(name, values) if known else None, object=name)

    def sees(self, name: str, values: Values) -> bool:
        """Whether this party can judge the state of an object.

        It can when every change of such objects is told to it, or when it takes part in every change and has the
        object on record.
        """
        told = [self.role == receiver for _, receiver in self._changes(name)]
        takes_part = all(self._ends(name))
        return all(told) or (takes_part and (name, self.key(name, values)) in self.entries)

    def refusal(self, message: str, sender: str, values: Values) -> Outcome | None:
        """How the life-cycle table refuses a message now: duplicate, guards in order, then values."""
        rules = self.pack.rules_by_message.get(message)
        if rules is None:
            return None
        if rules.duplicate and self._is_seen(sender, values):
            refused = self.hooks.duplicate(rules.duplicate.refuse, message=message)
            if refused:
                return refused
        for guard in rules.guards:
            if self.sees(guard.object, values):
                state = self.state(guard.object, values)
                refused = self.hooks.guard(
                    _refuse(guard.cells.get(state)), message=message, object=guard.object, state=state
                )
                if refused:
                    return refused
        for listed in rules.listed:
            if self._is_unknown(listed.pool, values.get(listed.value)):
                refused = self.hooks.match(listed.cell.refuse, message=message, value=listed.value)
                if refused:
                    return refused
        for match in rules.matches:
            entry = self.entries.get((match.object, self.key(match.object, values)))
            if entry and match.value in entry.created and entry.created[match.value] != values.get(match.value):
                refused = self.hooks.match(match.cell.refuse, message=message, value=match.value)
                if refused:
                    return refused
        for unique in rules.unique:
            if self._is_taken(unique, values):
                refused = self.hooks.match(unique.cell.refuse, message=message, value=unique.value)
                if refused:
                    return refused
        return None

    def apply(self, message: str, values: Values) -> Callable[[], None]:
        """Record the effects of an accepted message; returns what takes them back."""
        rules = self.pack.rules_by_message.get(message)
        before: dict[tuple[str, Key], Entry | None] = {}
        effects = rules.effects if rules else {}
        for branch in rules.branches if rules else ():
            if values.get(branch.value) in branch.texts:
                effects = branch.effects
                break
        for name, planned in effects.items():
            state = self.hooks.effect(planned, message=message, object=name)
            if state is not None:
                place = (name, self.key(name, values))
                before[place] = old = self.entries.get(place)
                self.entries[place] = replace(old, state=state) if old else Entry(state, dict(values))

        def take_back() -> None:
            for place, entry in before.items():
                if entry is None:
                    self.entries.pop(place, None)
                else:
                    self.entries[place] = entry

        return take_back

    def legal(self, values: Values) -> frozenset[str]:
        """The messages that this party may send by the table, going by its own records alone."""
        return frozenset(
            name
            for name, rules in self.pack.rules_by_message.items()
            if self.pack.messages[name].sender == self.role
            and not any(
                _refuse(guard.cells.get(self.state(guard.object, values)))
                for guard in rules.guards
                if any(self._ends(guard.object))
            )
        )

    def next_message(self, message: str, before: frozenset[str], values: Values) -> str | None:
        """The message that a party would send next, once it believes that *message* was accepted.

        Of those that have become legal since *before*, the one that depends most on what *message* changed; but
        first those that change something themselves.
        """
        rules = self.pack.rules_by_message
        changed = rules[message].changes if message in rules else set()
        new = self.legal(values) - before
        return max(
            (name for name in rules if name in new),
            key=lambda name: (
                bool(rules[name].changes),
                len(changed & {guard.object for guard in rules[name].guards}),
            ),
            default=None,
        )

    def note_reference(self, sender: str, values: Values) -> None:
        """Remember that this sender has used this reference."""
        reference = self.reference(values)
        if reference is not None:
            self.references[sender, reference] = True

    def reference(self, values: Values) -> str | None:
        """The value that identifies the message itself."""
        return self._made_by("reference", values)

    def reply(self, values: Values) -> str | None:
        """The value by which an answer names the request."""
        return self._made_by("reply", values)

    def hear(self, message: str, values: Values) -> None:
        """Remember the values that belong to the movement, under every name by which it is found again."""
        known = {
            name: value
            for name, value in values.items()
            if value is not None and self.pack.values[name].scope == "movement"
        }
        for handle in self._handles(message, values):
            self.heard[handle] = {**self.heard.get(handle, {}), **known}
        self.last = {name: value for name, value in known.items() if name not in self.pack.messages[message].correlate}

    def recall(self, message: str, values: Values) -> dict[str, Value]:
        """What is known of the movement that these values speak of."""
        known: dict[str, Value] = {}
        for handle in self._handles(message, values):
            known.update(self.heard.get(handle, {}))
        return dict(self.hooks.memory(known, message=message, last=self.last))

    def _handles(self, message: str, values: Values) -> Iterator[tuple[str, str]]:
        for name in self.pack.messages[message].correlate:
            value = values.get(name)
            if isinstance(value, str):
                yield name, value

    def _made_by(self, kind: str, values: Values) -> str | None:
        for name, value in values.items():
            if self.pack.values[name].make.kind == kind and isinstance(value, str):
                return value
        return None

    def _is_unknown(self, pool: str, value: Value) -> bool:
        said = {value} if isinstance(value, str) else {each for each in value or () if isinstance(each, str)}
        return not said.isdisjoint(self.pack.pools[pool])

    def _is_taken(self, unique: Unique, values: Values) -> bool:
        names = (*unique.within, unique.value)
        return any(
            kind == unique.object and all(entry.created.get(name) == values.get(name) for name in names)
            for (kind, _), entry in self.entries.items()
        )

    def _is_seen(self, sender: str, values: Values) -> bool:
        return (sender, self.reference(values)) in self.references

    def _changes(self, name: str) -> Iterator[tuple[str, str]]:
        for message, rules in self.pack.rules_by_message.items():
            if name in rules.changes:
                yield self.pack.messages[message].sender, self.pack.messages[message].receiver

    def _ends(self, name: str) -> Iterator[bool]:
        return (self.role in ends for ends in self._changes(name))


def _refuse(cell: Cell | None) -> Outcome | None:
    return cell.refuse if cell else None
