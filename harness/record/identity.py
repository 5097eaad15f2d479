"""By what the evidence of a run is known again, whoever judges it, and whatever is said about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from harness.evidence.model import Event
from harness.judge.attempt import REPEATED

_GOES_ON = ("run-resumed", REPEATED)


def evidence_of(token: str, events: Iterable[Event]) -> tuple[str, ...]:
    """The digests of what the system under test sent in a run: one wherever the run went on, and one at its end.

    A digest is the SHA-256 of the token of the run and of the digests of all bytes that were received for a step, each
    once, sorted, one a line. Tool, times, plan, waivers and reviews are not in it, for whoever judges the run
    again chooses them. A run that goes on, or whose failed cases are played again, keeps the digests that it had.

    Parameters:
        token: of the run, which is in every reference that was sent.
        events: everything that was observed.

    Returns:
        ``sha256:<hex>`` each; empty when nothing was received.
    """
    received: set[str] = set()
    found: dict[str, None] = {}

    def note() -> None:
        if received:
            text = "\n".join((token, *sorted(received)))
            found[f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"] = None

    for event in events:
        if event.kind == "received":
            received.update(event.digests)
        elif event.kind in _GOES_ON:
            note()
    note()
    return tuple(found)
