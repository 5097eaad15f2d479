"""A computer that can open only few files: a run does not begin, or goes on whatever callers do."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from campaign_kit import running
from play_kit import World

from harness.evidence.log import read_events
from harness.host import WINDOWS
from harness.pack.load import load_pack
from harness.record.strict import loads

pytestmark = pytest.mark.skipif(WINDOWS, reason="only where the number of open files has a limit")
PACK = str(Path(__file__).parents[1] / "packs" / "neighbours")


def run_with(limit: int, target: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", "run", "--target", str(target), "--yes", "--out", str(out)]
    limited = f"ulimit -n {limit}; exec {shlex.join(command)}"
    return subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)


def test_too_few_files_are_told_before_anything_is_played(tmp_path: Path) -> None:
    with running(tmp_path / "sut", PACK, "customs") as props:
        ended = run_with(64, props.target_file, tmp_path / "bundle")
    assert ended.returncode == 11
    assert "may have only 64 files and connections open at once" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "bundle").exists()


def test_callers_never_take_the_last_file(tmp_path: Path) -> None:
    """Strangers hold and renew more connections than fit into the files that the process may open.

    It may open just so many that a few callers are too many, however soon the run ends.
    """
    over = threading.Event()

    def flood(port: int) -> None:
        held: list[socket.socket] = []
        while not over.is_set():
            with contextlib.suppress(OSError):
                held.append(socket.create_connection(("127.0.0.1", port), timeout=1))
            if len(held) > 400:
                held.pop(0).close()
            time.sleep(0.02)
        for each in held:
            each.close()

    with running(tmp_path / "sut", PACK, "customs") as props:
        port = json.loads(props.target_file.read_text("utf-8"))["listen"]["port"]
        flooding = threading.Thread(target=flood, args=(port,))
        flooding.start()
        try:
            least = re.search(r"at least\s+(\d+)", run_with(64, props.target_file, tmp_path / "none").stderr)
            assert least is not None
            ended = run_with(int(least[1]), props.target_file, tmp_path / "bundle")
        finally:
            over.set()
            flooding.join()
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr
    record = loads((tmp_path / "bundle" / "record.json").read_bytes(), "record.json")
    assert record["complete"]
    events = list(read_events(tmp_path / "bundle" / "evidence"))
    turned_away = [event for event in events if event.kind == "failed" and "connections at once" in event.data["text"]]
    assert turned_away
    assert {event.data["blame"] for event in turned_away} == {"environment"}
    assert {event.case for event in turned_away} == {None}


def test_what_could_not_be_accepted_makes_nobody_late(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = World(load_pack(PACK), "customs", tmp_path, ("import",))

    async def scene() -> None:
        async with world.engine(world.plan(["movement@import"])) as engine, engine._on_stage():
            loop = asyncio.get_running_loop()
            exhausted = OSError(errno.EMFILE, "Too many open files")
            loop.call_exception_handler({"message": "accept", "exception": exhausted})
            loop.call_exception_handler({"message": "something else", "exception": None})

    asyncio.run(scene())
    assert [event.data["seconds"] for event in read_events(tmp_path / "evidence") if event.kind == "lag"] == [1]
    assert [record.message for record in caplog.records] == ["something else"]


def test_the_own_limit_is_raised_where_it_may_be() -> None:
    code = "import harness.host as host; print(host.handles())"
    shown = {}
    for limit in ("-n 200", "-S -n 200"):
        command = ["bash", "-c", f"ulimit {limit}; exec {shlex.quote(sys.executable)} -c {shlex.quote(code)}"]
        shown[limit] = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert shown["-n 200"] == 200
    assert shown["-S -n 200"] > 200
