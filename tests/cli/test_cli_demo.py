"""``c2c demo``: from nothing to a verified bundle."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from pack_kit import pack_named

from harness import demo
from harness.cli.list_cases import cases_for
from harness.cli.main import main

PACK = pack_named("etir-4.3")
CASES = sum(
    any(PACK.requirements[name].level == "MUST" for name in case.requirements)
    for case in cases_for(PACK, "holder", "quick")
)


def test_the_faultless_reference_is_conformant_and_the_bundle_proves_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bundle"
    assert main(["demo", "--role", "holder", "--out", str(out), "--zip"]) == 0
    printed = capsys.readouterr()
    assert f"required {CASES}, executed {CASES}, passed {CASES}" in printed.out
    assert "pass          nominal-movement@holder" in printed.err
    record = json.loads((out / "record.json").read_bytes())
    assert record["verdict"] == "conformant"
    assert record["counts"] == {"required": CASES, "executed": CASES, "passed": CASES}
    assert (out / "derived" / "report.html").is_file()
    assert (out / "derived" / "junit.xml").is_file()
    key = tmp_path / "bundle.pub.pem"
    for bundle in (out, tmp_path / "bundle.zip"):
        assert main(["verify", str(bundle), "--trust", str(key)]) == 0
    assert main(["verify", str(out), "--at", "2101-01-01"]) == 10
    (out / "derived" / "report.html").write_bytes(b"somebody else's report")
    assert main(["verify", str(out), "--trust", str(key)]) == 13
    assert "derived/report.html was changed" in capsys.readouterr().out


def test_a_fault_is_caught_and_its_requirement_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--fault", "holder-does-not-sign", "--serial", "--out", str(tmp_path / "bundle")]
    assert main(["demo", *arguments]) == 1
    printed = capsys.readouterr()
    assert "not conformant: Failed: ETIR-SEC-SIGNED" in printed.out
    assert "fail  " in printed.out


def test_a_fault_that_the_first_look_does_not_show_is_looked_for(tmp_path: Path) -> None:
    fault = PACK.faults["chain-stumbles-over-answers"]
    out = tmp_path / "bundle"
    assert main(["demo", "--fault", fault.id, "--out", str(out)]) == 1
    record = json.loads((out / "record.json").read_bytes())
    failed = {each["id"] for each in record["cases"] if each["verdict"] == "fail"}
    assert failed
    assert not failed & {case.id for case in cases_for(PACK, fault.role, "quick")}
    assert fault.requirement in {each["id"] for each in record["requirements"] if each["status"] == "failed"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fault", "start-twice"], "Did you mean 'starts-twice'"),
        (["--fault", "starts-twice", "--role", "holder"], "do not go together"),
        (["--role", "smuggler"], "smuggler"),
    ],
)
def test_what_there_is_not_cannot_be_shown(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", *arguments, "--out", str(tmp_path / "bundle")]) == 11
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "bundle").exists()


def test_one_case_alone_can_be_shown_also_one_that_the_first_look_leaves_out(tmp_path: Path) -> None:
    pack = pack_named("etir-4.3")
    quick = {case.id for case in cases_for(pack, "holder", "quick")}
    case = next(case.id for case in cases_for(pack, "holder", "full") if case.id not in quick)
    out = tmp_path / "bundle"
    assert main(["demo", "--role", "holder", "--select", case, "--out", str(out)]) == 10
    record = json.loads((out / "record.json").read_bytes())
    assert {played["id"].removesuffix("~end") for played in record["cases"]} >= {case}


def test_ports_in_use_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((demo.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(demo, "_PORTS", range(port, port + 1))
        assert main(["demo", "--role", "holder", "--out", str(tmp_path / "bundle")]) == 11
    assert f"from {port} to {port} are free" in " ".join(capsys.readouterr().err.split())
