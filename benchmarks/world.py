"""The setting of a benchmark: the pack, a throw-away test PKI, and the counterpart as a process on the other core."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import cores, pinned
from harness.exchange.model import ControlAnswer, Order
from harness.pack.data import find_pack
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.security.model import Identity, Trust
from harness.security.pki import TestPki

HOST = "127.0.0.1"
PACK = "etir-4.3"


class Counterpart:
    """The other end of the wire: a bare answering and sending program, see :mod:`benchmarks.counterpart`.

    It is the control interface of itself: an order is one line on its standard input.
    """

    available = True

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.port = port
        self.url = f"https://{HOST}:{port}"

    async def send(self, order: Order) -> ControlAnswer:
        """Tell it to send a message."""
        assert self._process.stdin is not None
        line = {"message": order.message, "parameters": dict(order.parameters), "url": order.url, "case": order.case}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        return ControlAnswer(202)

    async def state(self, object: str, key: Mapping[str, str], position: str | None) -> str | None:  # noqa: A002, ARG002
        """It keeps no state."""
        return None

    async def reset(self) -> ControlAnswer:
        """It has nothing to forget."""
        return ControlAnswer(204)

    async def close(self) -> None:
        """Its process is ended by whoever started it."""


@dataclass(frozen=True)
class World:
    """What is measured with.

    Parameters:
        pack: the profile.
        pki: makes identities.
        trust: of the test PKI.
        ours: what this side signs with, and shows in TLS.
        counterpart: the other side.
        folder: for evidence; it is removed in the end.
        cores: where this process runs and where the counterpart does; ``None`` where they are not kept on one.
    """

    pack: Pack
    pki: TestPki
    trust: Trust
    ours: Identity
    counterpart: Counterpart
    folder: Path
    cores: tuple[int | None, int | None]


@contextmanager
def world() -> Iterator[World]:
    """Set everything up, with this process on one core and the counterpart on the other."""
    here, there = cores()
    with TemporaryDirectory(prefix="c2c-bench-", ignore_cleanup_errors=True) as temporary, pinned(here):
        folder = Path(temporary)
        pki = TestPki.create(folder / "pki", datetime.now(UTC))
        ours = pki.issue("machine", hosts=(HOST, "localhost"))
        theirs = pki.issue("counterpart", hosts=(HOST, "localhost"))
        with pinned(there), _running(theirs, pki.folder / "trust.pem") as counterpart, pinned(here):
            yield World(load_pack(find_pack(PACK)), pki, pki.trust, ours, counterpart, folder, (here, there))


@contextmanager
def _running(identity: Identity, anchors: Path) -> Iterator[Counterpart]:
    options = [PACK, identity.certificate_file, identity.key_file, anchors]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.counterpart", *map(str, options)],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            line: dict[str, Any] = json.loads(process.stdout.readline())
            yield Counterpart(process, line["port"])
        finally:
            process.terminate()
