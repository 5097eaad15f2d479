"""Loading scripts: what a step may say of defects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.errors import ConfigurationFault
from harness.pack.model import Pack
from harness.scenario.load import load_scenario
from harness.scenario.mistakes import impossible
from harness.scenario.plan import Parameters, Subject, make_plan
from harness.scenario.project import exchanges

SCRIPT = """
id: broken-start
version: 1
title: A start that is wrong in one place
effect: None.
bearers:
  platform: {{purpose: Refuses it., requirements: [ETIR-MSG-101]}}
steps:
  - exchange: I9
    from: customs.departure
    to: platform
    when: simulated
    defect: "{defect}"
    answer: {{error: "101"}}
"""


@pytest.fixture(scope="module")
def pack() -> Pack:
    return pack_named("etir-4.3")


def script(folder: Path, defect: str) -> Path:
    file = folder / "broken-start.yaml"
    file.write_text(SCRIPT.format(defect=defect), "utf-8")
    return file


@pytest.mark.parametrize(
    "defect", ["message/without at /Control", "message/text at /Control/TypeCode as 12, 5", "signature/missing"]
)
def test_a_step_may_have_a_defect_of_the_pack_or_an_edit(pack: Pack, tmp_path: Path, defect: str) -> None:
    scenario = load_scenario(script(tmp_path, defect), pack)
    assert [step.defect for step in exchanges(scenario.steps)] == [defect]


def test_a_step_may_be_written_in_another_legal_way(pack: Pack, tmp_path: Path) -> None:
    file = script(tmp_path, "signature/missing")
    plain = file.read_text("utf-8")
    legal = plain.replace("    when: simulated\n", "").replace('defect: "signature/missing"', "variation: prefixed")
    file.write_text(legal.replace('{error: "101"}', "{expect: [accepted]}"), "utf-8")
    assert [step.variation for step in exchanges(load_scenario(file, pack).steps)] == ["prefixed"]
    for wrong, words in (("prefixd", "prefixed"), ("rsa", "in which the harness can send")):
        file.write_text(legal.replace("prefixed", wrong), "utf-8")
        with pytest.raises(ConfigurationFault, match=words) as told:
            load_scenario(file, pack)
        assert told.value.where is not None
        assert told.value.where.line == 12
    file.write_text(plain.replace("    answer:", "    variation: prefixed\n    answer:"), "utf-8")
    with pytest.raises(ConfigurationFault, match="a variation or a defect, not both"):
        load_scenario(file, pack)


@pytest.mark.parametrize("defect", ["message/without at a//b", "message/without", "message/erased at /Control"])
def test_another_word_is_told_with_its_line(pack: Pack, tmp_path: Path, defect: str) -> None:
    with pytest.raises(ConfigurationFault) as told:
        load_scenario(script(tmp_path, defect), pack)
    assert told.value.where is not None
    assert told.value.where.line == 13


@pytest.mark.parametrize(
    ("defect", "told"),
    [
        ("message/without at /Nowhere", 1),
        ("message/swapped at /Control/TypeCode", 1),
        ("message/text at /Control as x", 1),
        ("message/without at /Control", 0),
        ("message/text at /Control/TypeCode as 9", 0),
        ("signature/missing", 0),
    ],
)
def test_an_edit_of_what_is_not_there_is_told_with_its_line(pack: Pack, tmp_path: Path, defect: str, told: int) -> None:
    file = script(tmp_path, defect)
    found = list(impossible(load_scenario(file, pack), pack))
    assert [(fault.where.line, defect in fault.what) for fault in found if fault.where] == [(9, True)] * told
    answered = file.read_text("utf-8").replace("    when: simulated\n    defect", "    answer_defect")
    file.write_text(answered.replace("/Control", "/Reason"), "utf-8")
    absent = list(impossible(load_scenario(file, pack), pack))
    assert len(absent) == (defect != "signature/missing")


def test_a_place_that_a_step_may_add_is_not_missed(pack: Pack, tmp_path: Path) -> None:
    file = script(tmp_path, "message/without at /Nowhere")
    file.write_text(file.read_text("utf-8").replace("    answer:", "    with: {seals: [A1]}\n    answer:"), "utf-8")
    assert not list(impossible(load_scenario(file, pack), pack))


def test_such_a_script_cannot_be_planned(pack: Pack, tmp_path: Path) -> None:
    mine = replace(pack, scenarios=(script(tmp_path, "message/without at /Nowhere"),))
    with pytest.raises(ConfigurationFault, match="its place is not in the message"):
        make_plan(mine, Subject("platform"), Parameters())


AGAIN = """
id: broken-start
version: 1
title: A start that comes twice
effect: None.
bearers:
  platform: {purpose: Takes it once., requirements: [ETIR-I9-OK]}
steps:
  - {id: start, exchange: I9, from: customs.departure, to: platform}
  - {id: again, exchange: I9, from: customs.departure, to: platform, repeat: start}
"""


@pytest.mark.parametrize(("named", "right"), [("start", True), ("again", False), ("later", False)])
def test_only_an_earlier_exchange_can_be_repeated(pack: Pack, tmp_path: Path, named: str, right: bool) -> None:
    file = tmp_path / "broken-start.yaml"
    later = "  - {id: later, exchange: I9, from: customs.departure, to: platform}\n"
    file.write_text(AGAIN.replace("repeat: start", f"repeat: {named}") + later, "utf-8")
    if right:
        assert [step.repeats for step in exchanges(load_scenario(file, pack).steps)] == [None, named, None]
        return
    with pytest.raises(ConfigurationFault, match=f"there is no earlier exchange '{named}'") as told:
        load_scenario(file, pack)
    assert [each.where.line for each in told.value.each if each.where] == [10]


def test_a_step_with_a_mistake_is_still_there_for_those_that_name_it(pack: Pack, tmp_path: Path) -> None:
    file = tmp_path / "broken-start.yaml"
    file.write_text(AGAIN.replace("{id: start, exchange: I9", "{id: start, exchange: I99"), "utf-8")
    with pytest.raises(ConfigurationFault, match="there is no message 'I99'") as told:
        load_scenario(file, pack)
    assert [each.where.line for each in told.value.each if each.where] == [9]
