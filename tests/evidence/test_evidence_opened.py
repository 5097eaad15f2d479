"""Opened messages are remembered for a while, within bounds, whatever is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.evidence import message
from harness.evidence.message import forget_messages, open_message
from harness.pack.load import load_pack

PACK = load_pack(Path(__file__).parent.parent / "packs" / "neighbours")
AT = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)


def opened(data: bytes) -> object:
    return open_message(PACK, {}, data, at=AT, trust=None)


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    forget_messages()


def test_a_message_is_opened_once() -> None:
    first = opened(b"{}")
    assert opened(b"{}") is first
    forget_messages()
    assert opened(b"{}") is not first


@pytest.mark.parametrize(("size", "remembered"), [(1, True), (9, True), (40, False)])
def test_long_messages_are_forgotten_sooner(monkeypatch: pytest.MonkeyPatch, size: int, remembered: bool) -> None:
    monkeypatch.setattr(message._Latest, "BYTES", 100)
    first = opened(b"{}")
    for number in range(10):
        opened(b"%d" % number * size)
    assert (opened(b"{}") is first) is remembered


def test_many_messages_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message._Latest, "MOST", 10)
    first = opened(b"{}")
    for number in range(9):
        opened(b"%d" % number)
    assert opened(b"{}") is first
    opened(b"one more")
    assert opened(b"{}") is not first


def test_what_is_too_long_to_be_remembered_is_opened_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message._Latest, "BYTES", 1)
    first = opened(b"{}")
    assert opened(b"{}") is not first
    monkeypatch.setattr(message._Latest, "BYTES", 2)
    assert opened(b"{}") is opened(b"{}")
