"""A folder of schemas becomes an overlay: roots and places are proposed with reasons, and never wrong."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import variant_schemas
import yaml
from pack_kit import pack_named
from variant_schemas import new_path, write_variant, write_wsdl

from harness.errors import ConfigurationFault
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.pack.overlay import Imported, import_folder, sample_again
from harness.pack.sound import check_pack
from harness.pack.trial import schema_trials


@pytest.fixture(scope="module")
def base() -> Pack:
    return pack_named("etir-4.3")


@pytest.fixture(scope="module")
def made(base: Pack, tmp_path_factory: pytest.TempPathFactory) -> tuple[Imported, dict[str, str]]:
    """The variant with its WSDL, a sample and a code list, imported."""
    folder = tmp_path_factory.mktemp("official")
    roots = write_variant(folder / "files")
    pairs = {message.name: message.answer for message in base.messages.values() if message.answer}
    write_wsdl(folder / "files" / "exchange.wsdl", pairs, roots)
    (folder / "files" / "ControlTypes.csv").write_text("Code,Description\n1,Documents\n2,Seals\n7,Scanner\n")
    (folder / "files" / "broken.xml").write_text("<a>")
    (folder / "files" / "notes.txt").write_text("nothing of ours")
    return import_folder(base, folder / "files", folder / "overlay", {}), roots


def test_every_message_and_every_place_is_found(made: tuple[Imported, dict[str, str]]) -> None:
    done, roots = made
    assert {each.message.name: each.root.tag for each in done.adopted if each.root and each.sure} == roots
    found = yaml.safe_load((done.folder / "messages.yaml").read_text())["messages"]
    places = {(name, place): here for name, entry in found.items() for place, here in entry["paths"].items()}
    assert len(places) > 600
    assert {key: here for key, here in places.items() if here != new_path(key[1])} == {}
    assert [each for each in done.open if "code list" not in each] == []


def test_reasons_and_confidence_stand_beside_each_proposal(made: tuple[Imported, dict[str, str]]) -> None:
    text = (made[0].folder / "messages.yaml").read_text()
    assert "Content/TIRGuarantee/ReferenceNumber # 1.00 same pattern" in " ".join(text.split())
    assert "the WSDL answers TIROperationStartMessage with it" in text


def test_the_overlay_is_sound_and_speaks_the_foreign_messages_only(made: tuple[Imported, dict[str, str]]) -> None:
    pack = load_pack(made[0].folder)
    assert [str(fault) for fault in check_pack(pack)] == []
    assert all("customs.example" in message.root for message in pack.messages.values())
    assert pack.messages["I9"].action == "http://customs.example/exchange/v2/OpI9"
    assert "7" in pack.codelists["control-type"].codes
    for message in pack.messages.values():
        for file in message.golden.values():
            assert file.is_relative_to(made[0].folder)
            assert b"illustrative" not in file.read_bytes()


def test_what_cannot_be_used_is_told(made: tuple[Imported, dict[str, str]]) -> None:
    assert [Path(str(fault.where.file)).name for fault in made[0].problems if fault.where] == ["broken.xml"]


def test_without_a_wsdl_what_is_not_sure_stays_open(base: Pack, tmp_path: Path) -> None:
    roots = write_variant(tmp_path / "files")
    done = import_folder(base, tmp_path / "files", tmp_path / "overlay", {})
    unsure = {each.message.name for each in done.adopted if not each.sure}
    assert unsure
    assert {each.message.name: each.root.tag for each in done.adopted if each.root and each.sure} == {
        name: tag for name, tag in roots.items() if name not in unsure
    }
    pack = load_pack(tmp_path / "overlay")
    assert {name for name, message in pack.messages.items() if message.unmapped} == unsure
    assert check_pack(pack) == []


def test_a_given_sample_becomes_the_golden_one(
    base: Pack, made: tuple[Imported, dict[str, str]], tmp_path: Path
) -> None:
    write_variant(tmp_path / "files")
    sample = (made[0].folder / "golden" / "I9.xml").read_bytes().replace(b">XC95000011<", b">XC95000777<")
    (tmp_path / "files" / "start.xml").write_bytes(sample)
    done = import_folder(base, tmp_path / "files", tmp_path / "overlay", {})
    assert done.samples["I9 accepted"] == "from start.xml"
    assert b"XC95000777" in (tmp_path / "overlay" / "golden" / "I9.xml").read_bytes()
    assert done.samples["I11 accepted"] == "made from the schema"


@pytest.fixture(scope="module")
def finished(base: Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files whose names say little, and beside them the overlay of a person who says yes to what is nearest."""
    folder = tmp_path_factory.mktemp("short")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variant_schemas, "NAMES", variant_schemas.SHORT)
        write_variant(folder / "files")
    import_folder(base, folder / "files", folder / "overlay", {})
    file = folder / "overlay" / "messages.yaml"
    text = re.sub(r'root: "\?" +# what follows is right if it is (\S+)', r'root: "\1"', file.read_text("utf-8"))
    text, places = re.subn(r': "\?" +# nearest ([^,\n]+).*', r": \1", text)
    assert places
    assert '"?"' not in text
    file.write_text(text, "utf-8")
    return folder


