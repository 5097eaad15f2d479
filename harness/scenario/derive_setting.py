"""What derived cases have in common: the way to a message, what shows that nothing was recorded, and who bears it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar
from zlib import crc32

from harness.errors import Where
from harness.pack.model import Expectation, Outcome, Pack, Reaction
from harness.scenario.model import Bearer, Exchange, Probe, Quiet, Scenario, Step
from harness.scenario.oracle import Ledger, accept, cells_at, expectation, refusals, symbols
from harness.scenario.project import owers, targets
from harness.scenario.route import Route, legal, related, routes

Chosen = TypeVar("Chosen")

REACTION = "reaction"
"""Name of the pack's timer for how long a party is watched that must not go on."""


@dataclass(frozen=True)
class Setting:
    """Where a right message stands in a conversation.

    Parameters:
        before: the steps after which it is due.
        step: the exchange of the message.
        after: steps that go well only if a wrong message in its place left nothing behind.
        owed: the reaction by which the seat receives it, or sends it, where the table does not say so.
        inside: where it is passed on, the exchange before whose answer that happens, as it ends when no answer to what
            was passed on can be believed.
        mark: what ids of cases of its answer end with; empty but where an earlier setting has the same answer.
    """

    before: Route
    step: Exchange
    after: Route
    owed: Reaction | None = None
    inside: Exchange | None = None
    mark: str = ""


@lru_cache(maxsize=64)
def received_by(pack: Pack, seat: str) -> tuple[Setting, ...]:
    """The settings of every message that a seat receives by the table, or that is owed to it, in the pack's order."""
    return tuple(
        setting
        for message in pack.messages.values()
        if not message.replies and (setting := _received(pack, message.name, seat)) is not None
    )


def _received(pack: Pack, message: str, seat: str) -> Setting | None:
    """How a message comes to a seat; what stands in no table comes because it is owed, if anybody owes it."""
    ways = (_sent_to, _owed_to) if message in pack.rules_by_message else (_owed_to, _sent_to)
    return next((found for way in ways if (found := way(pack, message, seat)) is not None), None)


@lru_cache(maxsize=64)
def sent_by(pack: Pack, seat: str) -> tuple[Setting, ...]:
    """The settings of every message that a seat sends and that is answered."""
    found = []
    for message in pack.messages.values():
        if message.answers is None and message.answer is not None:
            for subject in subjects_of(pack, seat):
                step = legal(pack, message.name, subject)
                route = _way_to(pack, step) if step.sender == seat else None
                if route is not None:
                    found.append(Setting(route[1], step, (), mark=f"-{message.name}"))
                    break
    return tuple(_told_apart(pack, (*found, *_passed_on(pack, seat))))


def _told_apart(pack: Pack, settings: Iterable[Setting]) -> Iterator[Setting]:
    """The settings, of which the first with an answer has no mark."""
    answers = set()
    for setting in settings:
        answer = pack.messages[setting.step.message].answer
        yield setting if answer in answers else replace(setting, mark="")
        answers.add(answer)


def _passed_on(pack: Pack, seat: str) -> Iterator[Setting]:
    """The settings of what a seat passes on before it answers, where the pack says what it does without an answer."""
    for reaction in pack.reactions:
        if reaction.unanswered is None:
            continue
        for subject in _positions(pack):
            outer = legal(pack, reaction.on, subject)
            ends = targets(reaction, outer, tuple(pack.parties), seat) if seat in owers(reaction, outer, pack) else []
            route = _way_to(pack, outer) if ends else None
            if route is not None:
                name = f"{outer.id}/{reaction.id}>{ends[0]}"
                inner = Exchange(name, reaction.send, seat, ends[0], outer.subject)
                ended = replace(outer, expectation=reaction.unanswered)
                yield Setting(route[1], inner, (), reaction, ended, f"-{reaction.id}")
                break


