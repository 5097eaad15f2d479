"""What people do wrong, and what they read: one paragraph that says what to do, and an exit code."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pack_kit import pack_named

from harness.cli.main import main
from harness.demo import Props, Show, set_up
from harness.errors import ConfigurationFault, Where, refuse
from harness.evidence.log import read_events
from harness.security.pki import TestPki

ROOT = Path(__file__).resolve().parent.parent
NEIGHBOURS = ROOT / "tests" / "packs" / "neighbours"


@pytest.fixture
def props(tmp_path: Path) -> Props:
    folder = tmp_path / "sut"
    folder.mkdir()
    return set_up(pack_named("etir-4.3"), Show("etir-4.3", "holder"), folder)


@pytest.fixture
def mute(props: Props) -> Iterator[Props]:
    """A system that takes connections, and never says a word."""
    with (
        socket.create_server(("127.0.0.1", props.config.port)),
        socket.create_server(("127.0.0.1", props.config.control_port)),
    ):
        yield props


def change(props: Props, **members: Any) -> None:
    target = json.loads(props.target_file.read_text("utf-8"))
    props.target_file.write_text(json.dumps({**target, **members}, indent=1), "utf-8")


def run(props: Props, out: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["run", "--target", str(props.target_file), "--out", str(out)])
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, paragraph(captured.err)


def paragraph(text: str) -> str:
    """The complaint, without the lines of progress before it and without line breaks."""
    assert "Traceback" not in text
    complaint = text[text.index("c2c:") :]
    assert "\n\n" not in complaint
    return " ".join(complaint.split())


def test_a_typo_in_the_target_file_is_named_with_its_line(
    props: Props, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = props.target_file.read_text("utf-8").replace('"endpoints"', '"endpionts"')
    props.target_file.write_text(text, "utf-8")
    line = next(number for number, line in enumerate(text.splitlines(), 1) if "endpionts" in line)
    code, complaint = run(props, tmp_path / "bundle", capsys)
    assert code == 11
    assert f"{props.target_file}:{line}" in complaint
    assert "endpionts" in complaint
    assert "endpoints" in complaint


def test_several_mistakes_are_one_fault_and_each_can_be_told() -> None:
    places = [("b", 9), ("b", 7), ("a", 2), ("c", None), ("a", 1)]
    faults = [ConfigurationFault(f"{file}{line}", where=Where(file, line), remedy="Mend it.") for file, line in places]
    with pytest.raises(ConfigurationFault) as caught:
        refuse(faults)
    told = "b:7: b7 (more mistakes in this file: line 9; in a: line 1, 2; in c). Mend it."
    assert str(caught.value) == told
    assert [each.what for each in caught.value.each] == ["b7", "b9", "a1", "a2", "cNone"]
    with pytest.raises(ConfigurationFault) as alone:
        refuse(faults[:1])
    assert (alone.value, alone.value.each) == (faults[0], (faults[0],))
    refuse([])


def test_an_unknown_pack_is_named_with_the_known_ones(
    props: Props, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(props, pack="etir-4.4")
    code, complaint = run(props, tmp_path / "bundle", capsys)
    assert code == 11
    assert "no pack 'etir-4.4'" in complaint
    assert "etir-4.3" in complaint


def test_a_scenario_that_contradicts_the_life_cycle_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = shutil.copytree(NEIGHBOURS, tmp_path / "neighbours")
    scenario = pack / "scenarios" / "arrival-of-unknown.yaml"
    text = scenario.read_text("utf-8")
    scenario.write_text(text.replace("answer: {error: ", "answer: {error: L99, permitted: [{error: M99}]} #"), "utf-8")
    assert main(["list", "--pack", str(pack)]) == 11
    complaint = paragraph(capsys.readouterr().err)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if "- exchange: arrival" in line)
    assert f"{scenario}:{line} (steps/0)" in complaint
    assert "L99" in complaint


def test_a_port_in_use_is_named(mute: Props, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = json.loads(mute.target_file.read_text("utf-8"))["listen"]["port"]
    with socket.create_server(("127.0.0.1", port)):
        code, complaint = run(mute, tmp_path / "bundle", capsys)
    assert code == 11
    assert str(port) in complaint
    assert not (tmp_path / "bundle").exists()


def test_a_system_that_cannot_be_reached_is_no_verdict(
    props: Props, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, complaint = run(props, tmp_path / "bundle", capsys)
    assert code == 11
    assert f"cannot be reached at https://127.0.0.1:{props.config.port}" in complaint
    assert "c2c doctor" in complaint
    assert not (tmp_path / "bundle").exists()


def test_an_expired_certificate_of_our_own_is_named(
    props: Props, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pki = TestPki.open(props.target_file.parent / "identities")
    pki.issue("platform", valid=(pki.now - timedelta(days=30), pki.now - timedelta(days=1)))
    code, complaint = run(props, tmp_path / "bundle", capsys)
    assert code == 11
    assert "our certificate of platform expired on" in complaint
    assert "platform.pem" in complaint


def test_an_output_folder_that_cannot_be_written_is_named(
    mute: Props, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder", "utf-8")
    code, complaint = run(mute, tmp_path / "file" / "bundle", capsys)
    assert code == 11
    assert "cannot be written" in complaint
    assert str(tmp_path / "file") in complaint


def test_a_bundle_is_never_written_over_another_one(
    props: Props, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "record.json").write_text("{}", "utf-8")
    code, complaint = run(props, tmp_path, capsys)
    assert code == 11
    assert "each run has its own" in complaint


def test_a_command_nobody_confirmed_is_not_run(
    mute: Props, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(mute, control={"type": "command", "arguments": [sys.executable, "-c", "pass"]})
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    code, complaint = run(mute, tmp_path / "bundle", capsys)
    assert code == 11
    assert "not confirmed" in complaint


@pytest.mark.skipif(sys.platform == "win32", reason="only on POSIX: a signal cannot be sent to one process")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_ctrl_c_keeps_what_was_played(name: str, mute: Props, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    command = [sys.executable, "-m", "harness", "run", "--target", str(mute.target_file), "--out", str(out)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        assert "cases" in process.stderr.readline()
        process.send_signal(signal.Signals[name])
        output, errors = process.communicate(timeout=120)
    assert "Traceback" not in errors
    assert process.returncode == 10, errors
    assert "The run was stopped: the record is not complete." in output
    assert list(read_events(out / "evidence"))[-1].data["complete"] is False
    record = json.loads((out / "record.json").read_bytes())
    assert record["complete"] is False
    assert record["counts"]["passed"] == 0
    assert main(["verify", str(out), "--trust", str(mute.public_key)]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="only on POSIX: a process cannot be killed by a signal")
def test_a_killed_run_can_be_judged(mute: Props, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bundle"
    command = [sys.executable, "-m", "harness", "run", "--target", str(mute.target_file), "--out", str(out)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        log, until = out / "evidence" / "events.jsonl", time.monotonic() + 120
        while not (log.is_file() and b"case-started" in log.read_bytes()):
            assert time.monotonic() < until, "no case was started"
            time.sleep(0.02)
        process.kill()
    assert not (out / "record.json").exists()
    key = json.loads(mute.target_file.read_text("utf-8"))["statement"]["key"]
    assert main(["judge", str(out), "--key", str(mute.target_file.parent / key)]) == 10
    assert "not complete" in capsys.readouterr().out
    assert json.loads((out / "record.json").read_bytes())["complete"] is False
    assert main(["verify", str(out), "--trust", str(mute.public_key)]) == 0
    assert main(["judge", str(out)]) == 11
    assert "c2c verify" in paragraph(capsys.readouterr().err)


def test_doctor_says_what_to_do_and_gives_no_verdict(props: Props, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--target", str(props.target_file)]) == 11
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("ok  ", "note", "FAIL")) for line in lines[:-1])
    assert any(line.startswith("FAIL address:") for line in lines)
    assert lines[-1].endswith("must be corrected before a run.")
