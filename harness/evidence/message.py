"""A message on the wire, opened: which one it is, what it says, who signed it, or why it cannot be read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from harness.errors import MalformedInput
from harness.message.binding import errors_binding, read
from harness.message.document import is_format
from harness.message.envelope import SoapFault
from harness.message.model import Document, Limits, Value
from harness.pack.identify import identify
from harness.pack.model import Message, Outcome, Pack
from harness.security.model import SignatureReport, Trust
from harness.security.protect import inspect, open_unsigned

Shape = Literal["request", "accepted", "refused", "fault", "none"]


@dataclass(frozen=True)
class ErrorItem:
    """One error that an answer reports."""

    code: str
    pointer: str | None
    text: str | None


class Opened(NamedTuple):
    """What a message turned out to be.

    Parameters:
        name: name of the message in the pack, ``None`` when it is none of them.
        shape: ``request``, ``accepted`` or ``refused`` (answers), ``fault``, or ``none`` (nothing of the protocol).
        document: the payload, ``None`` when there is none or it cannot be read.
        values: the bound values.
        errors: the errors of a refused answer.
        report: what the signature says; ``None`` when it was not looked at (our own messages).
        fault: the SOAP fault, if it is one.
        malformed: why it cannot be read.
        status: HTTP status of an answer.
    """

    name: str | None
    shape: Shape
    document: Document | None = None
    values: Mapping[str, Value] = MappingProxyType({})
    errors: tuple[ErrorItem, ...] = ()
    report: SignatureReport | None = None
    fault: SoapFault | None = None
    malformed: MalformedInput | None = None
    status: int | None = None

    def text(self, name: str) -> str | None:
        """A bound value that is one text, else ``None``."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None


def open_message(
    pack: Pack,
    head: Mapping[str, Any],
    data: bytes,
    *,
    at: datetime,
    trust: Trust | None,
    answer_to: str | None = None,
    name: str | None = None,
    payload: Document | None = None,
) -> Opened:
    """Open one message of the wire.

    Parameters:
        pack: the profile.
        head: ``{"line": ..., "headers": [[name, value], ...]}``.
        data: the body as it came.
        at: time at which certificates and timestamps are judged.
        trust: what signatures are believed on; ``None`` leaves the signature alone (our own messages).
        answer_to: name of the request that this answers, or ``None`` for a request, or for what is looked at by itself.
        name: the message, where it is known because we made it; otherwise it is told from the message itself.
        payload: what stands in these very bytes, where they were read already: they are not read again.
    """
    headers = tuple([(str(name).lower(), str(value)) for name, value in head.get("headers", ())])
    key = (pack, str(head.get("line", "")), headers, data, at, trust, answer_to, name)
    opened = _latest.get(key)
    if opened is None:
        opened = _open(*key, payload)
        _latest.put(key, opened, len(data))
    return opened


def forget_messages() -> None:
    """Let go of the messages that were opened last: nobody opens them again."""
    _latest.clear()


class _Latest:
    """The messages of the cases in flight: the play opens them first, the judge again at the end.

    Whoever sends long ones makes us forget sooner, and does not fill the memory: a tree takes ten times its text.
    """

    MOST, BYTES = 256, 16 * 1024 * 1024

    def __init__(self) -> None:
        self._opened: OrderedDict[Hashable, tuple[Opened, int]] = OrderedDict()
        self._bytes, self._lock = 0, Lock()

    def get(self, key: Hashable) -> Opened | None:
        opened, _ = self._opened.get(key, (None, 0))
        return opened

    def put(self, key: Hashable, opened: Opened, size: int) -> None:
        with self._lock:
            self._bytes += size - self._opened.pop(key, (opened, 0))[1]
            self._opened[key] = opened, size
            while len(self._opened) > self.MOST or self._bytes > self.BYTES:
                _, (_, gone) = self._opened.popitem(last=False)
                self._bytes -= gone

    def clear(self) -> None:
        with self._lock:
            self._opened.clear()
            self._bytes = 0


_latest = _Latest()


