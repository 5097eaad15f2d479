"""``pack.yaml``, ``requirements.yaml`` and ``security.yaml``: the tables beside the messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from harness.pack.entry import Entry
from harness.pack.model import Defect, Outcome, Party, Requirement, Role
from harness.pack.names import pick
from harness.pack.notation import WORDS, Sets, read_duration, read_expectation, read_origin, read_outcomes
from harness.security.model import SecurityProfile


def read_roles(head: Entry) -> dict[str, Role]:
    """The roles, with their positions in the order of the movement."""
    return {
        name: Role(name, entry.get("title"), tuple(entry.get("positions", ())), tuple(entry.get("own", ())))
        for name, entry in head.table("roles")
    }


def read_parties(head: Entry, roles: Mapping[str, Role]) -> dict[str, Party]:
    """The seats of all roles, in their order, each with its facts.

    Raises:
        ConfigurationFault: a seat without facts, or facts for a seat that no role has.
    """
    seats = {
        f"{role.id}.{position}" if position else role.id: (role.id, position)
        for role in roles.values()
        for position in role.positions or (None,)
    }
    for name, entry in head.table("parties"):
        pick(name, seats, "party", entry.where)
    given = head.get("parties")
    if missing := [seat for seat in seats if seat not in given]:
        raise head.at("parties").fault(
            f"the party '{missing[0]}' has no facts", remedy=f"Add '{missing[0]}: {{...}}' with its facts."
        )
    return {seat: Party(seat, role, position, given[seat]) for seat, (role, position) in seats.items()}


def read_outcome_sets(head: Entry) -> dict[str, tuple[Outcome, ...]]:
    """The named sets of outcomes.

    Raises:
        ConfigurationFault: a set with the name of an outcome, or an outcome that is none.
    """
    sets: dict[str, tuple[Outcome, ...]] = {}
    for name, entry in head.table("outcomes"):
        if name in WORDS:
            raise entry.fault(f"'{name}' is an outcome already", remedy="Give the set another name.")
        sets[name] = read_outcomes(entry, {})
    return sets


def read_timers(head: Entry) -> dict[str, timedelta]:
    """The named time budgets."""
    return {name: read_duration(entry.data) for name, entry in head.table("timers")}


def read_requirements(head: Entry, roles: Collection[str], messages: Collection[str]) -> dict[str, Requirement]:
    """The numbered demands.

    Raises:
        ConfigurationFault: an unknown bearer or message.
    """
    return head.made(
        "requirements",
        lambda name, entry: Requirement(
            id=name,
            level=entry.get("level"),
            bearer=entry.name("bearer", {*roles, "any"}, "role"),
            text=entry.get("text"),
            effect=entry.get("effect"),
            source=read_origin(entry.get("source")),
            group=entry.get("group"),
            checks=tuple(entry.get("checks", ())),
            messages=entry.names("messages", messages, "message"),
            untested=entry.get("untested"),
        ),
    )


def demand(entry: Entry, key: str, requirements: Mapping[str, Requirement], *bearers: str) -> str | None:
    """The requirement below a key, which must be one that the right role bears.

    Parameters:
        entry: the entry that names it.
        key: the key, which may be left out.
        requirements: all requirements.
        bearers: the roles of which one must bear it; none where any role may.

    Raises:
        ConfigurationFault: it is not known, or another role bears it.
    """
    name = entry.optional(key, requirements, "requirement")
    if name is not None and bearers and requirements[name].bearer not in (*bearers, "any"):
        raise entry.at(key).fault(
            f"the requirement '{name}' is a demand on {requirements[name].bearer}",
            expected=f"a demand on {' or '.join(dict.fromkeys(bearers))} in '{key}'",
            remedy="Name another requirement, or correct its bearer.",
        )
    return name


def read_security(head: Entry, envelope: str) -> SecurityProfile:
    """How messages are protected; what is left out has the default of the profile.

    Raises:
        ConfigurationFault: a style that does not fit to the envelope.
    """
    given: dict[str, Any] = {key: value for key, value in head.data.items() if key != "defects"}
    soap = envelope.removeprefix("soap-") if envelope != "none" else None
    if (given["style"] == "wss") != (soap is not None) and given["style"] != "none":
        raise head.at("style").fault(
            f"the style '{given['style']}' does not fit to the envelope '{envelope}' of pack.yaml",
            expected="wss with a SOAP envelope, jws or xmldsig without an envelope",
        )
    if given["style"] == "xmldsig":
        given.setdefault("tokens", ["x509-data"])
    for key, value in given.items():
        if isinstance(value, list):
            given[key] = tuple(value)
        elif key in ("tolerance", "lifetime"):
            given[key] = read_duration(value)
    return SecurityProfile(soap=soap, **given)


def read_defects(head: Entry, sets: Sets, requirements: Mapping[str, Requirement]) -> dict[str, Defect]:
    """The defects, and how a receiver must answer each."""
    return head.made(
        "defects",
        lambda name, entry: Defect(
            id=name,
            text=entry.get("text"),
            expectation=read_expectation(entry.at("answer"), sets),
            requirement=demand(entry, "requirement", requirements),
            told=demand(entry, "told", requirements),
        ),
    )
