"""Opening what arrives: a request or an answer, signed or not, of the protocol or not.

A receiver that cannot trust a message answers with a SOAP fault ``Sender`` where the pack has envelopes, and with
HTTP 403 where it has not (400 when the bytes are not a message). It says no more: who cannot sign learns nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from harness.errors import MalformedInput
from harness.message.binding import errors_binding, read
from harness.message.document import is_format
from harness.message.envelope import SoapFault
from harness.message.model import Document, Values
from harness.pack.identify import identify
from harness.pack.model import Message, Outcome, Pack
from harness.reference.content import Error, content_errors
from harness.reference.hooks import Hooks
from harness.reference.rewrite import mended
from harness.security.model import Trust
from harness.security.protect import Inspected, inspect


@dataclass(frozen=True)
class Incoming:
    """An HTTP request as it came: header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Received:
    """A message that may be looked into.

    Parameters:
        message: which one.
        document: its payload.
        values: its bound values.
        signer: common name of the certificate that signed it; ``""`` when nobody did.
    """

    message: Message
    document: Document
    values: Values
    signer: str


@dataclass(frozen=True)
class Heard:
    """What came back for a request.

    Parameters:
        kind: ``accepted``, ``refused``, or ``broken``: an answer on which nobody may build.
        text: one phrase for the log.
        values: of an accepted answer.
        errors: of a refused one.
    """

    kind: str
    text: str
    values: Values = field(default_factory=dict)
    errors: tuple[Error, ...] = ()


class TurnedAwayError(Exception):
    """What arrived is no message that may be answered in the protocol.

    Parameters:
        status: HTTP status where there are no envelopes.
        text: one phrase.
        fault: code of the SOAP fault.
    """

    def __init__(self, status: int, text: str, fault: str = "Sender") -> None:
        super().__init__(text)
        self.status, self.text, self.fault = status, text, fault