def _open(
    pack: Pack,
    line: str,
    headers: tuple[tuple[str, str], ...],
    data: bytes,
    at: datetime,
    trust: Trust | None,
    answer_to: str | None,
    name: str | None,
    payload: Document | None,
) -> Opened:
    status = status_of(line)
    if answer_to is not None and not data.strip():
        return Opened(None, "none", status=status)
    document: Document | None
    fault: SoapFault | None = None
    report: SignatureReport | None = None
    try:
        if trust is not None:
            inspected = inspect(data, dict(headers), pack.security, trust, at, Limits())
            document, fault, report = inspected.document, inspected.fault, inspected.report
        elif payload is not None:
            document = payload
        else:
            document, fault = open_unsigned(data, pack.security, Limits())
    except MalformedInput as malformed:
        return Opened(None, "none", malformed=malformed, status=status)
    if fault is not None:
        return Opened(None, "fault", report=report, fault=fault, status=status)
    if document is None:
        return Opened(None, "none", report=report, status=status)
    if not is_format(document, pack.format):
        return Opened(None, "none", malformed=MalformedInput("format", f"this is not {pack.format}"), status=status)
    name = name or _name_of(pack, document, line, dict(headers), answer_to)
    if name is None:
        return Opened(None, "none", document, report=report, status=status)
    message = pack.messages[name]
    errors = _errors(pack, message, document)
    if pack.identify != "root" and status is not None and status >= 400 and not _speaks(message, document, errors):
        return Opened(None, "none", document, report=report, status=status)
    return Opened(
        name,
        "request" if answer_to is None and pack.answers == "message" else _shape(message, document, errors),
        document,
        read(document, message.bindings),
        errors,
        report,
        status=status,
    )


def status_of(line: str) -> int | None:
    """HTTP status of a status line, ``None`` for a request line."""
    if not line.startswith("HTTP/"):
        return None
    parts = line.split(" ", 2)
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None


def _name_of(
    pack: Pack, document: Document, line: str, headers: Mapping[str, str], answer_to: str | None
) -> str | None:
    if answer_to is not None and pack.identify != "root" and pack.answers == "reply":
        return pack.messages[answer_to].answer
    method, _, rest = line.partition(" ")
    return identify(
        pack,
        root=document.root,
        action=declared_action(headers),
        method=method,
        target=rest.partition(" ")[0],
    )


def declared_action(headers: Mapping[str, str]) -> str | None:
    """SOAP action: a header in SOAP 1.1 (section 6.1.1), a media type parameter in SOAP 1.2 (part 2, 6.5.3)."""
    if "soapaction" in headers:
        return headers["soapaction"].strip().strip('"')
    for parameter in headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "action":
            return value.strip().strip('"')
    return None


def _errors(pack: Pack, message: Message, document: Document) -> tuple[ErrorItem, ...]:
    shape = message.errors
    if shape is None:
        return ()
    binding = errors_binding(shape.each, shape.code, shape.pointer, shape.text)
    found = read(document, {"errors": binding})["errors"]
    if not found:
        return ()
    roots = [each.root for each in pack.messages.values()] if shape.rooted else []
    return tuple(
        ErrorItem(item.get("code") or "", None if told is None else shape.place(told, roots), item.get("text"))
        for item in found
        if not isinstance(item, str)
        for told in (item.get("pointer"),)
    )


def _speaks(message: Message, document: Document, errors: Sequence[ErrorItem]) -> bool:
    """Whether an HTTP refusal carries an answer of the protocol, and not some page about the problem."""
    return bool(errors) or (message.accepted is not None and bool(document.texts(message.accepted[0])))


def _shape(message: Message, document: Document, errors: Sequence[ErrorItem]) -> Shape:
    if not message.replies:
        return "request"
    if message.refuses:
        return "refused"
    if message.accepted is not None:
        path, values = message.accepted
        return "accepted" if set(document.texts(path)) & set(values) else "refused"
    return "refused" if errors else "accepted"


def outcomes_of(pack: Pack, opened: Opened) -> tuple[Outcome, ...]:
    """How an exchange ended, as its answer says: one outcome, or one for each error of a refusal."""
    by = opened.name if pack.answers == "message" else None
    if opened.shape == "accepted":
        return (Outcome("accepted"),)
    if opened.shape == "refused":
        said = tuple(Outcome("error", item.code, item.pointer, by) for item in opened.errors)
        return said or (Outcome("error", by=by),)
    if opened.fault is not None:
        return (Outcome("fault", opened.fault.code),)
    return (Outcome("http", str(opened.status) if opened.status else None),)
