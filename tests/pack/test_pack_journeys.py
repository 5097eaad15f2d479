"""Journeys: one exchange on several transports, each with parties, samples and numbers of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import ConfigurationFault
from harness.pack.load import load_pack
from harness.scenario.load import load_scenario

JOURNEYS = """
journeys:
  other:
    title: From Exland to Far
    fixtures: ./far
    patterns: {consignment: "FAR-######"}
    parties:
      customs.export: {}
      customs.import: {country: XC, office: XCFAR001}
"""


def with_journey(folder: Path, text: str = JOURNEYS) -> Path:
    (folder / "far").mkdir()
    shutil.copy(folder / "golden" / "notice.json", folder / "far")
    with (folder / "pack.yaml").open("a", encoding="utf-8") as file:
        file.write(text)
    return folder


def test_a_journey_has_parties_samples_and_numbers_of_its_own(folder: Path) -> None:
    pack = load_pack(with_journey(folder))
    other = pack.on("other")
    assert pack.on("") is pack
    assert other.parties["customs.import"].facts["office"] == "XCFAR001"
    assert other.parties["customs.import"].facts["id"] == pack.parties["customs.import"].facts["id"]
    assert other.messages["notice"].golden["accepted"].parent.name == "far"
    assert other.messages["arrival"] == pack.messages["arrival"]
    assert other.values["consignment"].make.text == "FAR-######"


def test_its_samples_count_in_the_digest(folder: Path) -> None:
    before = load_pack(with_journey(folder)).digest
    sample = folder / "far" / "notice.json"
    sample.write_text(sample.read_text("utf-8") + "\n", "utf-8")
    assert load_pack(folder).digest != before


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("customs.import", "customs.transit", "there is no party 'customs.transit'"),
        ("consignment", "consignments", "there is no bound name 'consignments'"),
        ("./far", "./farther", "there is no folder './farther'"),
    ],
)
def test_what_a_journey_names_must_be_there(folder: Path, old: str, new: str, complaint: str) -> None:
    with_journey(folder, JOURNEYS.replace(old, new, 1))
    with pytest.raises(ConfigurationFault, match=complaint):
        load_pack(folder)


def test_an_overlay_with_samples_of_its_own_has_no_journeys_of_its_base(folder: Path) -> None:
    with_journey(folder)
    top = folder.parent / "official"
    shutil.copytree(folder / "golden", top / "golden")
    (top / "pack.yaml").write_text("id: official\nversion: '2.0'\nextends: neighbours\n")
    assert list(load_pack(top).journeys) == ["other"]
    (top / "pack.yaml").write_text("id: official\nversion: '2.0'\nextends: neighbours\nfixtures: ./golden\n")
    assert list(load_pack(top).journeys) == []


def test_an_overlay_forgives_only_its_base_a_journey_that_it_does_not_have(folder: Path) -> None:
    top = folder.parent / "official"
    shutil.copytree(folder / "golden", top / "golden")
    (top / "pack.yaml").write_text("id: official\nversion: '2.0'\nextends: neighbours\nfixtures: ./golden\n")
    pack = load_pack(top)
    theirs = next(iter(pack.scenarios))
    theirs.write_text(theirs.read_text("utf-8") + "journey: nowhere\n", "utf-8")
    assert load_scenario(theirs, pack).journey == ""
    mine = top / "scenarios" / theirs.name
    mine.parent.mkdir()
    shutil.copy(theirs, mine)
    with pytest.raises(ConfigurationFault, match="there is no journey 'nowhere'"):
        load_scenario(mine, pack)


def test_a_scenario_names_a_journey_that_is_there(folder: Path) -> None:
    pack = load_pack(with_journey(folder))
    file = next(iter(pack.scenarios))
    text = file.read_text("utf-8")
    file.write_text(text + "journey: other\n", "utf-8")
    assert load_scenario(file, pack).journey == "other"
    file.write_text(text + "journey: nowhere\n", "utf-8")
    with pytest.raises(ConfigurationFault, match="there is no journey 'nowhere'"):
        load_scenario(file, pack)
