"""Reference parties that talk to each other over TLS in one process, and what they say of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.host import write_private
from harness.message.model import Values
from harness.pack.model import Pack
from harness.reference.config import PartyConfig
from harness.reference.party import Order
from harness.reference.serve import Serving, serve
from harness.security.pki import TestPki
from harness.target.identities import write_spares

CASE = "case-1"
SECONDS = 60.0


class Ears(logging.Handler):
    """Hears what the parties log of the case."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.heard = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage().removeprefix(f"[{CASE}] "))
        self.heard.set()


class Table:
    """Everybody who takes part.

    Parameters:
        parties: by role, or by seat where every seat has a party of its own.
        ears: hears what they log.
    """

    def __init__(self, parties: Mapping[str, Serving], ears: Ears) -> None:
        self.parties, self._ears = parties, ears

    @property
    def lines(self) -> list[str]:
        """What was logged of the case, in order."""
        return self._ears.lines

    def at(self, seat: str) -> Serving:
        """The party in a seat."""
        return self.parties.get(seat) or self.parties[seat.partition(".")[0]]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something that is logged is true."""
        async with asyncio.timeout(SECONDS):
            while not true():
                self._ears.heard.clear()
                await self._ears.heard.wait()

    async def act(self, seat: str, message: str, receiver: str, parameters: Values) -> str:
        """Let a party send a message, and return what it says of the answer."""
        said = f"{message} to {receiver}: "
        before = sum(line.startswith(said) for line in self.lines)
        url = f"{self.at(receiver).url}/{receiver}"
        order = Order(CASE, "1", message, receiver, url, seat.partition(".")[2] or None, parameters)
        self.at(seat).party.act(order)
        await self.until(lambda: sum(line.startswith(said) for line in self.lines) > before)
        return [line for line in self.lines if line.startswith(said)][before].removeprefix(said)

    def state(self, seat: str, name: str, **key: str) -> str | None:
        """The state of an object as the party in a seat sees it."""
        return self.at(seat).party.book.report(name, key)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    return TestPki.create(tmp_path_factory.mktemp("pki"), datetime.now(UTC))


def config(pki: TestPki, pack: Pack, role: str, **more: Any) -> PartyConfig:
    """What a party is told; its identity is made when it is not there yet."""
    certificate, key = pki.folder / f"{role}.pem", pki.folder / f"{role}.key"
    if not key.is_file():
        write_spares(pki, pki.issue(role, hosts=("127.0.0.1",)), pki.folder / "spares")
    trust = {"anchors": (str(pki.folder / "trust.pem"),), "crls": (str(pki.folder / "crl.pem"),)}
    given = {**trust, "spares": str(pki.folder / "spares"), **more}
    return PartyConfig(str(pack.root), role, str(certificate), str(key), **given)


@asynccontextmanager
async def table(
    pki: TestPki, pack: Pack, faults: Mapping[str, tuple[str, ...]], *, apart: bool
) -> AsyncIterator[Table]:
    """Sit everybody down: one party for each role, or *apart*, one for each seat; *faults* by role."""
    peers: dict[str, str] = {}
    logger, ears = logging.getLogger("harness.reference"), Ears()
    logger.addHandler(ears)
    logger.setLevel(logging.INFO)
    async with AsyncExitStack() as stack:
        stack.callback(logger.removeHandler, ears)
        parties: dict[str, Serving] = {}
        for seat, party in pack.parties.items():
            name = seat if apart else party.role
            if name not in parties:
                positions = (party.position,) if apart and party.position else ()
                more = {"positions": positions, "faults": faults.get(party.role, ()), "peers": peers, "seed": name}
                parties[name] = await stack.enter_async_context(serve(config(pki, pack, party.role, **more), pack))
            peers[seat] = f"{parties[name].url}/{seat}"
        yield Table(parties, ears)


Play = Callable[[Table], Awaitable[None]]


@pytest.fixture
def sit(pki: TestPki) -> Callable[..., None]:
    """Play something with everybody at the table: ``sit(pack, play, platform=("fault",))``."""

    def run(pack: Pack, play: Play, *, apart: bool = False, **faults: tuple[str, ...]) -> None:
        async def session() -> None:
            async with table(pki, pack, faults, apart=apart) as everybody:
                await play(everybody)

        asyncio.run(session())

    return run


@pytest.fixture
def sit_alone(pki: TestPki, tmp_path: Path) -> Callable[..., None]:
    """Use the control interface of one party in this process: ``sit_alone(pack, use, token)``."""

    def run(pack: Pack, use: Callable[[str], Awaitable[None]], token: str) -> None:
        file = tmp_path / "token"
        write_private(file, token.encode())

        async def session() -> None:
            async with serve(config(pki, pack, next(iter(pack.roles)), token_file=str(file)), pack) as serving:
                assert serving.control is not None
                await use(serving.control)

        asyncio.run(session())

    return run
