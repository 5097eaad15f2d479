"""Checks of one message by itself: can it be read, is it the right one, does it fit schema, code lists and rules.

Schema, code lists and rules look only at content that was signed, when the pack wants content signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.check.model import Finding, Subject
from harness.evidence.message import declared_action
from harness.message.model import Document
from harness.pack.codelist import coded_violations
from harness.pack.model import Pack
from harness.pack.rule import rule_violations
from harness.pack.schema import violations
from harness.pack.violation import Breach


def envelope(subject: Subject) -> Iterator[Finding]:
    """The message can be read, and is one that may stand here.

    An HTTP status of the 4xx or 5xx class needs no message: whether it was a right answer is for the judge to say.
    """
    opened = subject.opened
    if opened.name is None and opened.status is not None and opened.status >= 400:
        return
    if opened.malformed is not None:
        yield Finding("envelope", opened.malformed.code, opened.malformed.what, line=opened.malformed.line)
    elif opened.name is None and opened.fault is None:
        root = opened.document.root if opened.document is not None else ""
        text = f"the root element {root} belongs to no message of {subject.pack.id}" if root else "there is no message"
        yield Finding("envelope", "unknown-message", text)
    elif opened.name is not None and subject.expected and opened.name not in subject.expected:
        yield Finding(
            "envelope",
            "wrong-message",
            f"this is {opened.name}; expected was {' or '.join(subject.expected)}",
        )
    if opened.fault is not None and opened.status is not None and opened.status < 400:
        yield Finding("envelope", "fault-status", f"a SOAP fault came with HTTP status {opened.status}, not 4xx or 5xx")


def encoding(subject: Subject) -> Iterator[Finding]:
    """The declared media type fits the envelope (SOAP 1.2 part 2, section 7; SOAP 1.1, section 6)."""
    if subject.opened.document is None or (not subject.line and "content-type" not in subject.headers):
        return
    media_type = subject.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != subject.pack.media_type.partition(";")[0].lower():
        said = f"the content type is {media_type}" if media_type else "there is no content type"
        yield Finding("encoding", "media-type", f"{said}; expected was {subject.pack.media_type}")


def transport(subject: Subject) -> Iterator[Finding]:
    """What HTTP says agrees with the message: method, address and action of a request, status of an answer."""
    opened, dialogue = subject.opened, subject.dialogue
    if not subject.complete:
        yield Finding("transport", "incomplete", "the connection ended before the whole body had come")
    if opened.name is None or not subject.line:
        return
    message = subject.pack.messages[opened.name]
    if opened.status is not None:
        if opened.shape == "accepted" and not 200 <= opened.status < 300:
            yield Finding("transport", "status", f"{opened.name} accepts, but came with HTTP status {opened.status}")
        return
    method, _, rest = subject.line.partition(" ")
    if method != message.method:
        yield Finding("transport", "method", f"{opened.name} came by {method}; expected was {message.method}")
    path = rest.partition(" ")[0]
    wanted = "/".join(part for part in (dialogue.receiver if dialogue else "", message.target.strip("/")) if part)
    if not path.rstrip("/").endswith(f"/{wanted}"):
        yield Finding(
            "transport", "address", f"{opened.name} came to {path}; expected was an address ending in /{wanted}"
        )
    action = declared_action(subject.headers)
    if message.action and action and action != message.action:
        yield Finding(
            "transport", "action", f"{opened.name} came with the action {action}; expected was {message.action}"
        )


def schema(subject: Subject) -> Iterator[Finding]:
    """The message is valid against its schema; the code is the pack's for that kind of violation."""
    for name, document in _judged(subject):
        for found in violations(subject.pack, name, document):
            code = _code(subject.pack, found.kind, found.pointer)
            yield Finding("schema", code, found.text, pointer=found.pointer, line=found.line)


def codelist(subject: Subject) -> Iterator[Finding]:
    """Coded values are in their code lists."""
    for name, document in _judged(subject):
        yield from _breaches(subject.pack, "codelist", coded_violations(subject.pack, name, document))


def rule(subject: Subject) -> Iterator[Finding]:
    """The rules and conditions of the pack hold."""
    for name, document in _judged(subject):
        yield from _breaches(subject.pack, "rule", rule_violations(subject.pack, name, document))


def _breaches(pack: Pack, check: str, breaches: Iterable[Breach]) -> Iterator[Finding]:
    for found in breaches:
        kept = pack.rules[found.rule].kept if found.rule is not None else None
        yield Finding(
            check,
            found.code,
            found.text,
            requirement=kept or found.requirement,
            pointer=found.pointer,
            line=found.line,
        )


def protection(subject: Subject) -> Iterable[Finding]:
    """Signature, certificate and time stamp: every problem of the report is a finding of its part.

    A fault need not be signed: whoever cannot trust a message may turn it away before any signing begins.
    """
    report = subject.opened.report
    if report is None or subject.opened.fault is not None:
        return
    for problem in report.problems:
        part, _, word = problem.code.partition("/")
        yield Finding(part, word or part, problem.text, pointer=problem.pointer)


def _judged(subject: Subject) -> Iterator[tuple[str, Document]]:
    """The message whose content may be judged, if it may: it is known, and signed where it must be."""
    opened, security = subject.opened, subject.pack.security
    if opened.name is None or opened.document is None:
        return
    must_be_signed = opened.report is not None and security.style != "none" and "body" in security.signed
    if not must_be_signed or (opened.report is not None and opened.report.covers_body()):
        yield opened.name, opened.document


def _code(pack: Pack, kind: str, pointer: str) -> str:
    constraint = pack.constraints.get(kind)
    if constraint is None:
        return kind
    return next((outcome.code for outcome in constraint.at(pointer).expectation.expect if outcome.code), kind)
