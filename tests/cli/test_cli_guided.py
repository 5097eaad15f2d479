"""A system that a person operates, from the run sheet to the bundle, paused and resumed.

The person is a script that reads the terminal and does on the reference implementation what it says there, by hand.
"""

from __future__ import annotations

import json
import re
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from campaign_kit import running

from harness.bundle.verify import verify_bundle
from harness.cli.main import main
from harness.record.strict import loads
from harness.security.statement_key import key_id, load_public_keys

ACTION = re.compile(r"Action \d+: send (\S+)(?: as (\S+))? to (\S+) at (\S+)")
VALUE = re.compile(r"    (\S+) = (.*)")
CASE = re.compile(r"    \((\S+); it is seen when it comes\..*")
LOOKUP = re.compile(r"Look up: in which state is the (\S+) with (.*?)(?: for (\S+))?\? \(Enter")
PLANNED = re.compile(r"by hand: (\d+) messages to send and (\d+) states to look up, on (\d+) movements")


class Person:
    """Reads what the terminal says, and does it on the system.

    Parameters:
        target: a target file whose control interface the person uses in place of the harness.
    """

    def __init__(self, target: Path) -> None:
        described = json.loads(target.read_text("utf-8"))
        self._url = described["control"]["url"]
        self._token = Path(described["control"]["token"]["file"]).read_text("utf-8")
        self._context = ssl.create_default_context(cafile=described["certificates"]["tls"][0])
        self.sent: list[str] = []
        self.asked = 0
        self.interrupted = False
        self._order: dict[str, Any] = {}

    def work(self, process: subprocess.Popen[str], *, pause_after: int | None = None) -> int:
        """Do what the process says until it ends; interrupt it after so many actions, and then do nothing more."""
        assert process.stderr is not None
        self.interrupted = False
        with process:
            for line in process.stderr:
                if not self.interrupted:
                    self._read(line.rstrip("\n"), process, pause_after)
        return process.returncode

    def _read(self, text: str, process: subprocess.Popen[str], pause_after: int | None) -> None:
        if found := ACTION.match(text):
            message, position, party, url = found.groups()
            receiver = {"party": party, "url": url}
            self._order = {"message": message, "position": position, "parameters": {}, "receiver": receiver}
        elif found := VALUE.match(text):
            value = found[2]
            self._order["parameters"][found[1]] = json.loads(value) if value[:1] in "[{" else value
        elif found := CASE.match(text):
            self._call("actions", {"case": found[1], "step": self._order["message"], **self._order})
            self.sent.append(self._order["message"])
            if len(self.sent) == pause_after:
                process.send_signal(signal.SIGINT)
                self.interrupted = True
        elif found := LOOKUP.match(text):
            name, key, position = found.groups()
            known = dict(part.split(" ", 1) for part in key.split(", ")) if key != "no number yet" else {}
            state = self._call("state", {"object": name, "key": known, "position": position}).get("state")
            assert process.stdin is not None
            process.stdin.write(f"{state or ''}\n")
            process.stdin.flush()
            self.asked += 1

    def _call(self, name: str, body: dict[str, object]) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/{name}", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, context=self._context) as answer:
                return dict(json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{name} {body}: {refused.read().decode()}") from None


def harness(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-m", "harness", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("role", ["holder", pytest.param("customs", marks=pytest.mark.nightly)])
def test_a_person_certifies_a_system_with_a_pause(role: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, sheet = tmp_path / "bundle", tmp_path / "sheet.html"
    with running(tmp_path / "system", "etir-4.3", role, full=True) as props:
        person, target = Person(props.target_file), tmp_path / "system" / "guided.yaml"
        described = json.loads(props.target_file.read_text("utf-8"))
        described |= {"control": {"type": "guided"}, "max_in_flight": 3}
        target.write_text(json.dumps(described), "utf-8")
        assert main(["plan", "--target", str(target), "--sheet", str(sheet)]) == 0
        actions, lookups, movements = map(int, PLANNED.search(capfd.readouterr().out).groups())  # type: ignore[union-attr]
        page = sheet.read_text("utf-8")
        assert page.count(f"As {role}") == actions
        assert page.count("Look up the state") == lookups
        assert page.count("<caption>Movement") == movements

        first = person.work(harness("run", "--target", str(target), "--out", str(out)), pause_after=actions // 2)
        assert first in (1, 10)
        paused = loads((out / "record.json").read_bytes(), "record.json")
        assert not paused["complete"]
        assert len(person.sent) == actions // 2

        assert person.work(harness("run", "--target", str(target), "--resume", str(out))) == 0
    record = loads((out / "record.json").read_bytes(), "record.json")
    assert record["verdict"] == "conformant"
    assert {case["id"] for case in record["cases"] if case["verdict"] not in ("pass", "warning")} == set()
    assert verify_bundle(out, load_public_keys(props.public_key), datetime.now(UTC)).ok
    # what was interrupted is done again, with what leads there
    assert actions <= len(person.sent) <= actions + 8

    spared = record["plan"]["spared"]
    assert spared
    told = admission(out, props.public_key, record, capfd, spared=["*"], revocation=True, signers_declared=True)
    assert (told["spared"], told["revocation"], told["signers_declared"]) == ("met", "met", "met")
    strict = admission(out, props.public_key, record, capfd, spared=spared[1:], uninterrupted=True)
    assert (strict["spared"], strict["uninterrupted"], strict["verdict"]) == ("NOT MET", "NOT MET", "met")
    assert admission(out, props.public_key, record, capfd)["spared"] == "warning"


def admission(
    bundle: Path, tester: Path, record: Mapping[str, Any], capfd: pytest.CaptureFixture[str], **rules: object
) -> dict[str, str]:
    """What `c2c admit` says of each rule of an operator, as a look changes nothing."""
    policy = bundle.with_name("policy.yaml")
    signer = {"name": "Ministry", "part": "tester", "key": key_id(load_public_keys(tester)[0])}
    pack = {"id": record["pack"]["id"], "versions": [record["pack"]["version"]]}
    policy.write_text(
        json.dumps({"policy": "p", "pack": pack, "test_keys": True, "signers": [signer], **rules}), "utf-8"
    )
    capfd.readouterr()
    assert main(["admit", str(bundle), "--policy", str(policy), "--register", str(bundle.with_name("none.db"))]) == 1
    lines = capfd.readouterr().out.splitlines()[1:-1]
    return {line[9:].split()[0]: line[:9].strip() for line in lines}
