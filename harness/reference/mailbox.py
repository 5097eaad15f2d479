"""Errands that wait for an answer in a message of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.reference.hooks import Hooks
from harness.reference.reading import Received
from harness.reference.state import Book


@dataclass(eq=False)
class Slot:
    """Where the answer to one request is put."""

    message: str
    reference: str | None
    answer: asyncio.Future[Received]


@dataclass
class Mailbox:
    """The requests of one party that are not answered yet.

    Parameters:
        book: what the party knows.
        hooks: its faults.
    """

    book: Book
    hooks: Hooks
    slots: list[Slot] = field(default_factory=list)

    @contextmanager
    def expecting(self, message: str, reference: str | None) -> Iterator[asyncio.Future[Received]]:
        """Expect the answer to a request for as long as the block lasts."""
        slot = Slot(message, reference, asyncio.get_running_loop().create_future())
        self.slots.append(slot)
        try:
            yield slot.answer
        finally:
            self.slots.remove(slot)

    def put(self, received: Received) -> None:
        """Give an answer to whoever waits for it: by the reference that it names. What nobody waits for is dropped."""
        reply, name = self.book.reply(received.values), received.message.name
        for slot in self.slots:
            mistaken = name in self.book.pack.answering(slot.message) and self.hooks.ignores_correlation(
                message=(slot.message, name)
            )
            if not slot.answer.done() and (mistaken or (reply is not None and reply == slot.reference)):
                slot.answer.set_result(received)
                return
