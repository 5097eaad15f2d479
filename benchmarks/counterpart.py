"""The counterpart of the benchmark: it answers and sends right messages, with as little else as can be.

It verifies nothing and records nothing, so that it is not what is waited for; its processor time is on the other core
and is not measured. Every message is signed anew and carries its own reference, and the reference of what it answers.

Start: ``python -m benchmarks.counterpart PACK CERTIFICATE KEY ANCHORS``. It prints its port, takes orders from its
standard input, one JSON object on a line, and ends with it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from harness.exchange.client import post
from harness.exchange.parcel import address, content_headers
from harness.exchange.tls import client_context, server_context
from harness.exchange.wire import Listener, WireAnswer, WireRequest, WireTransport
from harness.message.binding import read
from harness.message.build import build
from harness.message.document import parse
from harness.message.envelope import open_envelope
from harness.message.model import Document, Value, Values
from harness.pack.data import find_pack
from harness.pack.identify import identify
from harness.pack.load import load_pack
from harness.pack.model import Message, Pack
from harness.security.keys import load_certificates, load_identity
from harness.security.model import Identity
from harness.security.protect import protect

CANNED = "/canned/"
"""Below this path any request is answered with so many bytes: for the floor."""


class Party:
    """Makes messages.

    Parameters:
        pack: the profile.
        identity: what it signs with.
    """

    def __init__(self, pack: Pack, identity: Identity) -> None:
        self.pack, self._identity = pack, identity
        self._numbers = itertools.count(1)

    async def answer(self, request: WireRequest) -> WireAnswer:
        """Accept a request."""
        if request.target.startswith(CANNED):
            return WireAnswer(200, (), b"x" * int(request.target.removeprefix(CANNED)))
        payload = open_envelope(request.body, self.pack.security.soap).body
        assert payload is not None
        asked = self.pack.messages[identify(self.pack, root=payload.root) or ""]
        answer = self.pack.messages[asked.answer or ""]
        return WireAnswer(200, content_headers(self.pack, answer), self.make(answer, read(payload, asked.bindings)))

    def make(self, message: Message, known: Values) -> bytes:
        """A signed message.

        Parameters:
            known: what it must carry; for an answer, what the request says.
        """
        now = datetime.now(UTC)
        references = [name for name in known if self.pack.values[name].make.kind == "reference"]
        values: dict[str, Value] = {}
        for name in message.bindings:
            rule = self.pack.values[name]
            maker = rule.make
            if rule.scope != "message":
                if known.get(name) is not None:
                    values[name] = known[name]
            elif maker.kind == "reference":
                values[name] = f"PEER-{next(self._numbers)}"
            elif maker.kind == "reply":
                values[name] = known[references[0]]
            elif maker.kind == "now":
                values[name] = now.strftime(maker.text)
        document = build(_golden(self.pack.format, message.golden["accepted"]), message.bindings, values)
        return protect(document, self._identity, self.pack.security, now).data


@lru_cache
def _golden(form: str, path: Path) -> Document:
    return parse(form, path.read_bytes())


async def send(party: Party, transport: WireTransport, order: Mapping[str, str]) -> None:
    """Send what was ordered."""
    message = party.pack.messages[order["message"]]
    headers = content_headers(party.pack, message)
    data = party.make(message, json.loads(json.dumps(order["parameters"])))
    if party.pack.case_header:
        headers = (*headers, (party.pack.case_header, order["case"]))
    await post(transport, address(order["url"], message), data, headers, seconds=10)


async def main(pack: str, certificate: str, key: str, anchors: str) -> None:
    """Serve until the standard input ends."""
    identity, trusted = load_identity("counterpart", Path(certificate), Path(key)), load_certificates(Path(anchors))
    party = Party(load_pack(find_pack(pack)), identity)
    transport = WireTransport(client_context(identity, trusted))
    listener = await Listener.start("127.0.0.1", 0, server_context(identity, trusted), party.answer)
    print(json.dumps({"port": listener.port}), flush=True)
    loop, over, running = asyncio.get_running_loop(), asyncio.Event(), set()

    def take(line: str) -> None:
        task = loop.create_task(send(party, transport, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)

    def listen() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(take, line)
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=listen, daemon=True).start()
    await over.wait()
    await listener.close()
    await transport.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
