"""A reference implementation that runs beside a test, with the target file that describes it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pack_kit import pack_named

from harness.demo import Props, Show, set_up
from harness.reference.launch import launch
from harness.target.load import load_target
from harness.target.setup import make_setup


@contextmanager
def running(folder: Path, pack: str, role: str, *faults: str, full: bool = False) -> Iterator[Props]:
    """Keys and target file in *folder*, and the reference implementation as a process, while the block lasts.

    With *full* it takes all positions, and has been given the list on which the harness's revoked certificates stand.
    """
    folder.mkdir(parents=True, exist_ok=True)
    props = set_up(pack_named(pack), Show(pack, role, faults, full=full), folder)
    if full:
        make_setup(load_target(props.target_file), pack_named(pack))
    with serving(props, folder):
        yield props


@contextmanager
def serving(props: Props, folder: Path) -> Iterator[None]:
    """The reference implementation of these props, while the block lasts."""
    loop = asyncio.new_event_loop()
    ready, over = threading.Event(), asyncio.Event()
    problems: list[BaseException] = []

    async def serve() -> None:
        try:
            async with launch(props.config, folder):
                ready.set()
                await over.wait()
        except BaseException as problem:  # told to the test below
            problems.append(problem)
        finally:
            ready.set()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()
    try:
        if problems:
            raise problems[0]
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
