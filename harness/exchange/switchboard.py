"""The switchboard: a received message finds the step that waits for it.

Rules:

1. A message finds its step by receiver, name and the values by which the pack correlates it. Of several steps of
   one case the one wins that agrees with it best in what is known of the movement; an event that was not asked for
   never fits, nor does what a step of the case has had already: the same bytes, or the same reference and values.
2. Where the SUT mints the value there is nothing to compare yet. Only one step at a time may wait so for the same
   message: see :meth:`Switchboard.claim`. What is known to belong to another case, open or over, is never for it.
   A step that is watched for before its cause has left waits by the values as soon as they are known, whoever waits
   alone meanwhile: see :meth:`Switchboard.watch`.
3. A message with the reference that the SUT gave when it was asked for it is the one, whatever else it says.
4. Where only one case is played at a time, a message that was asked for and says another value is still the one: the
   judge must see it. What belongs to a case that is over never is.
   A message that cannot be read belongs to the case that its HTTP header names, and to the one step of it that waits
   there; without one, to nobody: it may be anybody's, and must not stand in the place of what is still to come.
5. Where answers are messages of their own, an answer finds the request that waits for it: see
   :mod:`harness.exchange.answering`.
6. What finds no step is written down and turned away: as ``extra`` of the case, and of the attempt at it, to which its
   values or its reference belong, also when that is over, else as ``unmatched``.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any, NamedTuple

from harness.evidence.conversation import Conversation, Part, name_made_by
from harness.evidence.message import Opened, open_message
from harness.exchange.answering import RECEIVED, Pending, receipt, reference_replied_to
from harness.exchange.http import WireAnswer, WireRequest
from harness.exchange.parcel import turned_away
from harness.exchange.recorder import Recorder
from harness.exchange.service import ListenerFailure
from harness.exchange.wait import Arrival, Wait
from harness.pack.model import Pack
from harness.scenario.model import Exchange
from harness.security.model import Trust

_REPLY = ""
"""Stands in a mark for the reference of another message, whatever its bound name is."""

_MEMORY = 10_000
"""How many values of cases that are over are remembered."""

Mark = tuple[str, str]
"""A bound name and a value by which a message belongs to a case."""

Turn = tuple[str, int]
"""A case, and the number of an attempt at it."""


class _Had(NamedTuple):
    """A message that came: who got it, the digest of its bytes, and what it is."""

    receiver: str
    digest: str
    opened: Opened


class _Known(NamedTuple):
    """What is known of a case, and the conversation that says it.

    Parameters:
        conversation: what it was read from.
        marks: the values by which messages are correlated, and the references of all requests.
        references: of all requests, each with the values by which its message is correlated.
    """

    conversation: Conversation
    marks: set[Mark]
    references: dict[Mark, frozenset[Mark]]


class Switchboard:
    """Hands requests to the steps that wait for them; the handler of the listener.

    Parameters:
        pack: the profile.
        trust: what signatures are believed on.
        recorder: for what comes.
        one_case: only one case is played at a time, so a message with unknown values can only belong to it.
    """

    def __init__(
        self,
        pack: Pack,
        trust: Trust,
        recorder: Recorder,
        *,
        one_case: bool = False,
    ) -> None:
        self._pack, self._trust, self._recorder = pack, trust, recorder
        self._one_case = one_case
        self._waits: list[Wait] = []
        self._pending: list[Pending] = []
        self._keys = {name for message in pack.messages.values() for name in message.correlate}
        self._open: dict[str, Callable[[], Conversation]] = {}
        self._known: dict[str, _Known] = {}
        self._had: defaultdict[str, list[_Had]] = defaultdict(list)
        self._attempts: dict[str, int] = {}
        self._past: dict[Mark, Turn] = {}
        self._past_references: dict[Mark, frozenset[Mark]] = {}
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def claim(self, wait: Wait) -> AsyncIterator[None]:
        """Let a step wait; where nothing is known yet by which its message could be told, alone."""
        alone = not wait.anywhere and not wait.keys(self._pack)
        async with self._turn(wait) if alone else nullcontext():
            with self.waiting(wait):
                yield

    @asynccontextmanager
    async def watch(self, wait: Wait) -> AsyncIterator[None]:
        """Let a step wait for what the SUT is not asked for: at once, and alone in its turn while nothing is known."""
        turn = None if wait.keys(self._pack) else asyncio.ensure_future(self._take_turn(wait))
        try:
            with self.waiting(wait):
                yield
        finally:
            if turn is not None:
                turn.cancel()
                await asyncio.gather(turn, return_exceptions=True)

    async def _take_turn(self, wait: Wait) -> None:
        async with self._turn(wait):
            await asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def _turn(self, wait: Wait) -> AsyncIterator[None]:
        """The time in which no other step waits so for the same message."""
        async with self._locks[wait.step.receiver, wait.step.message]:
            wait.late = True
            yield

    @contextmanager
    def waiting(self, wait: Wait) -> Iterator[None]:
        """Let a step wait for as long as the context lasts; what came and was not answered is turned away."""
        self._waits.append(wait)
        try:
            yield
        finally:
            if wait in self._waits:
                self._waits.remove(wait)
            if wait.arrival.done() and not wait.arrival.cancelled():
                reply = wait.arrival.result().reply
                if not reply.done():
                    reply.set_result(refusal(self._pack, "Receiver"))

    @contextmanager
    def expecting(self, pending: Pending) -> Iterator[None]:
        """Let a request wait for its answer for as long as the context lasts."""
        self._pending.append(pending)
        try:
            yield
        finally:
            if pending in self._pending:
                self._pending.remove(pending)

    def enter(
        self, case: str, conversation: Callable[[], Conversation], after: str | None = None, attempt: int = 1
    ) -> None:
        """A case begins: from here on, what carries its values or references is for no other.

        Parameters:
            case, conversation: its id, and what gives what is known in it now.
            after: the case on whose movement it goes on; that one is over.
            attempt: which attempt at it, from 1.
        """
        if after is not None:
            self._open.pop(after, None)
            self._known.pop(after, None)
            self._attempts.pop(after, None)
            self._had[case] = self._had.pop(after, [])
        self._open[case], self._attempts[case] = conversation, attempt

    def retire(self, case: str, conversation: Conversation) -> None:
        """A case is over: what still comes for it finds no step, not even one that knows nothing yet."""
        self._open.pop(case, None)
        self._known.pop(case, None)
        self._had.pop(case, None)
        known = self._read(conversation)
        self._past.update(dict.fromkeys(known.marks, (case, self._attempts.pop(case, 1))))
        self._past_references.update(known.references)
        while len(self._past) > _MEMORY:
            mark = next(iter(self._past))
            del self._past[mark]
            self._past_references.pop(mark, None)

    async def __call__(self, request: WireRequest) -> WireAnswer:
        """Handle a request of the listener."""
        receiver, digest = _addressed(request), self._recorder.store.put(request.body)
        opened = self._opened(request)
        case = request.head.get(self._pack.case_header or "")
        had = _Had(receiver, digest, opened)
        pending = self._find_pending(had, case)
        if pending is not None:
            self._had[pending.case].append(had)
            return self._answered(pending, request, digest)
        wait = self._find(had, case)
        if wait is None:
            return self._stray(receiver, request, digest, opened)
        self._had[wait.case].append(had)
        reply: asyncio.Future[WireAnswer] = asyncio.get_running_loop().create_future()
        self._waits.remove(wait)
        self._received(wait.case, wait.step, "request", request, digest, opened.name or wait.step.message)
        wait.arrival.set_result(Arrival(request, opened, reply))
        return await reply

    def _received(
        self, case: str, step: Exchange, part: Part, request: WireRequest, digest: str, message: str | None
    ) -> None:
        asking = part == "request"
        self._recorder.write(
            "received",
            case,
            step.id,
            request.last,
            role=part,
            message=message,
            sender=step.sender if asking else step.receiver,
            receiver=_addressed(request) if asking else step.sender,
            digest=digest,
            head=request.head.to_json(),
            tls=request.tls.to_json() if request.tls else None,
            connection=request.connection,
            body_complete=request.body_complete,
        )

    def _opened(self, request: WireRequest, answer_to: str | None = None) -> Opened:
        at, head = request.last.at, request.head.to_json()
        return open_message(self._pack, head, request.body, at=at, trust=self._trust, answer_to=answer_to)

    def _answered(self, pending: Pending, request: WireRequest, digest: str) -> WireAnswer:
        opened = self._opened(request, pending.step.message)
        self._pending.remove(pending)
        self._received(pending.case, pending.step, "answer", request, digest, opened.name)
        pending.arrival.set_result(opened)
        return receipt(self._recorder, pending.case, pending.step, "answer")

    def failed(self, failure: ListenerFailure) -> None:
        """Write down what never became a request.

        Only who is known to be due to call is the SUT; what fails of it belongs to a step where just one waits.
        """
        ours = failure.known and failure.kind != "too-many"
        wait = self._waits[0] if len(self._waits) == 1 and ours and failure.count == 1 else None
        outcome = {"tls": "tls", "http": "http", "too-large": "http"}.get(failure.kind, "closed")
        self._recorder.write(
            "failed",
            wait.case if wait else None,
            wait.step.id if wait else None,
            failure.at,
            role="request",
            message=wait.step.message if wait else None,
            outcome={"kind": outcome, "code": None},
            text=f"From {failure.peer or 'somebody'}: {failure.text}.",
            blame="sut" if ours else "environment",
            **({"count": failure.count} if failure.count > 1 else {}),
        )

    def _find_pending(self, came: _Had, case: str | None) -> Pending | None:
        if self._pack.answers == "reply":
            return None
        opened, new = came.opened, [each for each in self._pending if not self._has_had(each.case, came)]
        if opened.name is None:
            due = [each for each in new if each.case == case and each.step.sender == came.receiver]
            return due[0] if len(due) == 1 else None
        found = [(each.fits(self._pack, came.receiver, opened, alone=self._one_case), each) for each in new]
        surest, pending = max(found, key=lambda each: each[0], default=(0, None))
        return pending if surest else None

    def _has_had(self, case: str, came: _Had) -> bool:
        """Whether a step of the case has had it: its bytes, or its reference with all that it says but the time."""
        return any(
            came.receiver == had.receiver and (came.digest == had.digest or self._repeats(came.opened, had.opened))
            for had in self._had.get(case, ())
        )

    def _repeats(self, opened: Opened, earlier: Opened) -> bool:
        name = name_made_by(self._pack, opened.name, "reference") if opened.name else None
        if opened.name != earlier.name or not name or not opened.values.get(name):
            return False
        untimed = [each for each in opened.values if self._pack.values[each].make.kind != "now"]
        return all(opened.values[each] == earlier.values[each] for each in untimed)

    def _find(self, came: _Had, case: str | None) -> Wait | None:
        opened = came.opened
        here = [wait for wait in self._waits if wait.anywhere or wait.step.receiver == came.receiver]
        if opened.name is None:
            due = [wait for wait in here if not wait.anywhere and wait.case == case]
            return due[0] if len(due) == 1 else None
        named = [wait for wait in here if wait.step.message == opened.name]
        told = next((wait for wait in named if wait.told(self._pack, opened)), None)
        known = {case: self._known_of(case) for case in self._open}
        marks = self._marks(opened) - self._used_again(opened, known.values())
        if told is not None or not self._past.keys().isdisjoint(marks):
            return told
        owners = {case for case, each in known.items() if not marks.isdisjoint(each.marks)}
        named = [wait for wait in named if owners <= {wait.case} or not wait.late]
        named = [wait for wait in named if not self._has_had(wait.case, came)]
        fitting = [wait for wait in named if wait.fits(self._pack, opened)]
        if len(fitting) > 1:
            return max(fitting, key=lambda wait: (not wait.anywhere, not wait.late, wait.agreement(opened)))
        if fitting:
            return fitting[0]
        asked = [wait for wait in named if not wait.anywhere and wait.step.reaction is None]
        return asked[0] if self._one_case and len(asked) == 1 else None

    def _known_of(self, case: str) -> _Known:
        """What is known of an open case; it is read when more was said than the last time."""
        conversation, known = self._open[case](), self._known.get(case)
        if known is None or known.conversation is not conversation:
            known = self._known[case] = self._read(conversation)
        return known

    def _read(self, conversation: Conversation) -> _Known:
        values = conversation.values.items()
        marks = {(name, value) for (name, _, _), value in values if name in self._keys and isinstance(value, str)}
        references = {}
        for said in conversation.said:
            name = name_made_by(self._pack, said.opened.name, "reference") if said.opened.name else None
            reference = said.opened.text(name) if name and said.part == "request" else None
            if name and reference:
                references[name, reference] = frozenset(self._telling(said.opened))
                marks |= {(name, reference), (_REPLY, reference)}
        return _Known(conversation, marks, references)

    def _used_again(self, opened: Opened, known: Iterable[_Known]) -> set[Mark]:
        """Its reference, where a message of another movement had it: used again by mistake, it tells nothing."""
        name = name_made_by(self._pack, opened.name, "reference") if opened.name else None
        reference = opened.text(name) if name else None
        if not name or not reference:
            return set()
        mark, all_known = (name, reference), [self._past_references, *[each.references for each in known]]
        movements = [references[mark] for references in all_known if mark in references]
        telling = self._telling(opened) if movements else set()
        return {mark} if telling and any(other and telling.isdisjoint(other) for other in movements) else set()

    def _telling(self, opened: Opened) -> set[Mark]:
        """The values by which a message is correlated."""
        values = opened.values.items()
        return {(name, value) for name, value in values if name in self._keys and isinstance(value, str)}

    def _marks(self, opened: Opened) -> set[Mark]:
        marks = {(name, value) for name, value in opened.values.items() if isinstance(value, str)}
        reference = reference_replied_to(self._pack, opened) if self._pack.answers == "message" else None
        return marks | ({(_REPLY, reference)} if reference else set())

    def _owner(self, opened: Opened) -> Turn | None:
        """The attempt at a case to which a message belongs by what it says."""
        marks = self._marks(opened)
        for case in self._open:
            if not marks.isdisjoint(self._known_of(case).marks):
                return case, self._attempts[case]
        return next((self._past[mark] for mark in sorted(marks & self._past.keys())), None)

    def _stray(self, receiver: str, request: WireRequest, digest: str, opened: Opened) -> WireAnswer:
        owner = self._owner(opened)
        belongs: dict[str, Any] = {} if owner is None else {"case": owner[0], "attempt": owner[1]}
        self._recorder.write(
            "unmatched" if owner is None else "extra",
            when=request.last,
            role="request",
            message=opened.name,
            receiver=receiver,
            digest=digest,
            head=request.head.to_json(),
            tls=request.tls.to_json() if request.tls else None,
            connection=request.connection,
            body_complete=request.body_complete,
            **belongs,
        )
        readable = self._pack.answers == "message" and opened.name is not None
        return WireAnswer(RECEIVED) if readable else refusal(self._pack)


def _addressed(request: WireRequest) -> str:
    """The party that a request is addressed to."""
    return request.target.partition("?")[0].strip("/").partition("/")[0]


def refusal(pack: Pack, code: str = "Sender") -> WireAnswer:
    """The answer to what is not due here."""
    status, parcel = turned_away(pack, code)
    return WireAnswer(status, parcel.headers, parcel.data)
