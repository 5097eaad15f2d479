"""What stands in a message that we send: pure functions from the script and the conversation to values and documents.

Rules:

1. A value comes from the step, else from the message that is forwarded or answered, else from the conversation, else
   it is made. What nobody sets stays as in the golden sample.
2. What is made follows from the seed and the serial number of the case alone, so a serial number that is never used
   twice means that no made number is.
3. Whoever owns a value sets it. A SUT that is asked to act is told what others own, never what is its own to mint.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from weakref import WeakKeyDictionary

from harness.errors import HarnessFault
from harness.evidence.conversation import Conversation, name_made_by
from harness.evidence.message import Opened
from harness.exchange.data import Data, Occasion, has_place, make
from harness.message.binding import read
from harness.message.build import build, write_errors
from harness.message.form import print_message
from harness.message.model import Document, Value
from harness.pack.codelist import coded_violations
from harness.pack.model import Message, Outcome, Pack
from harness.pack.rule import rule_violations
from harness.pack.sample import golden, golden_answer
from harness.pack.schema import violations
from harness.pack.violation import Breach, Violation
from harness.scenario.model import Exchange

Made = dict[str, Value]


class Composed(NamedTuple):
    """A message that is ready to be protected."""

    message: Message
    document: Document


def compose_request(data: Data, conversation: Conversation, step: Exchange, now: datetime) -> Composed:
    """The request of an exchange that a simulated party sends.

    Raises:
        HarnessFault: the message to forward was never heard.
    """
    message = data.pack.messages[step.message]
    forwarded = _forwarded(conversation, step)
    sample = golden(data.pack.format, message.golden["accepted"])
    if forwarded is not None and forwarded.document is not None:
        sample = forwarded.document
    occasion = Occasion(
        step.sender,
        step.receiver,
        step.subject,
        now,
        data.reference(step.id, "request"),
        step.event,
        reply=_replied_to(conversation, step),
    )
    values: Made = {}
    sender = data.pack.parties[step.sender]
    for name in message.bindings:
        rule = data.pack.values[name]
        if name in step.values:
            values[name] = data.given(step, name, conversation.saved)
        elif forwarded is None or (rule.scope == "message" and (rule.owner == "sender" or rule.owned_by(sender))):
            value = make(data, rule, occasion) if rule.scope == "message" else known(data, conversation, step, name)
            if value is not None or (
                (rule.make.kind == "reply" or not has_place(data, rule, occasion))
                and sample.pointers(message.bindings[name].path)
            ):
                values[name] = value
    make_document = print_message if forwarded is None else build
    return Composed(message, make_document(sample, message.bindings, _news(sample, message, values)))


def compose_answer(
    data: Data, conversation: Conversation, step: Exchange, request: Opened, outcome: Outcome, now: datetime
) -> Composed:
    """The answer of a simulated party: accepted, or refused with the error of *outcome*."""
    message = data.pack.messages[data.pack.saying(step.message, outcome) or ""]
    refused = outcome.kind == "error"
    sample = golden_answer(data.pack.format, message, refused=refused)
    asked = name_made_by(data.pack, step.message, "reference")
    occasion = Occasion(
        step.receiver,
        step.sender,
        step.subject,
        now,
        data.reference(step.id, "answer"),
        step.event,
        reply=request.text(asked) if asked else None,
    )
    values: Made = {}
    for name, binding in message.bindings.items():
        rule = data.pack.values[name]
        if rule.scope == "message":
            value = make(data, rule, occasion)
        else:
            value = request.values.get(name) or known(data, conversation, step, name)
        if value is not None and (not refused or sample.pointers(binding.path)):
            values[name] = value
        elif not has_place(data, rule, occasion) and sample.pointers(binding.path):
            values[name] = None
    document = print_message(sample, message.bindings, _news(sample, message, values))
    if refused and message.errors is not None and outcome.code is not None:
        errors = message.errors
        root = data.pack.messages[step.message].root
        pointer = errors.written(outcome.pointer or "/", root) if errors.pointer else None
        record = {
            "code": outcome.code,
            "pointer": pointer,
            "text": f"Refused with {outcome.code}, as the test asks for.",
        }
        document = write_errors(document, errors.each, errors.code, errors.pointer, errors.text, [record])
    return Composed(message, document)


def order_parameters(data: Data, conversation: Conversation, step: Exchange) -> Made:
    """The values that a SUT is told that shall send the request of *step*."""
    told: Made = {}
    for name in data.pack.messages[step.message].bindings:
        rule = data.pack.values[name]
        if name in step.values:
            told[name] = data.given(step, name, conversation.saved)
        elif rule.scope != "message":
            value = conversation.known(name, step.subject, step.movement)
            if value is None and rule.owner != "sender" and not rule.owned_by(data.pack.parties[data.case.sut]):
                value = data.made(name, step.subject, step.movement)
            if value is not None:
                told[name] = value
    return told


def known(data: Data, conversation: Conversation, step: Exchange, name: str) -> Value:
    """A value of the movement: as it was said first, else as it is made."""
    value = conversation.known(name, step.subject, step.movement)
    return data.made(name, step.subject, step.movement) if value is None else value


def demand_correct(pack: Pack, composed: Composed) -> None:
    """Make sure that what we send keeps the rules of the pack.

    Raises:
        HarnessFault: it does not.
    """
    found = _wrong(pack, composed.message.name, composed.document)
    if found:
        raise HarnessFault(
            f"{composed.message.name} was built wrong: {found[0].text} (at {found[0].pointer})",
            expected="a message that its own pack accepts",
            remedy="The golden sample, a binding or a value of the pack is wrong.",
        )


def misled(pack: Pack, conversation: Conversation, party: str) -> bool:
    """Whether that party has said something wrong, so that what builds on it may be wrong without a fault of ours."""
    return any(
        said.opened.name is not None
        and said.opened.document is not None
        and bool(_wrong(pack, said.opened.name, said.opened.document))
        for said in conversation.said
        if said.sender == party
    )


def _wrong(pack: Pack, name: str, document: Document) -> list[Violation | Breach]:
    return [
        *violations(pack, name, document),
        *coded_violations(pack, name, document),
        *rule_violations(pack, name, document),
    ]


def _news(sample: Document, message: Message, values: Made) -> Made:
    """The values without lists that the sample has already: writing a list makes its entries alike."""
    there = _lists_in.setdefault(sample, {})
    if message.name not in there:
        lists = {name: binding for name, binding in message.bindings.items() if binding.parts[1] is not None}
        there[message.name] = read(sample, lists)
    return {name: value for name, value in values.items() if there[message.name].get(name, ...) != value}


_lists_in: WeakKeyDictionary[Document, dict[str, Made]] = WeakKeyDictionary()
"""What the lists of a sample say, by the message that is made from it; read once for as long as there is the sample."""


def _replied_to(conversation: Conversation, step: Exchange) -> str | None:
    """The reference of the request that a message answers, where it is sent as an exchange of its own."""
    pack = conversation.pack
    answered = pack.messages[step.message].answers
    name = name_made_by(pack, answered, "reference") if answered else None
    asked = (said for said in reversed(conversation.said) if said.part == "request" and said.sender == step.receiver)
    found = next((said.opened for said in asked if said.opened.name == answered), None)
    return found.text(name) if found is not None and name is not None else None


def _forwarded(conversation: Conversation, step: Exchange) -> Opened | None:
    if step.forwards is None:
        return None
    forwarded = conversation.message(step.forwards, "request")
    if forwarded is None:
        raise HarnessFault(f"{step.id} forwards {step.forwards}, which was not heard")
    return forwarded
