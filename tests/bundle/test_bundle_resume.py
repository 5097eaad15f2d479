"""A run that is cut at any moment goes on: nothing that was recorded is lost, and nothing is played twice."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from io import FileIO
from pathlib import Path

import pytest
from campaign_kit import running

from harness.bundle.verify import verify_bundle
from harness.campaign import Campaign, Wish, judge_folder
from harness.errors import ConfigurationFault, HarnessFault
from harness.evidence.append import append
from harness.evidence.log import read_events
from harness.host import WINDOWS
from harness.record.strict import loads
from harness.security.pki import TestPki
from harness.security.statement_key import load_public_keys

PACK = str(Path(__file__).parents[1] / "packs" / "neighbours")
DRAW = random.Random(20261125)
MOMENTS = [DRAW.random() for _ in range(2)]
LATER_MOMENTS = [DRAW.random() for _ in range(20)]
EVENTS = 500
"""Events of a complete run, about."""


def command(target: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "harness", "run", "--target", str(target), "--yes", *options]


def lines(out: Path) -> int:
    log = out / "evidence" / "events.jsonl"
    return log.read_bytes().count(b"\n") if log.is_file() else 0


KILLED = """
import os, sys, threading, time
from pathlib import Path
from harness.cli.main import main

log, events = Path(sys.argv[1]), int(sys.argv[2])

def watch():
    while not log.is_file() or log.read_bytes().count(b"\\n") < events:
        time.sleep(0.005)
    os._exit(137)