@dataclass(frozen=True)
class Reader:
    """Opens messages for one party.

    Parameters:
        pack: the profile.
        trust: what signatures are believed on.
        hooks: the faults of the party.
    """

    pack: Pack
    trust: Trust
    hooks: Hooks

    def request(self, incoming: Incoming, now: datetime) -> Received:
        """Open a request.

        Raises:
            TurnedAwayError: it cannot be read, cannot be trusted, or is no request of the pack.
        """
        kind = incoming.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != self.pack.media_type:
            raise TurnedAwayError(415, f"content of another kind: {kind or 'none is named'}")
        document, signer, problems = self._open(incoming.body, incoming.headers, now)
        name = self._name(incoming, document) if document else None
        self._trust(problems, name)
        if document is None:
            raise TurnedAwayError(400, "there is no message")
        if name is None or (self.pack.answers == "reply" and self.pack.messages[name].answers is not None):
            raise TurnedAwayError(404, "this is no request of the protocol")
        message = self.pack.messages[name]
        self._trust(self._of_another(message, signer), name)
        return Received(message, document, read(document, message.bindings), signer)

    def answer(self, request: Message, sent: Values, headers: Mapping[str, str], body: bytes, now: datetime) -> Heard:
        """Open the answer to a request, and decide whether one may build on it.

        Parameters:
            request: the message that was sent.
            sent: its values.
            headers, body: what came back.
        """
        try:
            document, _, problems = self._open(body, headers, now)
            self._trust(problems, request.answer)
        except TurnedAwayError as problem:
            return Heard("broken", problem.text)
        message = self.pack.messages[request.answer or ""]
        if document is None or (self.pack.identify == "root" and document.root != message.root):
            return Heard("broken", f"this is not {message.name}")
        return self.reply(request, sent, message, document)

    def reply(self, request: Message, sent: Values, message: Message, document: Document) -> Heard:
        """Decide whether one may build on an answer that could be read.

        Parameters:
            request, sent: the message that was sent, and its values.
            message, document: what came back.
        """
        errors = content_errors(self.pack, self.hooks, message.name, document)
        if errors:
            return Heard("broken", f"{message.name} is wrong: {errors[0].text}")
        values = read(document, message.bindings)
        stranger = self._stranger(request, message, sent, values)
        if stranger:
            return Heard("broken", stranger)
        refused = self._errors(message, document)
        if message.name not in self.pack.answering(request.name):
            return Heard("broken", f"{message.name} does not answer {request.name}")
        if refused or not self._accepts(message, document):
            return Heard("refused", ", ".join(f"{each.code} at {each.pointer}" for each in refused), errors=refused)
        return Heard("accepted", "accepted", values)

    def _open(
        self, body: bytes, headers: Mapping[str, str], now: datetime
    ) -> tuple[Document | None, str, tuple[str, ...]]:
        """The payload, who signed it, and the problems of its signature."""
        if stumbles := self.hooks.finds_unreadable(headers, body):
            raise TurnedAwayError(400, f"the message cannot be read: {stumbles}")
        try:
            inspected = self._inspect(body, headers, now)
            if inspected.fault is not None:
                raise TurnedAwayError(400, f"a SOAP fault: {_shown(inspected.fault)}")
            if inspected.document is not None and not is_format(inspected.document, self.pack.format):
                raise TurnedAwayError(400, f"this is not {self.pack.format}")
            codes = tuple(problem.code for problem in inspected.report.problems)
            codes += tuple(self._less_tolerant(inspected.report.created, now))
        except MalformedInput as problem:
            raise TurnedAwayError(400, f"the message cannot be read: {problem.what}") from None
        return inspected.document, _common_name(inspected.report.certificate), codes

    def _inspect(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Inspected:
        try:
            return inspect(body, dict(headers), self.pack.security, self.trust, now)
        except MalformedInput:
            if not self.hooks.reads_leniently:
                raise
            return inspect(mended(body), dict(headers), self.pack.security, self.trust, now)

    def _less_tolerant(self, created: datetime | None, now: datetime) -> Iterator[str]:
        """The problems of a time stamp that is fresh by the profile, and not by the faults of the party."""
        ahead = (created - now).total_seconds() if created is not None else 0.0
        for problem, off in (("timestamp/future", ahead), ("timestamp/stale", -ahead)):
            seconds = self.hooks.tolerance(problem=problem) if off > 0 else None
            if seconds is not None and off > seconds:
                yield problem

    def _of_another(self, message: Message, signer: str) -> tuple[str, ...]:
        """The problem of a message that a known party signed which may not send it."""
        forwarders = {each.by for each in self.pack.reactions if each.forward and each.send == message.name}
        party = self.pack.parties.get(signer)
        wrong = party is not None and party.role not in {message.sender, *forwarders}
        return ("certificate/wrong-party",) if wrong else ()

    def _trust(self, problems: tuple[str, ...], name: str | None) -> None:
        left = [code for code in problems if not self.hooks.accepts_problem(message=name, problem=code)]
        if left:
            raise TurnedAwayError(403, f"the message is not trusted: {', '.join(left)}")

    def _name(self, incoming: Incoming, document: Document) -> str | None:
        return identify(
            self.pack,
            root=document.root,
            action=_action(incoming.headers),
            method=incoming.method,
            target=incoming.target,
        )

    def _stranger(self, request: Message, message: Message, sent: Values, values: Values) -> str | None:
        """Why this answer belongs to another request, or ``None``."""
        if self.hooks.ignores_correlation(message=(request.name, message.name)):
            return None
        kinds = {name: rule.make.kind for name, rule in self.pack.values.items()}
        references = {value for name, value in sent.items() if kinds[name] == "reference"}
        for name, value in values.items():
            if kinds[name] == "reply" and references and value not in references:
                return f"{message.name} answers another message"
            if name in request.correlate and name in sent and value is not None and value != sent[name]:
                return f"{message.name} speaks of another {name}"
        return None

    def _errors(self, message: Message, document: Document) -> tuple[Error, ...]:
        shape = message.errors
        if shape is None:
            return ()
        binding = errors_binding(shape.each, shape.code, shape.pointer, shape.text)
        listed = read(document, {"errors": binding})["errors"] or ()
        return tuple(
            Error(each.get("code"), each.get("pointer"), each.get("text") or "")
            for each in listed
            if isinstance(each, Mapping)
        )

    def _accepts(self, message: Message, document: Document) -> bool:
        if message.accepted is None:
            return not message.refuses
        path, values = message.accepted
        return any(text in values for text in document.texts(path))


def outcome_of(errors: tuple[Error, ...]) -> Outcome:
    """A refusal that was heard, as one that can be passed on."""
    first = errors[0] if errors else Error(None, None, "")
    return Outcome("error", first.code, first.pointer, first.by)


def _action(headers: Mapping[str, str]) -> str | None:
    """The SOAP action: a header in SOAP 1.1, a parameter of the content type in SOAP 1.2."""
    _, found, parameter = headers.get("content-type", "").partition("action=")
    text = parameter.partition(";")[0] if found else headers.get("soapaction", "")
    return text.strip().strip('"') or None


def _common_name(certificate: bytes | None) -> str:
    if certificate is None:
        return ""
    names = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _shown(fault: SoapFault) -> str:
    return f"{fault.code}: {fault.text}"