def test_who_says_yes_to_what_is_nearest_has_a_whole_pack(finished: Path) -> None:
    assert [str(fault) for fault in check_pack(load_pack(finished / "overlay"))] == []


def test_samples_are_made_again_as_messages_yaml_says_now(base: Pack, finished: Path, tmp_path: Path) -> None:
    overlay = Path(shutil.copytree(finished / "overlay", tmp_path / "overlay"))
    made = {file.name: file.read_bytes() for file in (overlay / "golden").iterdir()}
    shutil.rmtree(overlay / "golden")
    assert sample_again(base, finished / "files", overlay).open == []
    assert {file.name: file.read_bytes() for file in (overlay / "golden").iterdir()} == made
    file = overlay / "messages.yaml"
    said = yaml.safe_load(file.read_text("utf-8"))["messages"]
    file.write_text(file.read_text("utf-8").replace(said["E4"]["root"], said["E8"]["root"]), "utf-8")
    sample_again(base, finished / "files", overlay)
    assert said["E8"]["root"].rpartition("}")[2].encode() in (overlay / "golden" / "E4.xml").read_bytes()


@pytest.mark.parametrize(
    ("new", "told"),
    [("{urn:x}Nope", "no root element in the folder '{urn:x}Nope'"), (None, "no overlay in this folder")],
)
def test_samples_are_not_made_of_nothing(
    base: Pack, finished: Path, tmp_path: Path, new: str | None, told: str
) -> None:
    overlay = tmp_path / "overlay"
    if new:
        shutil.copytree(finished / "overlay", overlay)
        file = overlay / "messages.yaml"
        text = file.read_text("utf-8")
        file.write_text(text.replace(yaml.safe_load(text)["messages"]["E4"]["root"], new), "utf-8")
    with pytest.raises(ConfigurationFault, match=re.escape(told)) as caught:
        sample_again(base, finished / "files", overlay)
    assert caught.value.where is not None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("      Submitter/ID: ", "      Submiter/ID: ", "'Submiter/ID' is no place of E1 of etir-4.3"),
        (
            ": Content/TIRGuarantee/ReferenceNumber ",
            ": Content/TIRGuarantee/ReferenceNumbre ",
            "Did you mean 'Content/TIRGuarantee/ReferenceNumber'?",
        ),
    ],
)
def test_a_path_that_leads_nowhere_is_told_where_it_stands(
    made: tuple[Imported, dict[str, str]], old: str, new: str, told: str, tmp_path: Path
) -> None:
    overlay = tmp_path / "overlay"
    shutil.copytree(made[0].folder, overlay)
    file = overlay / "messages.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace(old, new, 1), "utf-8")
    found = [fault for fault in check_pack(load_pack(overlay)) if told in str(fault)]
    line = text[: text.index(old)].count("\n") + 1
    assert [(Path(fault.where.file or "").name, fault.where.line) for fault in found if fault.where] == [
        ("messages.yaml", line)
    ]


def test_no_case_leaves_out_the_element_in_which_the_reference_stands(made: tuple[Imported, dict[str, str]]) -> None:
    trials = schema_trials(load_pack(made[0].folder), "I9")
    places = {each.edit.place for each in trials if each.edit.action == "without"}
    assert "/Content" in places
    assert "/Header" not in places


def test_nothing_is_overwritten_and_nothing_is_made_of_nothing(base: Pack, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("mine")
    with pytest.raises(ConfigurationFault, match="not empty"):
        import_folder(base, tmp_path, tmp_path / "full", {})
    with pytest.raises(ConfigurationFault, match="no message root was found"):
        import_folder(base, tmp_path, tmp_path / "new", {})
    (tmp_path / "bad.xsd").write_text("<schema/>")
    with pytest.raises(ConfigurationFault, match="not a right XML Schema"):
        import_folder(base, tmp_path, tmp_path / "newer", {})


def test_a_json_pack_has_no_schema_to_replace_this_way(tmp_path: Path) -> None:
    neighbours = pack_named("neighbours")
    with pytest.raises(ConfigurationFault, match="is not XML"):
        import_folder(neighbours, tmp_path, tmp_path / "new", {})