def told_wrongly(pack: Pack, setting: Setting, defect: str) -> tuple[Step, ...]:
    """The exchange of a setting with a broken answer, and what shows that its sender did not go on."""
    step = replace(setting.step, answer_defect=defect)
    if setting.inside is None:
        return step, *watch(pack, step)
    outer = replace(setting.inside, during=(step,))
    return outer, *_records(pack, outer, step.sender, accepted=False)


def told_otherwise(pack: Pack, setting: Setting, variation: str) -> tuple[Step, ...]:
    """The exchange of a setting with an answer in another legal way, and what shows that its sender went on."""
    step = replace(setting.step, answer_variation=variation)
    if setting.inside is None:
        return step, *going_on(pack, step)
    outer = replace(setting.inside, during=(step,), expectation=Expectation())
    return outer, *_records(pack, outer, step.sender, accepted=True)


def shows(pack: Pack, setting: Setting) -> bool:
    """Whether it would be seen that the sender of a setting goes on, or does not."""
    return setting.inside is not None or any(watch(pack, setting.step))


def said_of(pack: Pack, setting: Setting) -> tuple[str, str]:
    """What titles and purposes say: the answer of a setting, and the message that it answers."""
    message = pack.messages[setting.step.message]
    answer = pack.messages[message.answer or ""]
    passed = ("", "") if setting.inside is None else (" to the forwarded message", "the forwarded ")
    return f"The answer {answer.name} ({answer.title}){passed[0]}", f"{passed[1]}{message.name}"


def subjects_of(pack: Pack, seat: str) -> tuple[str | None, ...]:
    """The positions that a message of this seat may be about: its own, else each, the usual one first."""
    own = pack.parties[seat].position
    return (own,) if own else _positions(pack)


def watch(pack: Pack, step: Exchange, refused: Outcome | None = None) -> Iterator[Step]:
    """What shows that the sender did not go on: it stays quiet, and its own records say so.

    Parameters:
        pack: the profile.
        step: the exchange after which it must not go on.
        refused: how it was refused; a refusal that may also mean "it is so already" says nothing about the records.
    """
    table = pack.rules_by_message.get(step.message)
    if table is None:
        return
    for other in pack.rules_by_message:
        follow = legal(pack, other, step.subject)
        owed = any((each.on, each.after, each.send) == (step.message, "refused", other) for each in pack.reactions)
        theirs = REACTION in pack.timers and other != step.message and follow.sender == step.sender and not owed
        if theirs and _unlocked(pack, step.message, other, step.subject):
            yield Quiet(f"quiet-{other}", step.sender, other, REACTION)
    already = {
        (guard.object, state)
        for guard in table.guards
        for state, each in guard.cells.items()
        if refused is not None and each.refuse == refused
    }
    for probe in _records(pack, step, step.sender, accepted=False):
        if (probe.object, table.effects[probe.object]) not in already:
            yield probe


def going_on(pack: Pack, step: Exchange) -> tuple[Step, ...]:
    """What shows that the sender took the acceptance of its message for one.

    Its own records say so, and it sends the next message that became legal by it, where there is one.
    """
    probes = tuple(_records(pack, step, step.sender, accepted=True))
    for other in pack.rules_by_message:
        follow = legal(pack, other, step.subject)
        theirs = other != step.message and follow.sender == step.sender
        if theirs and _unlocked(pack, step.message, other, step.subject):
            return (*probes, replace(follow, id=f"{other}.next"))
    return probes


def _records(pack: Pack, step: Exchange, party: str, *, accepted: bool) -> Iterator[Probe]:
    """What shows in the records of a party whether the message of an exchange was accepted."""
    table = pack.rules_by_message.get(step.message)
    for name, state in table.effects.items() if table is not None else ():
        others = tuple(each for each in pack.objects[name].states if each != state)
        yield Probe(f"probe-{name}", name, party, (state,) if accepted else others, step.subject)