threading.Thread(target=watch, daemon=True).start()
sys.exit(main(sys.argv[3:]))
"""


def kill_after(target: Path, out: Path, events: int, *options: str) -> None:
    """Run; it dies at once when so many events are written, whatever it is doing."""
    log, arguments = out / "evidence" / "events.jsonl", command(target, *options)[3:]
    dying = [sys.executable, "-c", KILLED, str(log), str(events), *arguments]
    assert subprocess.run(dying, check=False, capture_output=True).returncode == 137


@contextmanager
def held(campaign: Campaign, out: Path, events: int = 60) -> Iterator[None]:
    """Start a run; it stands still while the block lasts, once so many events are written."""
    reached, over = threading.Event(), threading.Event()
    written: list[bytes] = []

    def append_until_held(file: FileIO, data: bytes) -> int:
        written.append(data)
        size = append(file, data)
        if len(written) == events:
            reached.set()
            over.wait()
        return size

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.evidence.log.append", append_until_held)
        campaign.start(out)
        assert reached.wait(120)
        try:
            yield
        finally:
            over.set()
            campaign.wait(120)


def resumed(target: Path, out: Path) -> int:
    return subprocess.run(command(target, "--resume", str(out)), check=False, capture_output=True).returncode


def serials(out: Path) -> list[str]:
    """The numbers of the movements of all attempts."""
    started = [event for event in read_events(out / "evidence") if event.kind == "case-started"]
    return [str(event.data["values"]["consignment"]) for event in started if "consignment" in event.data["values"]]


def kill_and_go_on(tmp_path: Path, *moments: float) -> None:
    out = tmp_path / "bundle"
    with running(tmp_path / "sut", PACK, "customs") as props:
        kill_after(props.target_file, out, int(moments[0] * EVENTS), "--out", str(out))
        for moment in moments[1:]:
            before = lines(out)
            kill_after(props.target_file, out, before + int(moment * EVENTS), "--resume", str(out))
        recorded = (out / "evidence" / "events.jsonl").read_bytes()
        assert resumed(props.target_file, out) == 0
        after = (out / "evidence" / "events.jsonl").read_bytes()
        assert after.startswith(recorded[: recorded.rindex(b"\n") + 1])
        record = loads((out / "record.json").read_bytes(), "record.json")
        assert record["complete"]
        assert len(record["resumed"]) >= 1
        assert {case["id"]: case["verdict"] for case in record["cases"] if case["verdict"] != "pass"} == {}
        ended = Counter(
            event.case
            for event in read_events(out / "evidence")
            if event.kind == "case-finished" and event.data["ended"] == "complete"
        )
        assert set(ended) == {case["id"] for case in record["cases"]}
        assert set(ended.values()) == {1}
        made = serials(out)
        assert len(set(made)) == len(made)
        shown = verify_bundle(out, load_public_keys(props.public_key), datetime.now(UTC))
        assert shown.ok
        assert any("interrupted, and went on at" in line for line in shown.lines)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_goes_on(tmp_path: Path, moment: float) -> None:
    kill_and_go_on(tmp_path, 0.05 + 0.9 * moment)


@pytest.mark.nightly
@pytest.mark.parametrize("moment", LATER_MOMENTS)
def test_a_run_killed_at_any_moment_goes_on(tmp_path: Path, moment: float) -> None:
    kill_and_go_on(tmp_path, moment, moment / 3)


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    with running(tmp_path / "sut", PACK, "customs") as props:
        campaign = Campaign.open(props.target_file, None, Wish())
        out = tmp_path / "bundle"
        with held(campaign, out):
            for second in (lambda: Campaign.resume(props.target_file, out, Wish()), lambda: judge_folder(out, ())):
                with pytest.raises(ConfigurationFault, match="another c2c is at work"):
                    second()
            campaign.stop(now=True)
        assert not campaign.result().complete
        again = Campaign.resume(props.target_file, out, Wish())
        again.start(out)
        assert again.wait(120)
        assert again.result().complete
        with pytest.raises(ConfigurationFault, match="complete"):
            Campaign.resume(props.target_file, out, Wish())


def test_a_run_whose_disk_was_full_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path / "sut", PACK, "customs") as props:
        campaign, out, written = Campaign.open(props.target_file, None, Wish()), tmp_path / "bundle", []

        def append_until_full(file: FileIO, data: bytes) -> int:
            written.append(data)
            if len(written) > 120:
                raise HarnessFault("the evidence could not be written: No space left on device")
            return append(file, data)

        with monkeypatch.context() as patch:
            patch.setattr("harness.evidence.log.append", append_until_full)
            campaign.start(out)
            assert campaign.wait(60)
        with pytest.raises(HarnessFault, match="No space left"):
            campaign.result()
        recorded = lines(out)
        again = Campaign.resume(props.target_file, out, Wish())
        again.start(out)
        assert again.wait(120)
        assert again.result().complete
        assert lines(out) > recorded > 100
        assert {each.verdict.value for each in again.result().judgement.cases} == {"pass"}


@pytest.mark.skipif(WINDOWS, reason="only where a file that is open can be removed")
@pytest.mark.parametrize(
    "take_away", [partial(shutil.rmtree, ignore_errors=True), lambda out: out.rename(out.with_name("elsewhere"))]
)
def test_a_run_whose_folder_is_taken_away_stops_with_all_it_had(
    tmp_path: Path, take_away: Callable[[Path], object]
) -> None:
    with running(tmp_path / "sut", PACK, "customs") as props:
        campaign, out = Campaign.open(props.target_file, None, Wish()), tmp_path / "bundle"
        with held(campaign, out):
            recorded = (out / "evidence" / "events.jsonl").read_bytes()
            take_away(out)
        result = campaign.result()
        assert not result.complete
        assert result.signed
        assert result.exit_code == 10
        assert (out / "evidence" / "events.jsonl").read_bytes().startswith(recorded)
        *_, last = read_events(out / "evidence")
        assert "removed or moved the folder" in last.data["reason"]
        assert verify_bundle(out, load_public_keys(props.public_key), datetime.now(UTC)).ok
        assert resumed(props.target_file, out) == 0
        assert loads((out / "record.json").read_bytes(), "record.json")["resumed"]


def test_keys_and_authorities_that_are_replaced_meanwhile_change_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "sut", PACK, "customs") as props:
        campaign, out = Campaign.open(props.target_file, None, Wish()), tmp_path / "bundle"
        with held(campaign, out):
            other = TestPki.create(tmp_path / "other", datetime.now(UTC))
            for file in (tmp_path / "sut").rglob("*"):
                if file.suffix == ".key" or file.name == "signing.pem":
                    file.unlink()
                elif file.suffix == ".pem":
                    file.write_bytes((other.folder / "trust.pem").read_bytes())
        assert campaign.result().complete
        assert campaign.result().signed
        assert {each.verdict.value for each in campaign.result().judgement.cases} == {"pass"}


def test_a_run_does_not_go_on_with_other_authorities(tmp_path: Path) -> None:
    with running(tmp_path / "sut", PACK, "customs") as props:
        out, trust = tmp_path / "bundle", tmp_path / "sut" / "identities" / "trust.pem"
        kill_after(props.target_file, out, 40, "--out", str(out))
        before = trust.read_bytes()
        trust.write_bytes((TestPki.create(tmp_path / "other", datetime.now(UTC)).folder / "trust.pem").read_bytes())
        with pytest.raises(ConfigurationFault, match="began: the authorities in the files of certificates"):
            Campaign.resume(props.target_file, out, Wish())
        trust.unlink()
        with pytest.raises(ConfigurationFault, match=r"trust\.pem: The file cannot be read"):
            Campaign.resume(props.target_file, out, Wish())
        trust.write_bytes(before)
        assert resumed(props.target_file, out) == 0


def test_what_decides_must_be_as_it_was(tmp_path: Path) -> None:
    with running(tmp_path / "sut", PACK, "customs") as props:
        out = tmp_path / "bundle"
        kill_after(props.target_file, out, 40, "--out", str(out))
        text = props.target_file.read_text("utf-8")
        props.target_file.write_text(text.replace('"version": "', '"version": "x'), "utf-8")
        with pytest.raises(ConfigurationFault, match="the system itself"):
            Campaign.resume(props.target_file, out, Wish())


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    with running(tmp_path / "sut", PACK, "customs") as props, pytest.raises(ConfigurationFault, match="no run"):
        Campaign.resume(props.target_file, tmp_path, Wish())
