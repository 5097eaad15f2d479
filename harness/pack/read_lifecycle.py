"""``lifecycle.yaml``: objects, their states, what each message may do, and what follows from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from harness.pack.entry import Entry
from harness.pack.model import (
    Among,
    Branch,
    Cell,
    Guard,
    Listed,
    Match,
    Message,
    MessageRules,
    Outcome,
    Party,
    Reaction,
    Requirement,
    StateObject,
    Unique,
)
from harness.pack.names import pick
from harness.pack.notation import Sets, read_expectation, read_origin, read_outcomes
from harness.pack.read_pack import demand

SUBJECT = "subject"
"""In the place of a position: the one that a message is about."""


def read_objects(table: Entry, values: Collection[str]) -> dict[str, StateObject]:
    """The objects and their states.

    Raises:
        ConfigurationFault: a key that is no bound name, or an initial state that is none.
    """
    return {
        name: StateObject(
            name=name,
            key=entry.names("key", values, "value"),
            initial=entry.name("initial", entry.get("states"), "state"),
            states=entry.get("states"),
        )
        for name, entry in table.table("objects")
    }


def read_rules_by_message(
    table: Entry,
    messages: Mapping[str, Message],
    objects: Mapping[str, StateObject],
    requirements: Mapping[str, Requirement],
    sets: Sets,
    pools: Collection[str],
) -> dict[str, MessageRules]:
    """The life-cycle table, message by message.

    Raises:
        ConfigurationFault: an unknown name, an answer in the place of a request, or a guard that leaves out
            a state of its object.
    """

    def rules(name: str, entry: Entry) -> MessageRules:
        message = messages[pick(name, messages, "message", entry.where)]
        if message.answers:
            raise entry.fault(
                f"'{name}' is an answer", expected="requests only", remedy=f"Write the cells for '{message.answers}'."
            )
        if message.refuses:
            raise entry.fault(f"'{name}' refuses other messages", expected="requests only", remedy="Remove the entry.")
        return MessageRules(
            message=name,
            guards=entry.made_list("guards", lambda each: _guard(each, message, objects, requirements, sets)),
            matches=entry.made_list("match", lambda each: _match(each, message, objects, requirements, sets)),
            duplicate=_cell(entry.at("duplicate"), message, requirements, sets) if "duplicate" in entry else None,
            effects=_effects(entry, objects),
            listed=entry.made_list("listed", lambda each: _listed(each, message, pools, requirements, sets)),
            unique=entry.made_list("unique", lambda each: _unique(each, message, objects, requirements, sets)),
            branches=entry.made_list("branches", lambda each: _branch(each, message, objects)),
        )

    return table.made("messages", rules)


def _effects(entry: Entry, objects: Mapping[str, StateObject]) -> dict[str, str]:
    return {
        thing: pick(effect.data, objects[pick(thing, objects, "object", effect.where)].states, "state", effect.where)
        for thing, effect in entry.table("effects")
    }


def _branch(entry: Entry, message: Message, objects: Mapping[str, StateObject]) -> Branch:
    known = f"bound name of {message.name}"
    return Branch(
        value=entry.name("value", message.bindings, known),
        texts=tuple(each.data for each in entry.list("is")),
        given={pick(name, message.bindings, known, each.where): each.data for name, each in entry.table("with")},
        effects=_effects(entry, objects),
    )


def _guard(
    entry: Entry,
    message: Message,
    objects: Mapping[str, StateObject],
    requirements: Mapping[str, Requirement],
    sets: Sets,
) -> Guard:
    thing = objects[entry.name("object", objects, "object")]

    def cell(state: str, place: Entry) -> Cell:
        pick(state, thing.states, f"state of {thing.name}", place.where)
        return _cell(place, message, requirements, sets)

    cells = entry.made("states", cell)
    if missing := [state for state in thing.states if state not in cells]:
        raise entry.at("states").fault(
            f"the table says nothing about {message.name} while {thing.name} is {', '.join(missing)}",
            expected=f"a cell for each of {', '.join(thing.states)}",
            remedy="Add the cell, with 'proceed: true' or the refusal.",
        )
    return Guard(thing.name, cells)


def _match(
    entry: Entry,
    message: Message,
    objects: Mapping[str, StateObject],
    requirements: Mapping[str, Requirement],
    sets: Sets,
) -> Match:
    return Match(
        value=entry.name("value", message.bindings, f"bound name of {message.name}"),
        object=entry.name("object", objects, "object"),
        cell=_cell(entry, message, requirements, sets),
    )


def _listed(
    entry: Entry, message: Message, pools: Collection[str], requirements: Mapping[str, Requirement], sets: Sets
) -> Listed:
    return Listed(
        value=entry.name("value", message.bindings, f"bound name of {message.name}"),
        pool=entry.name("pool", pools, "pool"),
        cell=_cell(entry, message, requirements, sets),
    )


def _unique(
    entry: Entry,
    message: Message,
    objects: Mapping[str, StateObject],
    requirements: Mapping[str, Requirement],
    sets: Sets,
) -> Unique:
    return Unique(
        value=entry.name("value", message.bindings, f"bound name of {message.name}"),
        object=entry.name("object", objects, "object"),
        within=entry.names("within", message.bindings, f"bound name of {message.name}"),
        cell=_cell(entry, message, requirements, sets),
    )


def _cell(entry: Entry, message: Message, requirements: Mapping[str, Requirement], sets: Sets) -> Cell:
    refuse: Outcome | None = None
    permitted: tuple[Outcome, ...] = ()
    if "proceed" not in entry:
        refuse = read_expectation(entry, sets).expect[0]
    if "permitted" in entry:
        permitted = read_outcomes(entry.at("permitted"), sets)
    return Cell(
        refuse=refuse,
        permitted=permitted,
        requirement=demand(entry, "requirement", requirements, message.receiver),
        told=demand(entry, "told", requirements, message.sender),
        source=read_origin(entry.get("source")),
        where=entry.where,
        also=read_outcomes(entry.at("also"), sets) if "also" in entry else (),
    )


def read_reactions(
    table: Entry,
    messages: Mapping[str, Message],
    parties: Mapping[str, Party],
    timers: Collection[str],
    requirements: Mapping[str, Requirement],
    values: Collection[str],
    sets: Sets,
) -> tuple[Reaction, ...]:
    """What a party owes after a message was accepted, or refused.

    Raises:
        ConfigurationFault: an unknown name, an id that stands twice, or a party that cannot send or receive it.
    """
    reactions: dict[str, Reaction] = {}
    roles = {party.role for party in parties.values()}
    wildcards = {f"{party.role}.*": party.role for party in parties.values() if party.position}
    subjects = {f"{party.role}.{SUBJECT}": party.role for party in parties.values() if party.position}

    def reaction_of(entry: Entry) -> Reaction:
        by = entry.name("by", roles, "role")
        send = messages[entry.name("send", messages, "message")]
        to = entry.name("to", {*parties, *wildcards, *subjects}, "party")
        receiver = parties[to].role if to in parties else {**wildcards, **subjects}[to]
        reaction = Reaction(
            id=entry.get("id"),
            on=entry.name("on", messages, "message"),
            by=by,
            send=send.name,
            to=to,
            within=entry.name("within", timers, "timer"),
            source=read_origin(entry.get("source")),
            nested=entry.get("nested", False),
            forward=entry.get("forward", False),
            event=entry.get("event", ""),
            requirement=demand(entry, "requirement", requirements, by),
            received=demand(entry, "received", requirements, receiver),
            after=entry.get("after", "accepted"),
            among=_read_among(entry, values),
            unanswered=read_expectation(entry.at("unanswered"), sets) if "unanswered" in entry else None,
        )
        if reaction.after == "refused" and (reaction.nested or reaction.forward):
            raise entry.at("after").fault(
                "what follows a refusal can neither be nested nor forward what was refused",
                remedy="Remove 'nested' and 'forward'.",
            )
        if reaction.unanswered is not None and not reaction.nested:
            raise entry.at("unanswered").fault(
                f"the answer to '{reaction.on}' does not wait for that to '{send.name}'",
                expected="a reaction with 'nested: true'",
                remedy="Remove 'unanswered', or say 'nested: true'.",
            )
        if reaction.id in reactions:
            raise entry.at("id").fault(f"the id '{reaction.id}' stands here twice", remedy="Choose another id.")
        if not reaction.forward and (send.sender, send.receiver) != (by, receiver):
            raise entry.fault(
                f"'{send.name}' goes from {send.sender} to {send.receiver}, not from {by} to {receiver}",
                remedy="Correct 'by', 'send' or 'to'; or say 'forward: true'.",
            )
        reactions[reaction.id] = reaction
        return reaction

    return table.made_list("reactions", reaction_of)


def _read_among(entry: Entry, values: Collection[str]) -> Among | None:
    for fact, value in entry.table("among"):
        return Among(fact, pick(value.data, values, "value", value.where))
    return None
