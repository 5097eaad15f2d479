"""``messages.yaml``: messages, bindings, and the owners of values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from harness.errors import Where
from harness.message.model import Binding
from harness.pack.entry import Entry
from harness.pack.layers import Layers, find_file
from harness.pack.model import ANSWER, ErrorShape, Maker, Message, Party, Role, ValueRule
from harness.pack.move import move_binding, move_errors
from harness.pack.names import pick
from harness.pack.paths import OPEN, Paths

_CLARK = re.compile(r"(\{[^{}\s]+\})?[^{}\s:/]+")
_SEATS = ("sender", "receiver", "subject")


def read_values(
    table: Entry,
    roles: Mapping[str, Role],
    parties: Mapping[str, Party],
    pools: Collection[str],
    codelists: Collection[str],
) -> dict[str, ValueRule]:
    """The owners of bound values, and how simulated owners make them.

    Raises:
        ConfigurationFault: an unknown owner, pool, code list, party or fact.
    """
    return table.made(
        "values",
        lambda name, entry: ValueRule(
            name=name,
            owner=entry.name("owner", {*roles, *parties, "sender"}, "role or party"),
            scope=entry.get("scope"),
            make=_maker(entry.at("make"), roles, parties, pools, codelists) if "make" in entry else Maker("golden"),
            about=entry.get("about", ""),
            secret=entry.get("secret", False),
        ),
    )


def _maker(
    entry: Entry,
    roles: Mapping[str, Role],
    parties: Mapping[str, Party],
    pools: Collection[str],
    codelists: Collection[str],
) -> Maker:
    if isinstance(entry.data, str):
        return Maker(entry.data)  # type: ignore[arg-type]  # the published schema lists the words
    kind, text = next(iter(entry.data.items()))
    where = entry.at(kind).where
    if kind == "where":
        for fact, codelist in text.items():
            _check_fact(fact, parties, where)
            pick(codelist, codelists, "code list", where)
        return Maker(kind, where=text)
    if kind == "pool":
        pick(text, pools, "pool", where)
    elif kind == "fact":
        _check_fact(text, parties, where)
    elif kind == "facts":
        role, _, fact = text.partition(".*.")
        pick(role, roles, "role", where)
        for party in parties.values():
            if party.role == role:
                pick(fact, party.facts, f"fact of {party.id}", where)
    return Maker(kind, text)


def _check_fact(text: str, parties: Mapping[str, Party], where: Where) -> None:
    seat, _, fact = text.rpartition(".")
    pick(seat, {*_SEATS, *parties}, "party", where)
    facts = parties[seat].facts if seat in parties else {f for party in parties.values() for f in party.facts}
    pick(fact, facts, "fact", where)


def read_messages(
    table: Entry,
    layers: Layers,
    format: Literal["xml", "json"],  # noqa: A002 - the word of pack.yaml
    answers: Literal["reply", "message"],
    roles: Collection[str],
    parties: Mapping[str, Party],
    values: Collection[str],
    timers: Collection[str],
    paths: Paths,
) -> dict[str, Message]:
    """The messages with their bindings.

    Raises:
        ConfigurationFault: an unknown role, message, value or timer, a file that is not there, a request and an
            answer that do not belong together.
    """
    names = table.get("messages")
    messages = table.made(
        "messages",
        lambda name, entry: _message(name, entry, layers, names, roles, parties, values, timers, paths),
    )
    refusing = {name: message.refuses for name, message in messages.items() if message.refuses}
    for name, message in messages.items():
        refusals = tuple(other for other, refused in refusing.items() if name in refused)
        messages[name] = replace(message, refusals=refusals)

    def check(name: str, entry: Entry) -> None:
        if answers == "reply" and "refuses" in entry:
            raise entry.at("refuses").fault(
                "a message that refuses others is one of its own", remedy="Say 'answers: message' in pack.yaml."
            )
        _check_pair(messages[name], messages, entry)
        if format == "xml" and not _CLARK.fullmatch(entry.get("root", "")) and entry.get("root") != OPEN:
            raise entry.fault("an XML message needs its root element", expected="root: '{namespace}name'")

    table.made("messages", check)
    return messages


def _message(
    name: str,
    entry: Entry,
    layers: Layers,
    names: Collection[str],
    roles: Collection[str],
    parties: Mapping[str, Party],
    values: Collection[str],
    timers: Collection[str],
    paths: Paths,
) -> Message:
    bindings = entry.made(
        "bind", lambda bound, place: move_binding(paths, name, _binding(bound, place, values), place.where)
    )
    schemas = tuple(root / "schemas" for root in layers.roots)
    accepted = entry.get("accepted")
    sender, sender_position = _end(entry, "from", roles, parties)
    receiver, receiver_position = _end(entry, "to", roles, parties)
    return Message(
        name=name,
        title=entry.get("title"),
        purpose=entry.get("purpose"),
        sender=sender,
        receiver=receiver,
        root="" if entry.get("root") == OPEN else entry.get("root", ""),
        schema=find_file(schemas, entry.get("schema"), entry.at("schema").where),
        golden=_golden(entry.at("golden"), layers),
        bindings=bindings,
        answer=entry.optional("answer", names, "message"),
        answers=entry.optional("answers", names, "message"),
        action=entry.get("action"),
        method=entry.get("method", "POST"),
        target=entry.get("target", ""),
        correlate=entry.names("correlate", bindings, "bound name"),
        accepted=(paths.path(name, accepted["path"], entry.at("accepted").at("path").where), tuple(accepted["values"]))
        if accepted
        else None,
        errors=move_errors(paths, name, ErrorShape(**entry.get("errors")), entry.at("errors").at("each").where)
        if "errors" in entry
        else None,
        redact=tuple(paths.path(name, each.data, each.where) for each in entry.list("redact")),
        sender_position=sender_position,
        receiver_position=receiver_position,
        optional=_optional(entry, roles),
        refuses=_refused(entry, names),
        correlation=entry.get("correlation", "required" if "answers" in entry or "refuses" in entry else "optional"),
        within=entry.optional("within", timers, "timer") or ANSWER,
        unmapped=(*(["root"] if entry.get("root") == OPEN else []), *paths.open(name)),
    )


def _optional(entry: Entry, roles: Collection[str]) -> tuple[str, ...]:
    if "optional" in entry and "answers" in entry:
        raise entry.at("optional").fault(
            "an answer goes with its request", remedy="Say at the request who may do without it."
        )
    return entry.names("optional", roles, "role")


def _refused(entry: Entry, names: Collection[str]) -> tuple[str, ...]:
    """What a message can refuse: a list, or everything but a list."""
    if "refuses" not in entry:
        return ()
    given = entry.at("refuses")
    if isinstance(given.data, list):
        return entry.names("refuses", names, "message")
    left_out = given.names("all_but", names, "message")
    return tuple(name for name in names if name not in left_out)


def _end(entry: Entry, key: str, roles: Collection[str], parties: Mapping[str, Party]) -> tuple[str, str | None]:
    """A role, or one seat of it: its role and its position."""
    name = entry.name(key, {*roles, *parties}, "role or party")
    return (name, None) if name in roles else (parties[name].role, parties[name].position)


def _binding(name: str, entry: Entry, values: Collection[str]) -> Binding:
    pick(name, values, "entry in 'values' for", entry.where)
    if isinstance(entry.data, str):
        return Binding(name, entry.data)
    return Binding(name, **entry.data)


def _golden(entry: Entry, layers: Layers) -> dict[str, Path]:
    if isinstance(entry.data, str):
        return {"accepted": find_file(layers.fixtures, entry.data, entry.where)}
    return {shape: find_file(layers.fixtures, file, entry.at(shape).where) for shape, file in entry.data.items()}


def _check_pair(message: Message, messages: Mapping[str, Message], entry: Entry) -> None:
    """A request and its answer name each other and go opposite ways; only an answer or a refusal speaks of errors."""
    roles = [key for key in ("answer", "answers", "refuses") if key in entry]
    if len(roles) > 1:
        raise entry.fault(
            "a message is a request, an answer or a refusal, not both of two",
            remedy="Remove " + " or ".join(f"'{key}'" for key in roles) + ".",
        )
    if message.answer and messages[message.answer].answers != message.name:
        raise entry.at("answer").fault(
            f"'{message.answer}' does not say that it answers '{message.name}'",
            expected=f"'answers: {message.name}' in '{message.answer}'",
        )
    if message.answers:
        request = messages[message.answers]
        if request.answer != message.name:
            raise entry.at("answers").fault(
                f"'{request.name}' does not say that '{message.name}' answers it",
                expected=f"'answer: {message.name}' in '{request.name}'",
            )
        if (message.sender, message.receiver) != (request.receiver, request.sender):
            raise entry.at("from").fault(
                f"an answer to '{request.name}' goes the other way",
                expected=f"from: {request.receiver}, to: {request.sender}",
            )
        if (message.errors is None) != ("refused" not in message.golden):
            raise entry.fault(
                "an answer that can refuse has 'errors' and a refused sample", expected="both, or neither"
            )
    elif message.refuses:
        if message.errors is None or message.accepted or "refused" in message.golden:
            raise entry.fault(
                "a refusal says where its errors stand, and never accepts", expected="'errors', and one golden sample"
            )
    elif message.errors or message.accepted or "refused" in message.golden:
        raise entry.fault("only an answer has 'accepted', 'errors' or a refused sample", remedy="Add 'answers'.")
