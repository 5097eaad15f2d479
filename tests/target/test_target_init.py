"""The first files of a new user can be loaded, and say what was answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_kit import pack_named

from harness.errors import ConfigurationFault
from harness.pack.model import Pack
from harness.target.init import Answers, write_target_files
from harness.target.load import check_target, load_target
from harness.target.model import CommandControl, GuidedControl, HttpControl, NoControl

ANSWERS = Answers(pack="neighbours", role="customs", authority="Customs of Exland", product="Transit", version="1.0")


def test_the_files_can_be_loaded(tmp_path: Path, neighbours: Pack) -> None:
    answers = replace(
        ANSWERS,
        positions=("export",),
        contact="me@example.org",
        facts={"country": "NO", "office": "XAEXP001"},
        url="https://sut.example",
        control="http",
        control_url="https://sut.example:9443",
        advertise="https://harness.example:8443",
    )
    files = write_target_files(answers, neighbours, tmp_path / "new")
    target = load_target(files[0])
    check_target(target, neighbours)
    assert target.facts[""] == {"country": "NO", "office": "XAEXP001"}
    assert target.positions == ("export",)
    assert target.ics.messages == ("notice", "arrival")
    assert target.ixit.pools == neighbours.pools
    assert target.ixit.timers == neighbours.timers
    assert isinstance(target.control, HttpControl)
    assert target.listen.advertise == "https://harness.example:8443"
    assert target.test_keys


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (ANSWERS, NoControl),
        (replace(ANSWERS, control="guided"), GuidedControl),
        (replace(ANSWERS, control="command", command=("python", "adapter.py")), CommandControl),
    ],
)
def test_other_ways_of_control(tmp_path: Path, neighbours: Pack, answers: Answers, kind: type) -> None:
    target = load_target(write_target_files(answers, neighbours, tmp_path)[0])
    assert isinstance(target.control, kind)
    assert not target.endpoints


def test_nothing_is_overwritten(tmp_path: Path, neighbours: Pack) -> None:
    (tmp_path / "ics.yaml").write_text("mine", "utf-8")
    with pytest.raises(ConfigurationFault, match=r"ics\.yaml is there already"):
        write_target_files(ANSWERS, neighbours, tmp_path)
    assert not (tmp_path / "target.yaml").exists()


@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_any_words_survive(tmp_path_factory: pytest.TempPathFactory, neighbours: Pack, text: str) -> None:
    folder = tmp_path_factory.mktemp("init")
    answers = replace(ANSWERS, authority=text, product=text, facts={"name": text})
    target = load_target(write_target_files(answers, neighbours, folder)[0])
    assert (target.sut.authority, target.facts[""]["name"]) == (text, text)


def test_the_ics_asks_a_plain_question_for_each_request(tmp_path: Path) -> None:
    pack = pack_named("etir-4.3")
    ics = write_target_files(replace(ANSWERS, role="customs", pack="etir-4.3"), pack, tmp_path)[1].read_text("utf-8")
    assert (
        "# Does your system send I9 (Start TIR operation) and understand the answer I10? Mandatory.\n  I9: true" in ics
    )
    assert "# Does your system receive E9 (Advance TIR data) and answer it with E10? Mandatory.\n  E9: true" in ics
    assert "I5? Optional" not in ics
    assert "send I5 (Query guarantee) and understand the answer I6? Optional." in ics
    assert "E1:" not in ics
