"""Values that a party makes itself, and the bound values of every message that it builds."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import count

from harness.message.model import Value, Values
from harness.pack.checkdigit import with_check_digits
from harness.pack.model import Maker, Pack
from harness.reference.world import Facts, World

_LETTERS = string.ascii_uppercase


@dataclass
class Mint:
    """Numbers of one process: counters that start at a place which follows from the seed.

    Parameters:
        seed: unlike in every other process that talks to the same parties.
        pools: data pools, by name.
        now: the clock.
    """

    seed: str
    pools: Mapping[str, Sequence[str]]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _numbers: count[int] = field(default_factory=count)

    def reference(self) -> str:
        """A reference for a message, never the same twice."""
        return f"R{_digest(self.seed)[:8].upper()}{next(self._numbers):06d}"

    def pattern(self, text: str) -> str:
        """A value after a pattern: ``#`` a digit, ``@`` an upper-case letter, ``*`` a check digit; never twice."""
        number = int(_digest(self.seed), 16) + next(self._numbers)
        made = []
        for sign in reversed(text):
            if sign in "#@":
                number, place = divmod(number, 10 if sign == "#" else 26)
                sign = str(place) if sign == "#" else _LETTERS[place]
            made.append(sign)
        return with_check_digits("".join(reversed(made)))

    def pool(self, name: str) -> str | None:
        """The next entry of a pool, round and round; ``None`` when it is empty."""
        entries = self.pools.get(name, ())
        return entries[next(self._numbers) % len(entries)] if entries else None


def _digest(seed: str) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()


@dataclass(frozen=True)
class Occasion:
    """Why a message is built: all that its values can depend on.

    Parameters:
        sender, receiver, subject: party ids; the subject is the seat that the exchange is about.
        given: values that whoever asked for the message has set.
        request: values of the message that this one answers or follows from.
        known: what the sender knows of the movement.
        reply: the reference of the request that is answered.
        event: what happened, for a notification.
    """

    sender: str
    receiver: str
    subject: str
    given: Values = field(default_factory=dict)
    request: Values = field(default_factory=dict)
    known: Values = field(default_factory=dict)
    reply: Value = None
    event: str = ""


@dataclass
class Writer:
    """Finds the bound values of a message: given, heard, remembered or made.

    Parameters:
        pack: the profile.
        role: the role of the party that writes.
        mint: for new values.
        world: facts of every seat.
        own: values of movements that were made once and stay the same.
    """

    pack: Pack
    role: str
    mint: Mint
    world: World
    own: MutableMapping[tuple[str, str, tuple[Value, ...]], Value] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget what was made for movements; numbers go on and are never used again."""
        self.own.clear()

    def values(self, message: str, occasion: Occasion) -> dict[str, Value]:
        """The values to set; a name that is left out stays as in the golden sample."""
        found: dict[str, Value] = {}
        for name in self.pack.messages[message].bindings:
            rule = self.pack.values[name]
            mine = rule.owner in (self.role, occasion.sender)
            fresh = rule.owner == "sender" or (rule.scope == "message" and mine)
            if name in occasion.given:
                found[name] = occasion.given[name]
            elif fresh:
                self._make(found, name, occasion)
            elif name in occasion.request:
                found[name] = occasion.request[name]
            elif mine and rule.scope == "position":
                self._make_once(found, name, occasion)
            elif name in occasion.known:
                found[name] = occasion.known[name]
            elif mine:
                self._make_once(found, name, occasion)
            elif rule.scope == "position" and rule.make.kind == "fact":
                self._make(found, name, replace(occasion, subject=self._first(occasion.subject)))
        return found

    def _first(self, seat: str) -> str:
        """The first seat of a role: what belongs to no position yet is told of it."""
        role = self.pack.parties[seat].role
        positions = self.pack.roles[role].positions
        return f"{role}.{positions[0]}" if positions else seat

    def _make_once(self, found: dict[str, Value], name: str, occasion: Occasion) -> None:
        """A value of the movement: made the first time, the same ever after."""
        movement = tuple(occasion.known.get(each) for each in self._handles(occasion.known))
        slot = (name, occasion.subject if self.pack.values[name].scope == "position" else "", movement)
        if movement and slot in self.own:
            found[name] = self.own[slot]
            return
        self._make(found, name, occasion)
        if movement and name in found:
            self.own[slot] = found[name]

    def _handles(self, known: Values) -> list[str]:
        handles = {name for message in self.pack.messages.values() for name in message.correlate}
        return sorted(name for name in handles if isinstance(known.get(name), str))

    def _make(self, found: dict[str, Value], name: str, occasion: Occasion) -> None:
        make = self.pack.values[name].make
        made = self._made(make, occasion)
        if made is not None or make.kind == "reply" or not self._has_place(make, occasion):
            found[name] = made

    def _has_place(self, make: Maker, occasion: Occasion) -> bool:
        """Whether what is made for some receivers only is made for this one."""
        lists = self.pack.codelists
        return all(self._fact(fact, occasion) in lists[codelist].codes for fact, codelist in make.where.items())

    def _made(self, make: Maker, occasion: Occasion) -> Value:
        match make.kind:
            case "reference":
                return self.mint.reference()
            case "reply":
                return occasion.reply
            case "now":
                return self.mint.now().strftime(make.text)
            case "pattern":
                return self.mint.pattern(make.text)
            case "pool":
                return self.mint.pool(make.text)
            case "fixed":
                return make.text
            case "event":
                return occasion.event or None
            case "fact":
                return self._fact(make.text, occasion)
            case "facts":
                wanted, _, fact = make.text.rpartition(".")
                around = self._around(occasion).items()
                return [facts[fact] for party, facts in around if fnmatchcase(party, wanted) and fact in facts]
            case _:
                return None

    def _fact(self, text: str, occasion: Occasion) -> str | None:
        who, _, fact = text.rpartition(".")
        party = {"sender": occasion.sender, "receiver": occasion.receiver, "subject": occasion.subject}.get(who, who)
        return self._around(occasion).get(party, {}).get(fact)

    def _around(self, occasion: Occasion) -> Facts:
        return self.world.around(occasion.given, occasion.request, occasion.known)
