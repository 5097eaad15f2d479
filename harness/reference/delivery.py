"""Sending: a message is protected, carried, and its answer believed or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from harness.exchange.wire import WireFailure, WireResponse, post
from harness.message.model import Document, Values
from harness.pack.model import ANSWER, Message, Pack
from harness.reference.hooks import Hooks
from harness.reference.mailbox import Mailbox
from harness.reference.reading import Heard, Reader
from harness.reference.rewrite import rewritten
from harness.reference.state import Book
from harness.security.model import Identity
from harness.security.protect import protect

LOG = logging.getLogger("harness.reference")


@dataclass(frozen=True)
class Errand:
    """One request on its way.

    Parameters:
        case: for the log, and for the header that carries the case.
        message, document, values: what is sent.
        sender, receiver: party ids.
        url: where the receiver listens.
    """

    case: str
    message: Message
    document: Document
    values: Values
    sender: str
    receiver: str
    url: str


@dataclass(frozen=True)
class Delivery:
    """Sends the requests of one party.

    Parameters:
        pack: the profile.
        identity: what it signs with.
        spares: identities that are wrong on purpose, by what is wrong, for the faults that need one.
        reader, book, hooks: how it reads answers, what it knows, its faults.
        mailbox: where answers in messages of their own are waited for.
        transport: carries requests.
    """

    pack: Pack
    identity: Identity
    spares: Mapping[str, Identity]
    reader: Reader
    book: Book
    hooks: Hooks
    mailbox: Mailbox
    transport: httpx.AsyncBaseTransport

    async def send(self, errand: Errand) -> Heard:
        """Send one request, wait for its answer, and record what an accepted answer changes.

        What silence accepts counts from the moment in which it is sent; a refusal takes it back.
        """
        message = errand.message
        body, headers = self.protect(message, errand.document)
        if self.pack.case_header and errand.case != "-":
            headers = {**headers, self.pack.case_header: errand.case}
        await asyncio.sleep(self.hooks.delay(message=message.name))
        tacit = self.pack.silence(message.name).kind == "accepted"
        take_back = self.book.apply(message.name, errand.values) if tacit else None
        self.book.hear(message.name, errand.values)
        heard = await self._exchange(errand, headers, body)
        if heard.kind == "accepted" and not tacit:
            self.book.apply(message.name, errand.values)
        elif heard.kind != "accepted" and take_back is not None:
            take_back()
        if heard.kind == "accepted" and message.answer:
            self.book.hear(message.answer, heard.values)
        LOG.info("[%s] %s to %s: %s (%s)", errand.case, message.name, errand.receiver, heard.kind, heard.text)
        return heard

    def protect(self, message: Message, document: Document) -> tuple[bytes, Mapping[str, str]]:
        """The bytes of a message, signed, and the headers that go with them."""
        name = message.name
        claimed = now() + timedelta(seconds=self.hooks.clock(message=name))
        document = rewritten(document, self.hooks, name)
        defect = self.hooks.sign(message=name)
        protected = protect(document, self.identity, self.pack.security, claimed, defect, spares=self.spares)
        headers = {"Content-Type": self.pack.media_type}
        if message.action and self.pack.envelope == "soap-1.2":
            headers["Content-Type"] += f'; action="{message.action}"'
        elif message.action:
            headers["SOAPAction"] = f'"{message.action}"'
        data = self.hooks.wire(protected.data, message=name)
        return data, self.hooks.headers({**headers, **protected.headers}, message=name)

    async def hand_over(self, case: str, message: Message, document: Document, url: str) -> None:
        """Send a message that needs no answer; what comes back for it is only logged."""
        body, headers = self.protect(message, document)
        if self.pack.case_header and case != "-":
            headers = {**headers, self.pack.case_header: case}
        try:
            status = str((await self._post(message, url, headers, body)).status)
        except WireFailure as problem:
            status = problem.text
        LOG.info("[%s] %s to %s: %s", case, message.name, url, status)

    async def _post(self, message: Message, base: str, headers: Mapping[str, str], body: bytes) -> WireResponse:
        seconds = self.pack.timers[ANSWER].total_seconds()
        url = "/".join(filter(None, (base.rstrip("/"), message.target.lstrip("/"))))
        wire = await post(self.transport, url, body, tuple(headers.items()), seconds=seconds, method=message.method)
        return wire.response

    async def _correspond(self, errand: Errand, headers: Mapping[str, str], body: bytes) -> Heard:
        """Send a request whose answer is a message of its own."""
        message = errand.message
        with self.mailbox.expecting(message.name, self.book.reference(errand.values)) as answer:
            response = await self._post(message, errand.url, headers, body)
            if not 200 <= response.status < 300:
                return Heard("broken", f"HTTP {response.status}")
            try:
                async with asyncio.timeout(self.pack.timers[message.within].total_seconds()):
                    received = await answer
            except TimeoutError:
                tacit = self.pack.silence(message.name).kind == "accepted"
                return Heard("accepted", "by silence") if tacit else Heard("broken", "no answer")
        return self.reader.reply(message, errand.values, received.message, received.document)

    async def _exchange(self, errand: Errand, headers: Mapping[str, str], body: bytes) -> Heard:
        message = errand.message
        try:
            if self.pack.answers == "message":
                return await self._correspond(errand, headers, body)
            response = await self._post(message, errand.url, headers, body)
        except WireFailure as problem:
            return Heard("broken", f"no answer: {problem.text}")
        if message.answer is None:
            return Heard("accepted" if response.status < 300 else "broken", f"HTTP {response.status}")
        came = {name.lower(): value for name, value in response.head.headers}
        return self.reader.answer(message, errand.values, came, response.body, now())


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)
