from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigurationFault
from harness.pack.load import load_pack
from harness.pack.sound import check_pack


@pytest.fixture
def overlay(folder: Path) -> Path:
    """A pack beside its base that says nothing of its own yet."""
    top = folder.parent / "official"
    top.mkdir()
    (top / "pack.yaml").write_text("id: official\nversion: '2.0'\nextends: neighbours\n")
    return top


def test_everything_is_inherited(folder: Path, overlay: Path) -> None:
    base, top = load_pack(folder), load_pack(overlay)
    assert (top.id, top.version, top.title, top.extends) == ("official", "2.0", base.title, ("neighbours",))
    assert top.messages == base.messages
    assert top.faults == base.faults
    assert top.rules_by_message == base.rules_by_message
    assert top.codelists == base.codelists
    assert top.scenarios == base.scenarios
    assert top.fixtures == base.fixtures
    assert top.roots == (overlay, folder)
    assert top.digest != base.digest


def test_an_entry_replaces_the_whole_entry(overlay: Path) -> None:
    (overlay / "faults.yaml").write_text(
        "faults:\n  wrong-error-code: {role: customs, title: New, requirement: NB-TOLD, hook: answer}\n"
    )
    faults = load_pack(overlay).faults
    assert (faults["wrong-error-code"].title, faults["wrong-error-code"].parameters) == ("New", {})
    assert faults["sends-unsigned"].hook == "sign"


def test_null_removes_an_entry(overlay: Path) -> None:
    (overlay / "faults.yaml").write_text("faults:\n  wrong-error-code: null\n")
    (overlay / "constraints.yaml").write_text("codelists: []\nrules: null\n")
    pack = load_pack(overlay)
    assert "wrong-error-code" not in pack.faults
    assert len(pack.faults) == 5
    assert (pack.coded, pack.rules) == ((), {})
    assert "missing" in pack.constraints


def test_a_file_replaces_the_file_of_its_path(folder: Path, overlay: Path) -> None:
    for name in ("schemas", "scenarios", "codelists", "golden"):
        (overlay / name).mkdir()
    types = (folder / "schemas" / "types.json").read_text().replace('"maxItems": 9', '"maxItems": 1')
    (overlay / "schemas" / "types.json").write_text(types)
    (overlay / "scenarios" / "movement.yaml").write_text((folder / "scenarios" / "movement.yaml").read_text())
    (overlay / "scenarios" / "body-altered.yaml").write_text("null\n")
    codes = (folder / "codelists" / "transport-mode.yaml").read_text().replace('version: "2"', 'version: "3"')
    (overlay / "codelists" / "transport-mode.yaml").write_text(codes)
    (overlay / "pack.yaml").write_text("id: official\nversion: '2'\nextends: neighbours\nfixtures: ./golden\n")
    (overlay / "golden" / "arrival.json").write_text((folder / "golden" / "arrival.json").read_text())

    pack = load_pack(overlay)
    assert pack.codelists["transport-mode"].version == "3"
    assert pack.messages["arrival"].golden["accepted"].is_relative_to(overlay)
    assert pack.messages["notice"].golden["accepted"].is_relative_to(folder)
    assert [file.relative_to(file.parents[2]).as_posix() for file in pack.scenarios] == [
        "neighbours/scenarios/arrival-of-another-vehicle.yaml",
        "neighbours/scenarios/arrival-of-unknown.yaml",
        "official/scenarios/movement.yaml",
        "neighbours/scenarios/two-movements.yaml",
    ]
    # the schema of the base refers to the shared file, which is now the one of the overlay
    places = {str(fault.where) for fault in check_pack(pack) if "seals breaks 'maxItems'" in fault.what}
    assert places == {
        f"{folder / 'golden' / 'notice.json'} (/seals)",
        f"{overlay / 'golden' / 'arrival.json'} (/seals)",
    }


def test_a_mistake_is_told_in_the_file_where_it_stands(folder: Path, overlay: Path) -> None:
    (overlay / "messages.yaml").write_text("values:\n\n  mode: {owner: custms, scope: message}\n")
    with pytest.raises(ConfigurationFault) as caught:
        load_pack(overlay)
    assert str(caught.value.where) == f"{overlay / 'messages.yaml'}:3 (values/mode/owner)"
    (overlay / "messages.yaml").write_text("values: {carrier: null}\n")
    with pytest.raises(ConfigurationFault) as caught:
        load_pack(overlay)
    assert caught.value.where is not None
    assert caught.value.where.file == folder / "messages.yaml"


def test_an_overlay_of_an_overlay(folder: Path, overlay: Path) -> None:
    third = folder.parent / "third"
    third.mkdir()
    (third / "pack.yaml").write_text("id: third\nextends: official\ntitle: Third\n")
    pack = load_pack(third)
    assert (pack.title, pack.version, pack.extends) == ("Third", "2.0", ("official", "neighbours"))


def test_a_pack_cannot_extend_itself(folder: Path, overlay: Path) -> None:
    (folder / "pack.yaml").write_text((folder / "pack.yaml").read_text() + "extends: official\n")
    with pytest.raises(ConfigurationFault, match="extends itself") as caught:
        load_pack(overlay)
    assert caught.value.where is not None
    assert caught.value.where.line is not None


@pytest.mark.parametrize("name", ["neighbors", "../neighbours"])
def test_the_base_must_exist(overlay: Path, name: str) -> None:
    (overlay / "pack.yaml").write_text(f"id: official\nversion: '2.0'\nextends: {name}\n")
    with pytest.raises(ConfigurationFault, match="there is no pack") as caught:
        load_pack(overlay)
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == (overlay / "pack.yaml", 3)
