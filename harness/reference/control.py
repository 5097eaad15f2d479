"""The control interface of a reference party: the small HTTP contract of ``harness/schemas/control.openapi.json``."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from harness import __version__
from harness.errors import ConfigurationFault
from harness.reference.answers import Reply
from harness.reference.delivery import LOG, now
from harness.reference.party import Order, Party
from harness.reference.reading import Incoming

Reach = Callable[[str], Awaitable[str | None]]
"""Tries to reach an address; tells why it could not, or ``None``."""


class Control:
    """Answers the calls of the control interface.

    Parameters:
        party: who is controlled.
        token: what every call must carry.
        reach: tries to reach an address, for ``/callback``.
    """

    def __init__(self, party: Party, token: str, reach: Reach) -> None:
        self._party, self._token, self._reach = party, token.encode(), reach

    async def answer(self, incoming: Incoming) -> Reply:
        """Answer one call."""
        given = incoming.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if not hmac.compare_digest(given, self._token):
            return _json(401, {"error": "the token is missing or wrong"})
        calls = {
            ("GET", "/"): self._about,
            ("POST", "/actions"): self._act,
            ("POST", "/state"): self._state,
            ("POST", "/reset"): self._reset,
            ("POST", "/callback"): self._callback,
        }
        call = calls.get((incoming.method, incoming.target))
        if call is None:
            return _json(404, {"error": f"there is no {incoming.method} {incoming.target}"})
        try:
            return await call(json.loads(incoming.body or b"{}"))
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            return _json(400, {"error": f"the body is not as it must be: {type(problem).__name__} {problem}"})
        except ConfigurationFault as problem:
            return _json(422, {"error": str(problem)})

    async def _about(self, _: Mapping[str, Any]) -> Reply:
        about = {
            "name": f"reference {self._party.role}",
            "version": __version__,
            "time": now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "actions": list(self._party.actions),
            "positions": list(self._party.positions),
        }
        return _json(200, about)

    async def _act(self, body: Mapping[str, Any]) -> Reply:
        order = Order(
            case=str(body["case"]),
            step=str(body["step"]),
            message=str(body["message"]),
            receiver=str(body["receiver"]["party"]),
            url=str(body["receiver"]["url"]),
            position=body.get("position"),
            parameters=dict(body["parameters"]),
        )
        reference = self._party.act(order)
        LOG.info("[%s] told to send %s to %s (step %s)", order.case, order.message, order.receiver, order.step)
        return _json(202, {"status": "accepted", "reference": reference})

    async def _state(self, body: Mapping[str, Any]) -> Reply:
        return _json(200, {"state": self._party.book.report(str(body["object"]), dict(body["key"]))})

    async def _reset(self, _: Mapping[str, Any]) -> Reply:
        self._party.reset()
        return Reply(204, {}, b"")

    async def _callback(self, body: Mapping[str, Any]) -> Reply:
        problem = await self._reach(str(body["url"]))
        return _json(200, {"reachable": problem is None, "detail": problem or "The TLS handshake succeeded."})


def _json(status: int, document: Mapping[str, Any]) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(document).encode())
