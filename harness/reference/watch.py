"""What passes a party is noted, and is on disk before an answer leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx

from harness.errors import HarnessError
from harness.evidence.clock import stamp
from harness.evidence.conversation import name_made_by
from harness.evidence.message import Opened, open_message
from harness.exchange.wire import Wire, WireTransport
from harness.pack.model import Pack
from harness.reference.answers import Reply
from harness.reference.delivery import now
from harness.reference.reading import Incoming
from harness.reference.store import Note, Store

Answer = Callable[[Incoming], Awaitable[Reply]]


@dataclass(frozen=True)
class Watch:
    """Notes what one party says and hears.

    Parameters:
        pack: the profile.
        store: where it is kept.
    """

    pack: Pack
    store: Store

    def around(self, answer: Answer) -> Answer:
        """The same as *answer*, noted; nothing that it changed can be lost once it has answered."""

        async def noted(incoming: Incoming) -> Reply:
            reply = await answer(incoming)
            line = f"{incoming.method} {incoming.target} HTTP/1.1"
            request = self._note("in", line, incoming.headers, incoming.body, None)
            self._note("out", f"HTTP/1.1 {reply.status}", reply.headers, reply.body, request)
            self.store.commit()
            return reply

        return noted

    def kept(self, answer: Answer) -> Answer:
        """The same as *answer*, on disk before it answers."""

        async def on_disk(incoming: Incoming) -> Reply:
            reply = await answer(incoming)
            self.store.commit()
            return reply

        return on_disk

    def sent(self, data: bytes, request: httpx.Request, wire: Wire | None, failure: str = "") -> None:
        """Note a request that the party sent, and its answer."""
        headers = dict(request.headers)
        name = self._note("out", f"{request.method} {request.url.path} HTTP/1.1", headers, data, None, failure)
        if wire is not None:
            came = dict(wire.response.head.headers)
            self._note("in", wire.response.head.line, came, wire.response.body, name)

    def _note(
        self,
        way: str,
        line: str,
        headers: Mapping[str, str],
        data: bytes,
        answer_to: str | None,
        failure: str = "",
    ) -> str | None:
        named = {str(name).lower(): str(value) for name, value in headers.items()}
        try:
            head = {"line": line, "headers": list(named.items())}
            opened = open_message(self.pack, head, data, at=now(), trust=None, answer_to=answer_to)
        except HarnessError:
            opened = Opened(None, "none")
        reference = name_made_by(self.pack, opened.name, "reference") if opened.name else None
        note = Note(
            at=stamp(now()),
            way=way,
            name=opened.name or line,
            reference=(opened.text(reference) if reference else None) or "",
            ended=failure or _ended(opened),
            address=line.split(" ")[1] if opened.shape == "request" else "",
            case=named.get((self.pack.case_header or "").lower(), ""),
            body=data,
        )
        self.store.note_message(note)
        return opened.name


class WatchedTransport(httpx.AsyncBaseTransport):
    """The transport of a party, with a watch on it."""

    def __init__(self, inner: WireTransport, watch: Watch) -> None:
        self._inner, self._watch = inner, watch

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and note what was sent and what came back."""
        data = await request.aread()
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.TransportError as failure:
            self._watch.sent(data, request, None, str(failure))
            raise
        self._watch.sent(data, request, response.extensions["wire"])
        return response

    async def aclose(self) -> None:
        """End all connections."""
        await self._inner.aclose()


def _ended(opened: Opened) -> str:
    if opened.shape == "refused":
        return "refused: " + ", ".join(f"{each.code} at {each.pointer}" for each in opened.errors)
    return "" if opened.shape == "request" else opened.shape