def one_for(name: str, settings: Sequence[Chosen]) -> Sequence[Chosen]:
    """One setting, or other thing to choose from, always the same for the same name."""
    return [settings[crc32(name.encode()) % len(settings)]] if settings else ()


def names(given: Iterable[str | None]) -> tuple[str, ...]:
    """Those that are there, each once."""
    return tuple(dict.fromkeys(name for name in given if name))


def bearers_of(
    pack: Pack, step: Exchange, receiver: tuple[tuple[str, ...], str], sender: tuple[tuple[str, ...], str]
) -> dict[str, Bearer]:
    """What the receiver and the sender of the message prove, by seat."""
    return {
        party: Bearer(pack.parties[party].role, purpose, requirements)
        for party, (requirements, purpose) in ((step.receiver, receiver), (step.sender, sender))
        if requirements
    }


def make_scenario(
    pack: Pack,
    name: str,
    title: str,
    group: str,
    bearers: dict[str, Bearer],
    steps: tuple[Step, ...],
    why: str,
    where: Where,
) -> Scenario:
    """A derived scenario with all parties; its effect is that of its first requirement."""
    effects = [pack.requirements[each].effect for bearer in bearers.values() for each in bearer.requirements]
    return Scenario(
        id=name,
        version=1,
        title=title,
        effect=effects[0] if effects else "",
        group=group,
        bearers=bearers,
        steps=steps,
        parties=tuple(pack.parties),
        where=where,
        derived_from=why,
    )


def _sent_to(pack: Pack, message: str, seat: str) -> Setting | None:
    """A message that the table sends to this seat."""
    for subject in subjects_of(pack, seat):
        step = legal(pack, message, subject)
        found = _way_to(pack, step) if step.receiver == seat else None
        if found is not None:
            ledger, route = found
            cells = cells_at(ledger, pack, message, symbols(pack, message, step.subject))
            return Setting(route, step, (replace(step, expectation=expectation(cells)),))
    return None


def _owed_to(pack: Pack, message: str, seat: str) -> Setting | None:
    """A message that somebody owes this seat when something has happened; the wrong one comes just before that."""
    for reaction in pack.reactions:
        for subject in _positions(pack) if reaction.send == message else ():
            cause = legal(pack, reaction.on, subject)
            ends = owers(reaction, cause, pack) if reaction.after == "accepted" else []
            ower = next((end for end in ends if seat in targets(reaction, cause, tuple(pack.parties), end)), None)
            found = _way_to(pack, cause) if ower is not None else None
            if ower is not None and found is not None:
                owed = Exchange(message, message, ower, seat, cause.subject, event=reaction.event)
                return Setting(found[1], owed, (cause,), reaction)
    return None


def _positions(pack: Pack) -> tuple[str | None, ...]:
    """Every position, the usual one first; ``None`` where there are none."""
    return tuple(dict.fromkeys(party.position for party in pack.parties.values() if party.position)) or (None,)


def _way_to(pack: Pack, step: Exchange) -> tuple[Ledger, Route] | None:
    """The nearest place where the table lets a message proceed."""
    values = symbols(pack, step.message, step.subject)
    for ledger, route in routes(pack, step.subject, step.message):
        if not refusals(ledger, pack, step.message, values):
            return ledger, route
    return None


@lru_cache(maxsize=4096)
def _unlocked(pack: Pack, message: str, other: str, subject: str | None) -> bool:
    """Whether *other* becomes legal by the acceptance of *message*."""
    if related(pack, message).isdisjoint(related(pack, other)):
        return False
    values, follow = symbols(pack, message, subject), symbols(pack, other, subject)
    for ledger, _ in routes(pack, subject, message):
        if not refusals(ledger, pack, message, values):
            then = accept(ledger, pack, message, values)
            return bool(refusals(ledger, pack, other, follow)) and not refusals(then, pack, other, follow)
    return False
