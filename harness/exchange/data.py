"""The data of one case: every number, reference and fact that simulated parties put into messages.

All of it follows from the seed and the serial number of the case. Numbers after a pattern come from a one-to-one
numbering of everything that the pattern can say, in an order that the seed decides: two serial numbers never give the
same number, and a pattern that is used up is told.
"""

from __future__ import annotations

import hashlib
import math
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import NamedTuple

from harness.message.model import Value
from harness.pack.checkdigit import with_check_digits
from harness.pack.model import Pack, Party, ValueRule
from harness.scenario.model import MOVEMENTS, Case, Exchange, FromPool, FromSaved, FromSeats
from harness.scenario.plan import mark_of
from harness.scenario.project import exchanges

_ALPHABETS = {"#": string.digits, "@": string.ascii_uppercase}

Place = tuple[str, str | None, str]
"""Bound name, position (``None`` for a value of the whole movement) and movement."""

Draw = Callable[[str, str, int], str]
"""Takes an entry of a pool, given its name, the bound name that it is for, and the serial number of the case."""


class NoDataError(Exception):
    """A pool or the numbers of a pattern are used up: the case cannot be played. Its text is one sentence."""


class Occasion(NamedTuple):
    """For what one value is made.

    Parameters:
        sender, receiver: party ids of the message.
        subject: the position that it is about.
        now: the time to write.
        reference: the reference of the message.
        event: what happened.
        reply: the reference of the request that is answered.
        movement: the movement that it belongs to.
    """

    sender: str
    receiver: str
    subject: str | None
    now: datetime
    reference: str = ""
    event: str = ""
    reply: str | None = None
    movement: str = ""


@dataclass(frozen=True)
class Data:
    """What the values of one case are made from.

    Parameters:
        pack, case: the profile and the case.
        seed: of the run.
        serial: number of this attempt, never used twice against one SUT.
        token: goes into every reference.
        values: values of the movements that are made, by name, position and movement.
        drawn: values that steps take from pools, by step and name.
    """

    pack: Pack
    case: Case
    seed: int
    serial: int
    token: str
    values: Mapping[Place, Value] = field(default_factory=dict)
    drawn: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def made(self, name: str, subject: str | None, movement: str = "") -> Value:
        """A value of the movement or of a position, ``None`` where the golden sample has the say."""
        return self.values.get((name, subject if self.pack.values[name].scope == "position" else None, movement))

    def given(self, step: Exchange, name: str, saved: Mapping[str, Value]) -> Value:
        """A value that the step sets; one from a pool is the only entry where the binding is a list.

        Parameters:
            step, name: the step and the bound name.
            saved: what earlier steps saved.
        """
        value = step.values[name]
        if isinstance(value, FromSaved):
            return saved[value.name]
        if isinstance(value, FromSeats):
            fact = self.pack.values[name].make.text.rpartition(".")[2]
            return [self.case.parties[seat].facts[fact] for seat in value.seats]
        if not isinstance(value, FromPool):
            return value
        drawn = self.drawn[step.id, name]
        return [drawn] if "[*]" in self.pack.messages[step.message].bindings[name].path else drawn

    def reference(self, step: str, part: str) -> str:
        """The reference of a message: the mark of the run, then what makes it unique: serial, step and part."""
        return f"{mark_of(self.token)}-{self.serial}-{self._numbers[step]}{part[0].upper()}"

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {step.id: number for number, step in enumerate(exchanges(self.case.steps), 1)}

    @cached_property
    def movements(self) -> tuple[str, ...]:
        """The movements of the case, in the order of the script."""
        return tuple(dict.fromkeys(step.movement for step in exchanges(self.case.steps)))

    def to_json(self) -> dict[str, Value]:
        """What simulated parties will set, for the evidence: by name, position and movement."""
        return {
            name + (f"@{position}" if position else "") + (f" of {movement}" if movement else ""): value
            for (name, position, movement), value in self.values.items()
        }


def make_data(pack: Pack, case: Case, *, seed: int, serial: int, token: str, now: datetime, draw: Draw) -> Data:
    """Make the data of a case.

    Raises:
        NoDataError: a pool or a pattern is used up.
    """
    values: dict[Place, Value] = {}
    drawn: dict[tuple[str, str], str] = {}
    data = Data(pack, case, seed, serial, token, values, drawn)
    for step in exchanges(case.steps):
        then = now + step.clocks.get(step.sender, timedelta())
        occasion = Occasion(step.sender, step.receiver, step.subject, then, movement=step.movement)
        for rule in _lasting(pack, step.message):
            key = (rule.name, step.subject if rule.scope == "position" else None, step.movement)
            if key in values:
                continue
            if rule.make.kind == "pool":
                if _simulated(case, rule):
                    values[key] = draw(rule.make.text, rule.name, serial)
            else:
                made = make(data, rule, occasion)
                if made is not None:
                    values[key] = made
    for step in exchanges(case.steps):
        for name, given in step.values.items():
            if isinstance(given, FromPool):
                drawn[step.id, name] = draw(given.pool, name, serial)
    return data


