"""Checks of one message by itself: can it be read, is it the right one, does it fit schema, code lists and rules.

Schema, code lists and rules look only at content that was signed, when the pack wants content signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.check.model import Finding, Subject
from harness.pack.codelist import coded_violations
from harness.pack.model import Message, Pack
from harness.pack.rule import rule_violations
from harness.pack.schema import violations


def envelope(subject: Subject) -> Iterator[Finding]:
    """The message can be read, and is one that may stand here."""
    opened = subject.opened
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
    declared = subject.headers.get("content-type")
    if declared is None or subject.opened.document is None:
        return
    media_type = declared.partition(";")[0].strip().lower()
    if media_type != subject.pack.media_type.partition(";")[0].lower():
        text = f"the content type is {media_type}; expected was {subject.pack.media_type}"
        yield Finding("encoding", "media-type", text)


def schema(subject: Subject) -> Iterator[Finding]:
    """The message is valid against its schema; the code is the pack's for that kind of violation."""
    found = _readable(subject)
    if found is None or subject.opened.document is None:
        return
    for violation in violations(subject.pack, found.name, subject.opened.document):
        yield Finding(
            "schema",
            _code(subject.pack, violation.kind),
            violation.text,
            pointer=violation.pointer,
            line=violation.line,
        )


def codelist(subject: Subject) -> Iterator[Finding]:
    """Coded values are in their code lists."""
    found = _readable(subject)
    if found is None or subject.opened.document is None:
        return
    for violation in coded_violations(subject.pack, found.name, subject.opened.document):
        yield Finding(
            "codelist",
            violation.code,
            violation.text,
            requirement=violation.requirement,
            pointer=violation.pointer,
            line=violation.line,
        )


def rule(subject: Subject) -> Iterator[Finding]:
    """The rules and conditions of the pack hold."""
    found = _readable(subject)
    if found is None or subject.opened.document is None:
        return
    for violation in rule_violations(subject.pack, found.name, subject.opened.document):
        yield Finding(
            "rule",
            violation.code,
            violation.text,
            requirement=violation.requirement,
            pointer=violation.pointer,
            line=violation.line,
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


def _readable(subject: Subject) -> Message | None:
    """The definition of the message, when its content may be judged: it is known, and signed where it must be."""
    opened = subject.opened
    if opened.name is None or opened.document is None:
        return None
    security = subject.pack.security
    if opened.report is not None and security.style != "none" and "body" in security.signed:
        if not opened.report.covers_body():
            return None
    return subject.pack.messages[opened.name]


def _code(pack: Pack, kind: str) -> str:
    constraint = pack.constraints.get(kind)
    if constraint is None:
        return kind
    return next((outcome.code for outcome in constraint.expectation.expect if outcome.code), kind)
