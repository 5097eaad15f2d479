"""What a receiver says about the content of a message: schema, code lists, rules; in the words of an answer."""

from __future__ import annotations

from dataclasses import dataclass

from harness.message.model import Document
from harness.pack.codelist import coded_violations
from harness.pack.model import Outcome, Pack
from harness.pack.rule import rule_violations
from harness.pack.schema import violations
from harness.reference.hooks import Hooks


@dataclass(frozen=True)
class Error:
    """One error of an answer that refuses.

    Parameters:
        code, pointer, text: what is wrong, and where.
        by: name of the message that says so; ``None`` leaves it to the pack.
    """

    code: str | None
    pointer: str | None
    text: str
    by: str | None = None


def content_errors(pack: Pack, hooks: Hooks, message: str, document: Document) -> tuple[Error, ...]:
    """Everything that is wrong with the content; the schema first, and the rest only when it is valid."""
    wrong = tuple(
        _schema_error(pack, violation.kind, violation.pointer, violation.text)
        for violation in violations(pack, message, document)
        if not hooks.accepts_violation(message=message, kind=violation.kind)
    )
    if wrong:
        return wrong
    refusing = next(iter(pack.messages[message].refusals), None)
    return tuple(
        Error(breach.code, breach.pointer, breach.text, refusing)
        for breach in (*coded_violations(pack, message, document), *rule_violations(pack, message, document))
        if not hooks.accepts_breach(message=message, code=breach.code)
    )


def _schema_error(pack: Pack, kind: str, pointer: str, text: str) -> Error:
    """The pack says how a kind of violation is answered; the first expected outcome is taken."""
    constraint = pack.constraints.get(kind)
    expected = constraint.at(pointer).expectation.expect if constraint else ()
    outcome = next((each for each in expected if each.kind == "error"), Outcome("error"))
    return Error(outcome.code, outcome.pointer or pointer, text, outcome.by)