def make(data: Data, rule: ValueRule, occasion: Occasion) -> Value:
    """Make one value; ``None`` where it stays as in the golden sample."""
    text = rule.make.text
    match rule.make.kind:
        case "reference":
            return occasion.reference
        case "reply":
            return occasion.reply
        case "now":
            return occasion.now.astimezone(UTC).strftime(text)
        case "pattern":
            slot, slots = _slot(data, rule, occasion)
            return number_after(text, f"{data.seed}/{rule.name}", data.serial * slots + slot)
        case "fact":
            return _fact(data, text, occasion)
        case "facts":
            return _facts(data, text) or None
        case "fixed":
            return text
        case "event":
            return occasion.event or None
        case _:
            return None


def has_place(data: Data, rule: ValueRule, occasion: Occasion) -> bool:
    """Whether a value may stand in this message: what is made ``where`` has no place elsewhere."""
    return all(
        _fact(data, fact, occasion) in data.pack.codelists[codelist].codes for fact, codelist in rule.make.where.items()
    )


def number_after(pattern: str, salt: str, number: int) -> str:
    """The text that a number stands for: another one for each number from 0 on.

    Parameters:
        pattern: ``#`` is a digit, ``@`` an upper-case letter, ``*`` a check digit, everything else itself.
        salt: decides the order.
        number: which one.

    Raises:
        NoDataError: the pattern has no so many texts.
    """
    capacity, alphabets = _possible(pattern)
    if number >= capacity:
        raise NoDataError(f"All {capacity} numbers of the form {pattern} are used up.")
    factor, shift = _order(salt, capacity)
    rest = (number * factor + shift) % capacity
    made = ""
    for alphabet in alphabets:
        rest, place = divmod(rest, len(alphabet))
        made = alphabet[place] + made
    return with_check_digits(made)


@lru_cache(maxsize=256)
def _possible(pattern: str) -> tuple[int, tuple[str, ...]]:
    """How many texts a pattern can say, and what may stand at each of its places, the last one first."""
    alphabets = tuple(_ALPHABETS.get(sign, sign) for sign in reversed(pattern))
    return math.prod(map(len, alphabets)), alphabets


@lru_cache(maxsize=256)
def _order(salt: str, capacity: int) -> tuple[int, int]:
    """Factor and shift of a permutation ``x -> factor * x + shift`` of the numbers below *capacity*."""
    digest = hashlib.sha256(salt.encode()).digest()
    factor = int.from_bytes(digest[:16], "big") % capacity or 1
    while math.gcd(factor, capacity) != 1:
        factor += 1
    return factor, int.from_bytes(digest[16:], "big") % capacity


@lru_cache(maxsize=256)
def _lasting(pack: Pack, request: str) -> tuple[ValueRule, ...]:
    """The values of a request and its answer that are more than those of one message."""
    answer = pack.messages[request].answer
    names = (*pack.messages[request].bindings, *(pack.messages[answer].bindings if answer else ()))
    rules = (pack.values[name] for name in dict.fromkeys(names))
    return tuple(rule for rule in rules if rule.scope != "message")


def _simulated(case: Case, rule: ValueRule) -> bool:
    """Whether a simulated party may set this value."""
    others = (party for name, party in case.parties.items() if name != case.sut)
    return any(rule.owner == "sender" or rule.owned_by(party) for party in others)


def _slot(data: Data, rule: ValueRule, occasion: Occasion) -> tuple[int, int]:
    """Which of the numbers of a case this is, and how many a case may need."""
    if rule.scope != "message":
        movement = data.movements.index(occasion.movement)
        if rule.scope == "movement":
            return movement, MOVEMENTS
        positions = _positions(data.pack)
        return movement * len(positions) + positions.index(occasion.subject), MOVEMENTS * len(positions)
    mark = occasion.reference.rpartition("-")[2]
    return 2 * int(mark[:-1] or 0) + mark.endswith("A"), 1000


@lru_cache(maxsize=64)
def _positions(pack: Pack) -> tuple[str | None, ...]:
    """All positions of a pack, and that of whoever has none."""
    return tuple(dict.fromkeys((None, *(party.position for party in pack.parties.values()))))


def _fact(data: Data, text: str, occasion: Occasion) -> str | None:
    who, _, fact = text.rpartition(".")
    parties = data.case.parties
    if who == "subject":
        party = next((party for party in parties.values() if party.position == occasion.subject), None)
    else:
        party = parties.get({"sender": occasion.sender, "receiver": occasion.receiver}.get(who, who))
    party = party or data.pack.parties.get(who)
    return party.facts.get(fact) if party is not None else None


def _facts(data: Data, text: str) -> list[str]:
    """The fact of all parties that take part; of all seats of the pack, where none of them does."""
    wanted, _, fact = text.rpartition(".")

    def of(seats: Mapping[str, Party]) -> list[str]:
        return [party.facts[fact] for name, party in seats.items() if fnmatchcase(name, wanted) and fact in party.facts]

    return of(data.case.parties) or of(data.pack.parties)
