"""Loading scripts: what a step may say of defects."""

from __future__ import annotations

from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.errors import ConfigurationFault
from harness.pack.model import Pack
from harness.scenario.load import load_scenario
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
