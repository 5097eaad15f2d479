"""One reference party: it receives, checks, answers and reacts, and it acts when told.

Rules:

1. Nothing is read before its signature is verified, and nothing is recorded before it is accepted.
2. What must be forwarded is forwarded before the answer, which depends on it; notifications follow the answer.
3. An answer that is broken in any way changes nothing: the party believes only what it can verify.
4. Where answers are messages of their own, a request gets a receipt at once, and whatever answers it follows. A
   message that may not be refused, such as a refusal, is never answered.
5. All knowledge about messages, roles and states is the pack's; all mistakes are the hooks'.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import partial
from uuid import uuid4

from harness.errors import ConfigurationFault, HarnessError
from harness.message.build import build
from harness.message.model import Document, Values
from harness.pack.model import Message, Outcome, Pack, Reaction
from harness.reference.answers import Reply, compose, refuse, turn_away, wrong_reply
from harness.reference.content import Error, content_errors
from harness.reference.delivery import LOG, Delivery, Errand, now
from harness.reference.hooks import Hooks
from harness.reference.mailbox import Mailbox
from harness.reference.mint import Occasion, Writer
from harness.reference.reading import Heard, Incoming, Reader, Received, TurnedAwayError, outcome_of
from harness.reference.seats import Seats
from harness.reference.state import Book


@dataclass(frozen=True)
class Order:
    """What the control interface asks for.

    Parameters:
        case, step: for the log, and for the header that carries the case.
        message: the message to send.
        receiver: party id.
        url: where the receiver listens.
        position: in which position to act, or ``None``.
        parameters: values that the message must carry.
        again: it was carried out once already.
    """

    case: str
    step: str
    message: str
    receiver: str
    url: str
    position: str | None = None
    parameters: Values | None = None
    again: bool = False


PAUSE = 0.5
"""Seconds between two tries of a party that tries for ever (only as a fault)."""


@dataclass(frozen=True)
class Debt:
    """A message that is owed because of another one.

    Parameters:
        reaction: id of the reaction.
        message, values, sender: what was accepted, and from whom.
        receiver: whom it is owed to.
        case: for the log, and for the header that carries the case.
        document: what was accepted, where it is passed on as it is; it is not kept on disk.
    """

    reaction: str
    message: str
    values: Values
    sender: str
    receiver: str
    case: str
    document: Document | None = None


class Party:
    """One party in one seat, or a role with all its seats.

    Parameters:
        pack: the profile.
        seats: where it sits, and what it knows of the others.
        book, reader, writer, mailbox, delivery, hooks: what it knows, how it reads, finds values, waits for answers
            and sends, and its faults.
        peers: where the others listen, by party id, by role, or ``*``.
        debts: notifications that are owed and not sent yet.
    """

    def __init__(
        self,
        pack: Pack,
        seats: Seats,
        *,
        book: Book,
        reader: Reader,
        writer: Writer,
        mailbox: Mailbox,
        delivery: Delivery,
        hooks: Hooks,
        peers: Mapping[str, str],
        debts: MutableMapping[str, Debt],
    ) -> None:
        self.pack, self.role, self.positions = pack, seats.role, seats.positions
        self.book, self._seats = book, seats
        self._reader, self._writer, self._delivery, self._hooks = reader, writer, delivery, hooks
        self._mailbox = mailbox
        self._peers, self._debts = peers, debts
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def actions(self) -> tuple[str, ...]:
        """The messages that it can be told to send."""
        return tuple(name for name, each in self.pack.messages.items() if each.sender == self.role and not each.replies)

    def settle(self) -> None:
        """Send what an earlier process still owed."""
        for number in tuple(self._debts):
            self._start(self._notify(number))

    def reset(self) -> None:
        """Forget all movements."""
        self._debts.clear()
        self.book.clear()
        self._writer.clear()

    async def close(self) -> None:
        """Stop everything that is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def receive(self, incoming: Incoming) -> Reply:
        """Answer a request."""
        case = incoming.headers.get((self.pack.case_header or "").lower(), "-")
        try:
            received = self._reader.request(incoming, now())
            if self.pack.answers == "message":
                return self._acknowledge(received, incoming, case)
            return await self._answer(received, incoming, case)
        except TurnedAwayError as problem:
            LOG.info("[%s] turned away: %s", case, problem.text)
            return turn_away(self.pack, problem, self._hooks.turn_away())
        except HarnessError as problem:
            LOG.error("[%s] cannot answer: %s", case, problem)
            return turn_away(self.pack, TurnedAwayError(500, "internal", "Receiver"))

    def act(self, order: Order) -> str | None:
        """Send a message, as told; returns its reference, and does not wait for the answer.

        Raises:
            ConfigurationFault: this party cannot do that.
        """
        if order.message not in self.actions:
            raise ConfigurationFault(
                f"the {self.role} cannot send {order.message}", expected="one of " + ", ".join(self.actions)
            )
        message = self.pack.messages[order.message]
        seat = self._seats.own(order.position or message.sender_position)
        given = dict(order.parameters or {})
        occasion = Occasion(seat, order.receiver, seat, given, known={**self.book.recall(message.name, given), **given})
        values = self._writer.values(message.name, occasion)
        document = compose(self.pack, self._hooks, message, values)
        errand = Errand(order.case, message, document, values, seat, order.receiver, order.url)
        self._start(self._act(errand, order))
        return self.book.reference(values)

    async def _act(self, errand: Errand, order: Order) -> None:
        """Send, and go on as the answer allows."""
        heard = await self._delivery.send(errand)
        names = (errand.message.name, *self.pack.answering(errand.message.name))
        codes = tuple(each.code or "" for each in heard.errors)
        await self._repeat(errand, order, heard.kind)
        if heard.kind == "refused" and self._hooks.proceeds(message=names, code=codes):
            before = self.book.legal(errand.values)
            self.book.apply(errand.message.name, errand.values)
            following = self.book.next_message(errand.message.name, before, errand.values)
            if following:
                LOG.info("[%s] goes on with %s although refused", errand.case, following)
                self.act(self._following(errand, following))

    async def _repeat(self, errand: Errand, order: Order, ended: str) -> None:
        """Send a message again: only when that is switched on."""
        how = None if order.again else self._hooks.repeat(message=errand.message.name, after=ended)
        if how == "new-reference":
            self.act(replace(order, again=True))
        elif how is not None:
            await self._delivery.send(errand)
        while how == "for-ever":
            await asyncio.sleep(PAUSE)
            await self._delivery.send(errand)

    def _following(self, errand: Errand, name: str) -> Order:
        """The order that a party gives itself: the values of the movement, and those of the position."""
        binds = self.pack.messages[name].bindings
        kept = {
            each: value
            for each, value in errand.values.items()
            if each in binds and self.pack.values[each].scope != "message" and value is not None
        }
        position = self.pack.parties[errand.sender].position
        return Order(errand.case, "", name, errand.receiver, errand.url, position, kept)

    def _acknowledge(self, received: Received, incoming: Incoming, case: str) -> Reply:
        """The receipt for a message; what is to be done about it follows."""
        names = (received.message.name, *self.pack.answering(received.message.name))
        instead = self._hooks.answer(message=names)
        if instead and instead != "silence":
            return wrong_reply(self.pack, instead)
        return Reply(202, {}, b"", after=lambda: self._start(self._correspond(received, incoming, case)))

    async def _correspond(self, received: Received, incoming: Incoming, case: str) -> None:
        """Take a message in, and send what answers it, if anything does."""
        message, sender = received.message, self._seats.sender(received)
        if message.replies:
            self._mailbox.put(received)
            errors = self._content_errors(received)
        else:
            errors = await self._verdict(received, sender, case)
        allowed = self.pack.answering(message.name)
        outcome = outcome_of(errors) if errors else Outcome("accepted")
        answer = self.pack.saying(message.name, outcome)
        may = answer in allowed or self._hooks.refuse(message=message.name) is not None
        if answer is not None and may and self._hooks.answer(message=(message.name, *allowed)) is None:
            document = self._document(received, incoming, sender, self.pack.messages[answer], errors)
            await asyncio.sleep(self._hooks.delay(message=answer))
            await self._delivery.hand_over(case, self.pack.messages[answer], document, self._url(sender))
        if not message.replies:
            self._react(self._owing(received, sender, case, "refused" if errors else "accepted"))

    async def _answer(self, received: Received, incoming: Incoming, case: str) -> Reply:
        sender = self._seats.sender(received)
        errors = await self._verdict(received, sender, case)
        reply = await self._reply(received, incoming, sender, errors)
        owed = self._owing(received, sender, case, "refused" if errors else "accepted")
        return replace(reply, after=partial(self._react, owed))

    def _content_errors(self, received: Received) -> tuple[Error, ...]:
        name = received.message.name
        errors = content_errors(self.pack, self._hooks, name, received.document)
        unjust = self._hooks.refuse(message=name)
        if unjust is not None and not errors:
            return (Error(unjust.code, unjust.pointer, "Refused for no reason.", unjust.by),)
        return errors

    async def _verdict(self, received: Received, sender: str, case: str) -> tuple[Error, ...]:
        """What is wrong with a request, in itself, in this state, or for whom it is forwarded to; and its effects."""
        message, values = received.message, received.values
        errors = self._content_errors(received)
        if not errors:
            outcome = self.book.refusal(message.name, received.signer or sender, values)
            if pause := self._hooks.pause(message=message.name):
                await asyncio.sleep(pause)
            self.book.note_reference(received.signer or sender, values)
            outcome = outcome or await self._forward(received, sender, case)
            errors = (Error(outcome.code, outcome.pointer, "Refused in this state.", outcome.by),) if outcome else ()
        if not errors:
            self.book.apply(message.name, values)
            self.book.hear(message.name, values)
            self.book.lose(self._hooks.restart(message=message.name))
        verdict = ", ".join(f"refused {each.code} at {each.pointer}" for each in errors) or "accepted"
        LOG.info("[%s] %s from %s: %s", case, message.name, sender, verdict)
        return errors

    async def _reply(self, received: Received, incoming: Incoming, sender: str, errors: tuple[Error, ...]) -> Reply:
        request = received.message
        names = (request.name, request.answer or "")
        instead = self._hooks.answer(message=names)
        if instead == "silence":
            await asyncio.Event().wait()
        if instead in ("html", "fault-200", "empty", "close"):
            return wrong_reply(self.pack, instead)
        if request.answer is None:
            return Reply(202, {}, b"")
        answer = self.pack.messages[request.answer]
        body, headers = self._delivery.protect(answer, self._document(received, incoming, sender, answer, errors))
        await asyncio.sleep(self._hooks.delay(message=answer.name))
        return Reply(500 if instead == "error-status" else 200, headers, body, cut=instead == "half")

    def _document(
        self, received: Received, incoming: Incoming, sender: str, answer: Message, errors: tuple[Error, ...]
    ) -> Document:
        """What answers a request: it accepts, or refuses with these errors."""
        request = received.message
        names = (request.name, *self.pack.answering(request.name))
        reply = self._hooks.correlation(self.book.reference(received.values), message=names)
        seat = self._seats.addressed(received, incoming.target)
        known = {**self.book.recall(request.name, received.values), **received.values}
        occasion = Occasion(seat, sender, sender, request=received.values, known=known, reply=reply)
        values = self._writer.values(answer.name, occasion)
        if errors:
            return refuse(self.pack, self._hooks, request, answer, values, errors)
        return compose(self.pack, self._hooks, answer, values)

    async def _forward(self, received: Received, sender: str, case: str) -> Outcome | None:
        """Pass on what must be passed on before the answer; the refusal of the receiver is relayed."""
        for reaction in self._due(received.message.name, nested=True):
            for receiver in self._receivers(reaction, sender, received):
                debt = Debt(reaction.id, received.message.name, received.values, sender, receiver, case)
                heard = await self._ask(debt, received.document)
                if self._takes_for_accepted(reaction.send, heard):
                    continue
                if heard.kind == "refused":
                    return outcome_of(heard.errors)
                if heard.kind == "broken":
                    raise TurnedAwayError(502, f"{receiver} could not be asked: {heard.text}", "Receiver")
        return None

    async def _ask(self, debt: Debt, document: Document | None) -> Heard:
        """What the receiver of what is forwarded says to it."""
        errand = self._owed(debt, document)
        heard = await self._delivery.send(errand)
        if self._hooks.repeat(message=errand.message.name, after=heard.kind) == "new-reference":
            heard = await self._delivery.send(self._owed(debt, document))
        return heard

    def _takes_for_accepted(self, message: str, heard: Heard) -> bool:
        """Whether what was passed on counts as accepted though it is not: only when that is switched on."""
        codes = tuple(each.code or "" for each in heard.errors) if heard.kind == "refused" else ("none",)
        names = (message, *self.pack.answering(message))
        return heard.kind != "accepted" and self._hooks.proceeds(message=names, code=codes)

    def _owing(self, received: Received, sender: str, case: str, ended: str) -> tuple[str, ...]:
        """Write down what is owed after the answer, before the answer leaves."""
        numbers = []
        for reaction in self._due(received.message.name, nested=False, after=ended):
            for receiver in self._receivers(reaction, sender, received):
                number = uuid4().hex
                self._debts[number] = Debt(
                    reaction.id, received.message.name, received.values, sender, receiver, case, received.document
                )
                numbers.append(number)
        return tuple(numbers)

    def _react(self, owed: tuple[str, ...]) -> None:
        """Send what is owed, once each; a refusal of it changes nothing."""
        for number in owed:
            self._start(self._notify(number))

    async def _notify(self, number: str) -> None:
        debt = self._debts[number]
        await self._delivery.send(self._owed(debt, debt.document))
        self._debts.pop(number, None)

    def _due(self, message: str, *, nested: bool, after: str = "accepted") -> tuple[Reaction, ...]:
        return tuple(
            each
            for each in self.pack.reactions
            if (each.on, each.by, each.nested, each.after) == (message, self.role, nested, after)
        )

    def _receivers(self, reaction: Reaction, sender: str, received: Received) -> tuple[str, ...]:
        known = {**self.book.recall(received.message.name, received.values), **received.values}
        owed, others = self._seats.receivers(reaction, sender, known)
        return self._hooks.notify(owed, reaction=reaction.id, message=reaction.send, others=others)

    def _owed(self, debt: Debt, document: Document | None) -> Errand:
        """The message of a reaction: the trigger's content signed anew, or one of its own."""
        reaction = next(each for each in self.pack.reactions if each.id == debt.reaction)
        message, values = self.pack.messages[reaction.send], debt.values
        sender, receiver, own = debt.sender, debt.receiver, self._seats.own()
        known = {**self.book.recall(debt.message, values), **values}
        occasion = Occasion(own, receiver, sender, request=values, known=known, event=reaction.event)
        if not reaction.forward or document is None:
            made = self._writer.values(message.name, occasion)
            composed = compose(self.pack, self._hooks, message, made)
            return Errand(debt.case, message, composed, made, own, receiver, self._url(receiver))
        stays = {name: value for name, value in values.items() if self.pack.values[name].scope != "message"}
        mine = self._writer.values(message.name, replace(occasion, given=stays, request={}, known={}))
        fresh = {name: value for name, value in mine.items() if self.pack.values[name].scope == "message"}
        again = build(document, message.bindings, self._hooks.build(fresh, message=message.name))
        return Errand(debt.case, message, again, {**values, **fresh}, own, receiver, self._url(receiver))

    def _url(self, party: str) -> str:
        role = party.partition(".")[0]
        for name in (party, role, "*"):
            if name in self._peers:
                return self._peers[name]
        raise ConfigurationFault(f"nobody said where {party} listens", remedy="Add it to the peers of this party.")

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            LOG.error("[-] %s", problem)
