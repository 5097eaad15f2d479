"""What a person sees during a run."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from harness.cli.progress import Progress
from harness.evidence.model import Event
from harness.judge.model import Verdict


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.cli.progress.BLINK", 0)


def event(kind: str, case: str | None = "start@departure", **data: Any) -> Event:
    return Event(0, kind, "2026-11-23T12:00:00.000000Z", 0, case, None, data)


def played(progress: Progress, verdict: Verdict) -> None:
    progress.c2c_planned(SimpleNamespace(pack="p", pack_version="1", subject=SimpleNamespace(role="r"), cases=[1, 2]))
    progress.c2c_event(event("run-started", None))
    progress.c2c_event(event("case-started"))
    waiting = {"message": "M", "sender": "departure", "until": "2026-11-23T12:00:10.000000Z"}
    progress.c2c_event(event("waiting", **waiting))
    progress.c2c_event(event("case-finished"))
    progress.c2c_case_judged(SimpleNamespace(id="start@departure"), SimpleNamespace(verdict=verdict, reason="because"))
    progress.c2c_finished()


def test_a_terminal_says_what_is_awaited_and_until_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    stream = Terminal()
    played(Progress(stream), Verdict.PASS)
    assert "\r[0/2] start@departure: waiting for M from departure until 12:00:10 UTC" in stream.getvalue()
    assert "pass" not in stream.getvalue()


def test_a_live_line_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    played(Progress(stream), Verdict.PASS)
    assert max(len(part) for line in stream.getvalue().split("\n")[1:] for part in line.split("\r")) == 29


def test_what_did_not_pass_keeps_its_line() -> None:
    stream = Terminal()
    played(Progress(stream), Verdict.FAIL)
    assert "fail          start@departure: because\n" in stream.getvalue()


def test_elsewhere_there_are_plain_lines() -> None:
    stream = io.StringIO()
    played(Progress(stream), Verdict.PASS)
    assert stream.getvalue() == "p 1, r: 2 cases\npass          start@departure\n"
