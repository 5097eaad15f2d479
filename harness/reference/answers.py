"""Writing what a party sends: its messages from the golden samples, and its refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.message.binding import read
from harness.message.build import build, write_errors
from harness.message.envelope import make_fault
from harness.message.model import Binding, Document, Value
from harness.pack.model import Message, Pack
from harness.pack.sample import golden, golden_answer
from harness.reference.content import Error
from harness.reference.hooks import Hooks
from harness.reference.reading import TurnedAwayError


@dataclass(frozen=True)
class Reply:
    """An HTTP answer.

    Parameters:
        status, headers, body: what is sent.
        closed, cut: the connection ends instead, or half-way (only as a fault).
        after: what is to be done once it has left.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    closed: bool = False
    cut: bool = False
    after: Callable[[], None] = lambda: None


def compose(pack: Pack, hooks: Hooks, message: Message, values: Mapping[str, Value]) -> Document:
    """A message, or an answer that accepts: the golden sample with these values, where they differ from it."""
    sample = golden(pack.format, message.golden["accepted"])
    there = read(sample, message.bindings)
    wanted = hooks.build(values, message=message.name)
    changed = {name: value for name, value in wanted.items() if name not in there or there[name] != value}
    return build(sample, message.bindings, changed)


def refuse(
    pack: Pack, hooks: Hooks, request: Message, answer: Message, values: Mapping[str, Value], errors: tuple[Error, ...]
) -> Document:
    """An answer that refuses, with these errors."""
    sample = golden_answer(pack.format, answer, refused=True)
    places: dict[str, Binding] = {
        name: binding for name, binding in answer.bindings.items() if sample.pointers(binding.path)
    }
    wanted = hooks.build(values, message=answer.name)
    document = build(sample, places, {name: value for name, value in wanted.items() if name in places})
    shape = answer.errors
    if shape is None:
        return document
    names = (request.name, answer.name)
    also = tuple(
        Error(code, "/", "Refused.") for error in errors for code in hooks.errors_before(message=names, code=error.code)
    )
    records = [
        {
            "code": hooks.error_code(error.code, message=names),
            "pointer": None
            if (told := hooks.error_pointer(error.pointer, message=names, code=error.code)) is None
            else shape.written(told, request.root),
            "text": error.text,
        }
        for error in (*also, *errors)
    ]
    return write_errors(document, shape.each, shape.code, shape.pointer, shape.text, records)


def turn_away(pack: Pack, problem: TurnedAwayError, how: str = "fault") -> Reply:
    """The answer to what is no message: a SOAP fault, or an HTTP status and a sentence; or no answer at all."""
    soap = pack.security.soap
    if how == "close":
        return Reply(problem.status, {}, b"", closed=True)
    if how == "http" or pack.envelope == "none" or soap is None:
        return Reply(problem.status, {"content-type": "text/plain; charset=utf-8"}, b"The request is not accepted.\n")
    status = 400 if problem.fault == "Sender" and soap == "1.2" else 500
    return Reply(
        status, {"content-type": pack.media_type}, make_fault(soap, problem.fault, "The message is not accepted.")
    )


def wrong_reply(pack: Pack, kind: str) -> Reply:
    """What a broken system does in the place of an answer: a page for people, a fault with status 200, or nothing."""
    if kind == "close":
        return Reply(500, {}, b"", closed=True)
    if kind == "empty":
        return Reply(200, {"content-type": pack.media_type}, b"")
    if kind == "html":
        return Reply(200, {"content-type": "text/html"}, b"<html><body><h1>It works!</h1></body></html>")
    fault = turn_away(pack, TurnedAwayError(500, "internal", "Receiver"))
    return Reply(200, fault.headers, fault.body)
