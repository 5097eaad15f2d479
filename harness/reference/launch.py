"""Starting a reference party as a process of its own, and stopping it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.errors import ConfigurationFault, Where
from harness.host import write_private
from harness.reference.config import PartyConfig, write_config

START_SECONDS = 180.0
"""A computer that is busy starts slowly; a process that ends is noticed at once."""
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Running:
    """A party that runs.

    Parameters:
        url: where it listens.
        control_url: where its control interface listens, or ``None``.
        process: the process.
        log: the file with what it says of itself.
    """

    url: str
    control_url: str | None
    process: asyncio.subprocess.Process
    log: Path


@asynccontextmanager
async def launch(config: PartyConfig, folder: Path, name: str = "reference") -> AsyncIterator[Running]:
    """Run a party until the block ends.

    Parameters:
        config: what it is told.
        folder: where its start file ``NAME.json`` and its log ``NAME.log`` are written; they must not be there yet.
        name: of the two files.

    Raises:
        ConfigurationFault: it does not start; its own last words are in the message.
    """
    log = folder / f"{name}.log"
    start = folder / f"{name}.json"
    write_private(start, write_config(config).encode())
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "harness.reference",
            "--config",
            str(start),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=_environment(),
        )
    try:
        ready = await _ready(process, log)
        yield Running(ready["url"], ready["control"], process, log)
    finally:
        await _stop(process)


async def _ready(process: asyncio.subprocess.Process, log: Path) -> dict[str, str]:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
        ready: dict[str, str] = json.loads(line)
    except (TimeoutError, ValueError):
        raise ConfigurationFault(
            f"the reference implementation does not start: {_last_words(log)}",
            where=Where(log),
            remedy="Its log says more.",
        ) from None
    return ready


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"


def _environment() -> dict[str, str]:
    """Ours, with the place of this package, which need not be installed, and a log that is in UTF-8 everywhere."""
    place = str(Path(harness.__file__).parent.parent)
    return {
        **os.environ,
        "PYTHONUTF8": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (place, os.environ.get("PYTHONPATH")))),
    }


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask it to end by closing its input; end it when it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
