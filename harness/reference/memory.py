"""What a party remembers: until its process ends, or in a file from which the next one goes on."""

from __future__ import annotations

import random
from collections.abc import Callable, MutableMapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from harness.evidence.clock import stamp
from harness.exchange.wire import WireTransport
from harness.message.model import Value
from harness.pack.model import Pack
from harness.reference.config import PartyConfig
from harness.reference.delivery import LOG, now
from harness.reference.party import Debt
from harness.reference.points import Switch
from harness.reference.state import Entry
from harness.reference.store import Store
from harness.reference.watch import Answer, Watch, WatchedTransport


@dataclass
class Memory:
    """The memory of one party, and what is written down of it.

    Parameters:
        seed: of the numbers that it makes, another one in each process.
        strikes: whether a fault that could happen does.
        entries, references, heard, own, debts: see :class:`~harness.reference.state.Book`,
            :class:`~harness.reference.mint.Writer` and :class:`~harness.reference.party.Party`.
        store, watch: the file, and who notes what passes; ``None`` without one.
    """

    seed: str
    strikes: Callable[[Switch], bool]
    entries: MutableMapping[Any, Entry] = field(default_factory=dict)
    references: MutableMapping[Any, bool] = field(default_factory=dict)
    heard: MutableMapping[Any, dict[str, Value]] = field(default_factory=dict)
    own: MutableMapping[Any, Value] = field(default_factory=dict)
    debts: MutableMapping[str, Debt] = field(default_factory=dict)
    store: Store | None = None
    watch: Watch | None = None

    def told(self, switch: Switch, facts: str) -> None:
        """Write down a fault that happens."""
        if self.store is not None:
            LOG.info("[-] injected %s at %s: %s", switch.id, switch.hook, facts)
            self.store.note_fault(stamp(now()), switch.id, f"{switch.hook} {facts}")

    def watched(self, wire: WireTransport) -> httpx.AsyncBaseTransport:
        """The transport, with a watch on it where there is one."""
        return WatchedTransport(wire, self.watch) if self.watch else wire

    def around(self, answer: Answer) -> Answer:
        """How the party answers, noted where there is a watch."""
        return self.watch.around(answer) if self.watch else answer

    def told_first(self, answer: Answer) -> Answer:
        """How the control interface answers: what it was told is on disk before."""
        return self.watch.kept(answer) if self.watch else answer

    def close(self) -> None:
        """Write what is open."""
        if self.store is not None:
            self.store.close()


def make_memory(pack: Pack, config: PartyConfig) -> Memory:
    """The memory that a party is told to have.

    Raises:
        ConfigurationFault: its file cannot be used.
    """
    dice = random.Random(config.seed)  # noqa: S311 - mistakes, not secrets
    strikes = (lambda _: dice.random() < config.chaos) if config.chaos else (lambda _: True)
    if config.state is None:
        return Memory(config.seed, strikes)
    store = Store(Path(config.state))
    store.belong_to(f"{config.role} in {pack.id}")
    return Memory(
        seed=f"{config.seed}/{store.next_start()}",
        strikes=strikes,
        entries=store.table("entry", dump=asdict, load=lambda value: Entry(**value)),
        references=store.table("reference"),
        heard=store.table("heard"),
        own=store.table("own"),
        debts=store.table(
            "debt", dump=lambda debt: asdict(replace(debt, document=None)), load=lambda value: Debt(**value)
        ),
        store=store,
        watch=Watch(pack, store),
    )
