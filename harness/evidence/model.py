"""Events: everything that was observed, in the order in which it was written down.

One event is one line of ``evidence/events.jsonl``. The bytes it speaks of are in the store, by digest. An
event says what happened and never what it means: meaning is the judge's. One with ``shared`` in its data repeats the
event of that number for another case, which went on on the same movement.

=====================  =====================================================================================
kind                   data
=====================  =====================================================================================
``run-started``        run, tool, python, platform, clock (UTC), seed, challenge
``run-resumed``        the same, when it goes on after it was stopped or cut
``run-repeated``       the same, and cases: ids of those that are played again after they had a verdict
``case-started``       attempt (from 1), values (what simulated parties will set in it), drawn (the next entry of each
                       pool whose entries are used up)
``case-finished``      ended: ``complete`` | ``stopped`` (a step made the next ones pointless) | ``cancelled`` |
                       ``no-data`` (a pool or a number range is exhausted); reason (a sentence, may be empty)
``waiting``            message, sender, receiver, until (UTC), why (a sentence)
``sent``               role: ``request`` | ``answer``; message, sender, receiver, digest (payload bytes as on the wire),
                       head (``{"line": request or status line, "headers": [[name, value], ...]}``), tls, defect,
                       connection
``received``           the same, without defect; plus body_complete (bool)
``simulated``          role, message, sender, receiver, digest: never on a wire
``receipt``            role: of the part that was received; sender, receiver: of the receipt; digest, head, tls,
                       connection: the HTTP response to a message that is answered by another one
``failed``             role: of the missing part; message, outcome (kind, code), text, blame: ``sut`` or
                       ``environment``; count, where it tells of several
``silence``            role: of the missing part; message, sender, receiver, since, until: nothing came
``quiet``              message, party, since, until: watched, and what came is in ``received``
``unmatched``          receiver, digest, head: a message that belongs to no waiting step and to no case
``extra``              the same, for a message that carries values or a reference of a case: its case is set, also when
                       the case is over; attempt: the one that it belongs to
``control-call``       action, parameters (no secrets)
``control-answer``     status, body (JSON), or error
``state``              object, key, state: the answer to a probe; ``state`` is null when not observable
``attested``           question; answer and person, or null while nobody has answered; files: name, digest and size of
                       each document that shows it
``fault``              text: this program did something wrong in this case (:class:`~harness.errors.HarnessFault`)
``lag``                seconds: how late the loop was, when over the recorded uncertainty, or for how long this
                       computer could accept no connection
``clock-set``          seconds: by how much somebody set the wall clock of this computer; the times of the events go on
                       as they began
``run-finished``       complete (bool), reason
=====================  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Event(NamedTuple):
    """One observation.

    Parameters:
        seq: its number, from 0, without holes.
        kind: one of the table above.
        at: UTC, RFC 3339 with microseconds, from the clock of the run at the socket.
        mono: nanoseconds of the monotonic clock, for durations.
        case: case id, or ``None``.
        step: step id, or ``None``.
        data: the rest, JSON values only.
    """

    seq: int
    kind: str
    at: str
    mono: int
    case: str | None
    step: str | None
    data: Mapping[str, Any]

    @property
    def digests(self) -> tuple[str, ...]:
        """The digests of the bytes that it speaks of."""
        own = self.data.get("digest")
        return (*((str(own),) if own else ()), *(str(each["digest"]) for each in self.data.get("files", ())))
