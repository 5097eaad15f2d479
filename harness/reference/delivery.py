"""Sending: a message is protected, carried, and its answer believed or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from harness.exchange.wire import WireFailure, post
from harness.message.model import Document, Values
from harness.pack.model import Message, Pack
from harness.reference.hooks import Hooks
from harness.reference.reading import Heard, Reader
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
        transport: carries requests.
    """

    pack: Pack
    identity: Identity
    spares: Mapping[str, Identity]
    reader: Reader
    book: Book
    hooks: Hooks
    transport: httpx.AsyncBaseTransport

    async def send(self, errand: Errand) -> Heard:
        """Send one request, wait for its answer, and record what an accepted answer changes."""
        message = errand.message
        body, headers = self.protect(message, errand.document)
        if self.pack.case_header and errand.case != "-":
            headers = {**headers, self.pack.case_header: errand.case}
        await asyncio.sleep(self.hooks.delay(message=message.name))
        heard = await self._exchange(errand, headers, body)
        self.book.hear(message.name, errand.values)
        if heard.kind == "accepted":
            self.book.apply(message.name, errand.values)
            if message.answer:
                self.book.hear(message.answer, heard.values)
        LOG.info("[%s] %s to %s: %s (%s)", errand.case, message.name, errand.receiver, heard.kind, heard.text)
        return heard

    def protect(self, message: Message, document: Document) -> tuple[bytes, Mapping[str, str]]:
        """The bytes of a message, signed, and the headers that go with them."""
        defect = self.hooks.sign(message=message.name)
        protected = protect(document, self.identity, self.pack.security, now(), defect, spares=self.spares)
        headers = {"Content-Type": self.pack.media_type}
        if message.action and self.pack.envelope == "soap-1.2":
            headers["Content-Type"] += f'; action="{message.action}"'
        elif message.action:
            headers["SOAPAction"] = f'"{message.action}"'
        return protected.data, {**headers, **protected.headers}

    async def _exchange(self, errand: Errand, headers: Mapping[str, str], body: bytes) -> Heard:
        message, seconds = errand.message, self.pack.timers["answer"].total_seconds()
        url = "/".join(filter(None, (errand.url.rstrip("/"), message.target.lstrip("/"))))
        try:
            wire = await post(self.transport, url, body, tuple(headers.items()), seconds=seconds, method=message.method)
        except WireFailure as problem:
            return Heard("broken", f"no answer: {problem.text}")
        response = wire.response
        if message.answer is None:
            return Heard("accepted" if response.status < 300 else "broken", f"HTTP {response.status}")
        came = {name.lower(): value for name, value in response.head.headers}
        return self.reader.answer(message, errand.values, came, response.body, now())


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)
