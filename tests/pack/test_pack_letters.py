"""Answers that travel in messages of their own: what the tables of a pack say of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import ConfigurationFault
from harness.pack.identify import identify
from harness.pack.load import load_pack
from harness.pack.model import Outcome
from harness.pack.sound import check_pack

LETTERS = Path(__file__).parent.parent / "packs" / "letters"
PACK = load_pack(LETTERS)


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    return Path(shutil.copytree(LETTERS, tmp_path / "letters"))


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")


def test_the_pack_is_sound() -> None:
    assert check_pack(PACK) == []


def test_what_may_answer_what() -> None:
    assert PACK.answering("record") == ("rejection", "unreadable")
    assert PACK.answering("query") == ("query-result", "rejection", "unreadable")
    assert PACK.answering("rejection") == ("unreadable",)
    assert PACK.answering("unreadable") == ()


def test_what_silence_means() -> None:
    assert PACK.silence("record") == Outcome("accepted")
    assert PACK.silence("query") == Outcome("silence")
    assert load_pack(LETTERS.parent / "neighbours").silence("notice") == Outcome("silence")


def test_which_message_says_an_outcome() -> None:
    assert PACK.saying("query", Outcome("accepted")) == "query-result"
    assert PACK.saying("query", Outcome("error", "1")) == "query-result"
    assert PACK.saying("query", Outcome("error", "92", by="rejection")) == "rejection"
    assert PACK.saying("record", Outcome("error", "92")) == "rejection"
    assert PACK.saying("record", Outcome("accepted")) is None
    assert PACK.saying("unreadable", Outcome("error", "13")) is None


def test_an_answer_has_an_address() -> None:
    assert identify(PACK, method="POST", target="/customs.import/query-results") == "query-result"


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("pack.yaml", "answers: message", "answers: reply", "one of its own"),
        ("messages.yaml", "answers: query", "refuses: [query]", "answer"),
        ("messages.yaml", "refuses: {all_but: [rejection, unreadable]}", "refuses: [recrod]", "recrod"),
        ("messages.yaml", 'errors: {each: "errors[*]", code: code, pointer: pointer}', "method: POST", "errors"),
        ("messages.yaml", "within: objection", "within: objektion", "objektion"),
        ("messages.yaml", "target: query-results", "target: queries", "cannot be told"),
        ("lifecycle.yaml", "  arrival:\n", "  rejection: {}\n  arrival:\n", "refuses other messages"),
        ("lifecycle.yaml", '{error: "92", by: rejection, requirement', '{error: "92", by: 7, requirement', "by"),
    ],
)
def test_a_mistake_is_told(letters: Path, file: str, old: str, new: str, says: str) -> None:
    change(letters, file, old, new)
    with pytest.raises(ConfigurationFault, match=says):
        load_pack(letters)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "correlation: forbidden\n    schema: query.json",
            "correlation: required\n    schema: query.json",
            "no place in the sample",
        ),
        ("answers: query", "answers: query\n    correlation: forbidden", "must not"),
    ],
)
def test_samples_refer_to_other_messages_as_they_must(letters: Path, old: str, new: str, says: str) -> None:
    change(letters, "messages.yaml", old, new)
    assert [fault for fault in check_pack(load_pack(letters)) if says in str(fault)]


def test_a_refusal_without_an_error_is_told(letters: Path) -> None:
    change(letters, "golden/rejection.json", '"errors": [', '"errors": [], "x": [')
    assert [fault for fault in check_pack(load_pack(letters)) if "has no error" in str(fault)]
