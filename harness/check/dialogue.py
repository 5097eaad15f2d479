"""Checks of one message within its conversation: does it answer, agree and follow."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from harness.check.model import Dialogue, Finding, Subject
from harness.evidence.conversation import name_made_by
from harness.evidence.message import Opened
from harness.message.model import Value
from harness.pack.model import Message, Pack

SHOWN, MOST = 120, 8
"""Characters of a text, and entries of a list, that a finding shows."""


def correlation(subject: Subject) -> Iterator[Finding]:
    """A message names the one that it refers to, as its kind demands, and uses no reference twice."""
    dialogue, opened = subject.dialogue, subject.opened
    if dialogue is None or opened.name is None:
        return
    pack = subject.pack
    yield from _reference_to_another(pack, dialogue, opened, pack.messages[opened.name])
    own = name_made_by(pack, opened.name, "reference")
    if own is not None and opened.text(own):
        for said in dialogue.conversation.said:
            if said.sender == dialogue.sender and said.opened.name is not None:
                theirs = name_made_by(pack, said.opened.name, "reference")
                if theirs is not None and said.opened.text(theirs) == opened.text(own):
                    text = f"the reference {_shown(opened.text(own))} was already used in {said.opened.name}"
                    yield Finding("correlation", "reference-reused", text)
                    break


def _reference_to_another(pack: Pack, dialogue: Dialogue, opened: Opened, message: Message) -> Iterator[Finding]:
    reply = name_made_by(pack, message.name, "reply")
    if reply is None:
        return
    observed, pointer = opened.values.get(reply), "/" + message.bindings[reply].path
    if observed is not None and message.correlation == "forbidden":
        text = f"{message.name} refers to {_shown(observed)}; it must not refer to a message"
        yield Finding("correlation", "forbidden-reference", text, pointer=pointer)
    elif dialogue.part == "answer" and dialogue.request is not None and dialogue.request.name is not None:
        reference = name_made_by(pack, dialogue.request.name, "reference")
        expected = dialogue.request.values.get(reference) if reference is not None else None
        absent = observed is None and message.correlation == "optional"
        if reference is not None and expected != observed and not absent:
            text = f"the answer refers to {_shown(observed)}; the request was {_shown(expected)}"
            yield Finding("correlation", "wrong-reference", text, pointer=pointer)
    elif dialogue.part == "request" and observed is None and message.correlation == "required":
        yield Finding("correlation", "no-reference", f"{message.name} refers to no message", pointer=pointer)
    elif dialogue.part == "request" and observed is not None and observed not in _received(pack, dialogue):
        text = f"{message.name} refers to {_shown(observed)}, which no message to its sender had as its reference"
        yield Finding("correlation", "wrong-reference", text, pointer=pointer)


def _received(pack: Pack, dialogue: Dialogue) -> Iterator[Value]:
    """The references of the messages that the sender of this one has got."""
    for said in dialogue.conversation.said:
        name = name_made_by(pack, said.opened.name, "reference") if said.opened.name is not None else None
        if name is not None and said.sender != dialogue.sender:
            yield said.opened.values.get(name)


def consistency(subject: Subject) -> Iterator[Finding]:
    """What the conversation already knows is said again unchanged, and facts about parties are theirs.

    What a step was to change is new in it. A message that belongs to a step before the change may say the old value:
    a notification can come late.
    """
    dialogue, opened = subject.dialogue, subject.opened
    if dialogue is None or opened.name is None or opened.shape == "refused":
        return
    pack, conversation = subject.pack, dialogue.conversation
    for name, observed in opened.values.items():
        known = conversation.known(name, dialogue.subject, dialogue.movement)
        if name in dialogue.changes and known is not None and _alike(known, observed):
            yield _inconsistent(pack, opened.name, name, f"still {_shown(observed)}; it was to be changed")
        if name in dialogue.own:
            continue
        expected = known if known is not None else _fact(pack, dialogue, name)
        if expected is None or observed is None or _alike(expected, observed):
            continue
        former = conversation.before(name, dialogue.subject, dialogue.movement, dialogue.later)
        if not any(_alike(each, observed) for each in former):
            text = f"here {_shown(observed)}; the conversation knows {_shown(expected)}"
            yield _inconsistent(pack, opened.name, name, text)


def _inconsistent(pack: Pack, message: str, name: str, text: str) -> Finding:
    about, pointer = pack.values[name].about or name, "/" + pack.messages[message].bindings[name].path
    return Finding("consistency", name, f"{about}: {text}", pointer=pointer)


def _fact(pack: Pack, dialogue: Dialogue, name: str) -> str | None:
    """The fact about the sender that a value must repeat, where the pack makes it from one."""
    maker = pack.values[name].make
    if maker.kind != "fact":
        return None
    party, _, fact = maker.text.rpartition(".")
    if party not in ("sender", "receiver"):
        return None
    seat = dialogue.sender if party == "sender" else dialogue.receiver
    return dialogue.parties[seat].facts.get(fact)


def legality(subject: Subject) -> Iterator[Finding]:
    """A request is sent only when the life cycle allows it; a cell that may also accept it says nothing."""
    dialogue, opened = subject.dialogue, subject.opened
    if dialogue is None or dialogue.part != "request":
        return
    for cell in dialogue.refusals[:1]:
        if cell.refuse is not None and all(outcome.kind != "accepted" for outcome in cell.permitted):
            text = f"{opened.name} is not allowed in this state; it would be refused with {cell.refuse.code}"
            yield Finding("legality", cell.refuse.code or "not-allowed", text)


def signer(subject: Subject) -> Iterator[Finding]:
    """A signature that holds is that of the sender, and of nobody else whom the same authority certified.

    Where nobody said with which certificates the sender signs, one certificate signs all its messages of a case.
    """
    dialogue = subject.dialogue
    own = _signed_by(subject.opened)
    if dialogue is None or own is None:
        return
    report = subject.opened.report
    name = _shown(report.signer if report is not None else None)
    if dialogue.signers:
        digest = sha256(own).hexdigest()
        if digest not in dialogue.signers:
            text = f"the certificate of {name} signed it, which is none of the sender's (SHA-256 {digest})"
            yield Finding("certificate", "wrong-party", text)
        return
    for said in dialogue.conversation.said:
        earlier = _signed_by(said.opened) if said.sender == dialogue.sender else None
        if earlier is not None and earlier != own:
            text = f"the certificate of {name} signed it; another one signed {said.opened.name or 'a message'} before"
            yield Finding("certificate", "changed", text, severity="warning")
            return


def _signed_by(opened: Opened) -> bytes | None:
    """The certificate whose key made the signature, ``None`` unless that and its path are certain."""
    report = opened.report
    if report is None or report.certificate is None or not report.path or report.steps.get("value") != "ok":
        return None
    return report.certificate


def _alike(one: Value, other: Value) -> bool:
    """Whether two values are the same by content."""
    return one == other or _plain(one) == _plain(other)


def _plain(value: Value) -> object:
    """A value in a form that compares by content."""
    if value is None or isinstance(value, str):
        return value
    return [dict(entry) if not isinstance(entry, str) else entry for entry in value]


def _shown(value: Value) -> str:
    """A value in words, each text of it in quotation marks: what is quoted from a masked place is masked."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        quoted = value.replace("'", "`")
        return f"'{quoted[:SHOWN]}'" + "..." * (len(quoted) > SHOWN)
    entries = [
        _shown(entry) if isinstance(entry, str) else " ".join(f"{name} {_shown(each)}" for name, each in entry.items())
        for entry in value[:MOST]
    ]
    return (", ".join(entries) or "nothing") + ", ..." * (len(value) > MOST)
