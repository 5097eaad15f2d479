"""Whatever goes wrong, a person reads one paragraph, and a program reads an exit code."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from pack_kit import pack_named

from harness.campaign import Campaign
from harness.cli import main as entry
from harness.cli.common import watch
from harness.cli.main import main
from harness.demo import Show, set_up
from harness.errors import BundleFault, HarnessFault


def raising(monkeypatch: pytest.MonkeyPatch, problem: BaseException) -> None:
    def run(options: argparse.Namespace) -> int:
        raise problem

    monkeypatch.setattr(entry.command_module("list"), "run", run)


def paragraph(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("c2c: ")
    assert "Traceback" not in captured.err
    assert "\n\n" not in captured.err
    return " ".join(captured.err.split())


@pytest.mark.parametrize("arguments", [[], ["fly"], ["check"], ["check", "--pack"], ["list", "--pcak", "x"]])
def test_a_wrong_call_is_configuration(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 11
    assert "--help` shows how it is called" in paragraph(capsys)


@pytest.mark.parametrize(
    ("problem", "code", "words"),
    [
        (BundleFault("one byte differs"), 13, "one byte differs"),
        (HarnessFault("the message is not valid"), 12, "the message is not valid"),
        (KeyboardInterrupt(), 10, "Stopped"),
        (FileNotFoundError(2, "No such file or directory", "absent.xml"), 11, "absent.xml: No such file or directory"),
        (ZeroDivisionError("division by zero"), 12, "a fault of the harness, not yours: ZeroDivisionError"),
    ],
)
def test_faults_end_with_their_exit_code(
    problem: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, problem)
    assert main(["list"]) == code
    assert words in paragraph(capsys)


def test_ctrl_c_while_a_command_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry.importlib, "import_module", interrupted)
    assert main(["list"]) == 10
    assert "Nothing was finished" in paragraph(capsys)


def test_only_what_a_command_needs_is_read() -> None:
    code = "import sys\nfrom harness.cli.main import main\nmain(['--debug', 'schema'])\n"
    code += "sys.exit('harness.campaign' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_who_leaves_at_once_is_told_where_the_evidence_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Stubborn:
        """A campaign at which Ctrl-C is pressed again and again."""

        def wait(self, _: float) -> bool:
            raise KeyboardInterrupt

        def stop(self, *, now: bool) -> None:
            self.stopped = now

    campaign = Stubborn()
    with pytest.raises(KeyboardInterrupt, match=f"kept in {re.escape(str(tmp_path))}; .* judge"):
        watch(cast("Campaign", campaign), tmp_path)
    assert campaign.stopped
    assert "Ctrl-C again leaves at once" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_fault() -> None:
    command = [sys.executable, "-m", "harness", "schema", "target"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, said = process.communicate()
    assert (process.returncode, said) == (10, b"")


def test_a_pipe_that_breaks_elsewhere_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, BrokenPipeError(32, "Broken pipe"))
    assert main(["list"]) == 12
    assert "Broken pipe" in capsys.readouterr().err


def test_debug_shows_where_a_fault_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "list"])


def test_an_unknown_pack_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--pack", "etir-4.4"]) == 11
    text = paragraph(capsys)
    assert "there is no pack 'etir-4.4'" in text
    assert "etir-4.3" in text


def test_every_command_has_a_help_text(capsys: pytest.CaptureFixture[str]) -> None:
    for name in entry.COMMANDS:
        with pytest.raises(SystemExit) as exit_:
            main([name, "--help"])
        assert exit_.value.code == 0
        assert "exit codes:" in capsys.readouterr().out


def test_schemas_are_listed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    names = capsys.readouterr().out.split()
    assert {"scenario", "target", "pack"} <= set(names)
    assert main(["schema", "scenario"]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"]


def test_named_signers_can_be_demanded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = set_up(pack_named("etir-4.3"), Show("etir-4.3", "holder"), tmp_path).target_file
    document = json.loads(target.read_text("utf-8"))
    del document["certificates"]["signers"]
    target.write_text(json.dumps(document), "utf-8")
    assert main(["run", "--target", str(target), "--out", str(tmp_path / "out"), "--require-signers"]) == 11
    assert "does not say with which certificates" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_a_plan_is_shown_and_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = set_up(pack_named("etir-4.3"), Show("etir-4.3", "holder"), tmp_path).target_file
    assert main(["plan", "--target", str(target), "--select", "*-E9-guarantee-*", "--explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("etir-4.3 ")
    assert [line.split()[0] for line in lines[1:7:2]] == [
        "lifecycle-E9-accepted@holder",
        "lifecycle-E9-guarantee-unknown@holder",
        "lifecycle-E9-accepted@holder~end",
    ]
    assert [line.strip().partition(";")[0] for line in lines[2:7:2]] == [
        "positive control of 1 selected cases",
        "selected by *-E9-guarantee-*",
        "positive control, once more at the end",
    ]
    assert "  - nominal-movement@holder: not selected" in lines


def test_a_plan_needs_no_certificates_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = set_up(pack_named("etir-4.3"), Show("etir-4.3", "holder"), tmp_path).target_file
    command = ["plan", "--target", str(target), "--select", "*-E9-guarantee-*"]
    assert main(command) == 0
    before = capsys.readouterr().out.splitlines()
    named = json.loads(target.read_text("utf-8"))["certificates"]
    files = {target.parent / name for names in named.values() for name in names}
    for file in files:
        file.rename(file.with_name(f"{file.name}.away"))
    assert main(command) == 0
    mark, *lines = capsys.readouterr().out.splitlines()
    missing = [line for line in lines if "not there yet" in line]
    assert len(missing) == len(files)
    assert all(any(str(file) in line for line in missing) for file in files)
    assert [line for line in lines if line not in missing] == before[1:]
    assert mark.rpartition(" ")[0] == before[0].rpartition(" ")[0]
    assert mark.rpartition(" ")[2] != before[0].rpartition(" ")[2]
    assert main(["run", "--target", str(target), "--out", str(tmp_path / "out")]) == 11


@pytest.mark.parametrize("claimed", [True, False])
def test_a_plan_says_when_the_ics_lacks_what_is_mandatory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], claimed: bool
) -> None:
    target = set_up(pack_named("etir-4.3"), Show("etir-4.3", "holder"), tmp_path).target_file
    document = json.loads(target.read_text("utf-8"))
    ics = tmp_path / "ics.yaml"
    ics.write_text(json.dumps({"messages": {"E9": claimed}}), "utf-8")
    target.write_text(json.dumps({**document, "ics": str(ics)}), "utf-8")
    assert main(["plan", "--target", str(target)]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "never conformant" in line]
    assert said == ([] if claimed else ["  never conformant: the ICS does not claim what the role must support: E9"])


def test_a_certificate_that_cannot_be_read_stops_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = set_up(pack_named("etir-4.3"), Show("etir-4.3", "holder"), tmp_path).target_file
    (name, *_) = json.loads(target.read_text("utf-8"))["certificates"]["tls"]
    (target.parent / name).write_text("no certificate", "utf-8")
    assert main(["plan", "--target", str(target)]) == 11
    assert name.rpartition("/")[2] in "".join(capsys.readouterr().err.split())


def test_a_table_from_which_nothing_is_derived_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--pack", "readiness", "--derived-from", "nothing.xsd"]) == 11
    text = " ".join(capsys.readouterr().err.split())
    assert "no case is derived from nothing.xsd" in text
    assert "lifecycle.yaml" in text
