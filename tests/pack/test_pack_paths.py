"""An overlay replaces word by word, and says where the places are of which its base speaks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import ConfigurationFault
from harness.message.binding import read
from harness.message.build import build
from harness.message.document import parse
from harness.pack.codelist import coded_violations
from harness.pack.data import find_pack
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.pack.rule import rule_violations
from harness.scenario.load import load_scenarios
from harness.scenario.sound import spoken_pointers

BASE = find_pack("etir-4.3")


@pytest.fixture(scope="module")
def base() -> Pack:
    return load_pack(BASE)


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    folder = tmp_path / "official"
    folder.mkdir()
    (folder / "pack.yaml").write_text("id: official\nversion: '2.0'\nextends: etir-4.3\n")
    return folder


def write(overlay: Path, name: str, text: str) -> Pack:
    file = overlay / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return load_pack(overlay)


def test_both_packs_are_named_with_their_digests(base: Pack, overlay: Path) -> None:
    pack = load_pack(overlay)
    assert [(each.id, each.version, each.digest) for each in pack.bases] == [(base.id, base.version, base.digest)]
    assert pack.digest != base.digest
    assert base.bases == ()


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("root", '"{urn:official}Start"', "root"),
        ("action", "urn:official:start", "action"),
        ("target", "start", "target"),
        ("correlate", "[declaration]", "correlate"),
        ("title", "Start", "title"),
    ],
)
def test_one_word_of_a_message_is_replaced_and_the_others_stay(
    base: Pack, overlay: Path, key: str, value: str, word: str
) -> None:
    pack = write(overlay, "messages.yaml", f"messages:\n  I9: {{{key}: {value}}}\n")
    assert getattr(pack.messages["I9"], word) != getattr(base.messages["I9"], word)
    for other in ("purpose", "schema", "golden", "bindings", "sender", "answer"):
        assert getattr(pack.messages["I9"], other) == getattr(base.messages["I9"], other)
    assert pack.messages["I11"] == base.messages["I11"]
    assert pack.requirements == base.requirements
    assert [each.id for each in load_scenarios(pack)] == [each.id for each in load_scenarios(base)]


def test_one_binding_is_replaced_and_one_removed(base: Pack, overlay: Path) -> None:
    text = "messages:\n  I9: {bind: {container: Consignment/TransportEquipment/Number, control_type: null}}\n"
    bindings = write(overlay, "messages.yaml", text).messages["I9"].bindings
    assert bindings["container"].path == "Consignment/TransportEquipment/Number"
    assert "control_type" not in bindings
    others = {name for name in base.messages["I9"].bindings if name not in ("container", "control_type")}
    assert {name: bindings[name] for name in others} == {name: base.messages["I9"].bindings[name] for name in others}


def test_schema_sample_codelist_security_and_timer_are_replaced_one_by_one(base: Pack, overlay: Path) -> None:
    (overlay / "schemas").mkdir()
    shutil.copyfile(BASE / "schemas" / "I9.xsd", overlay / "schemas" / "I9.xsd")
    write(overlay, "codelists/control-type.yaml", (BASE / "codelists/control-type.yaml").read_text())
    write(overlay, "security.yaml", "tolerance: 1min\n")
    (overlay / "golden").mkdir()
    shutil.copyfile(base.messages["I9"].golden["accepted"], overlay / "golden" / "I9.xml")
    head = "id: official\nversion: '2'\nextends: etir-4.3\nfixtures: ./golden\ntimers: {answer: 3s}\n"
    pack = write(overlay, "pack.yaml", head)
    assert pack.messages["I9"].schema == overlay / "schemas" / "I9.xsd"
    assert pack.messages["I11"].schema == base.messages["I11"].schema
    assert pack.messages["I9"].golden["accepted"] == overlay / "golden" / "I9.xml"
    assert pack.messages["I11"].golden == base.messages["I11"].golden
    assert (pack.timers["answer"].seconds, pack.timers["reaction"]) == (3, base.timers["reaction"])
    assert (pack.security.tolerance.seconds, pack.security.signatures) == (60, base.security.signatures)
    assert pack.codelists == base.codelists


MOVED = """
messages:
  I1: {paths: {ObligationGuarantee/ReferenceID: Head/Guarantee}}
  I9:
    paths:
      /: Payload
      Consignment/Itinerary: Payload/Route/Leg
      Consignment/Itinerary/RoutingCountryCode: Payload/Route/Leg/Country
      ObligationGuarantee/ReferenceID: Head/Guarantee
      ObligationGuarantee/SecurityDetailsCode: Head/@type
      Control/TypeCode: "?"
"""


def test_every_path_of_the_base_is_moved(base: Pack, overlay: Path) -> None:
    pack = write(overlay, "messages.yaml", MOVED)
    message = pack.messages["I9"]
    assert message.bindings["guarantee"].path == "Head/Guarantee"
    assert message.bindings["itinerary"].path == "Payload/Route/Leg[*]/Country"
    assert message.bindings["itinerary"].number == base.messages["I9"].bindings["itinerary"].number
    assert message.bindings["seals"].path == "Payload/Consignment/TransportEquipment/Seal[*]/ID"
    coded = {each.codelist: each.path for each in pack.coded if each.message == "I9"}
    assert coded["guarantee-type"] == "Head/@type"
    cells = {cell.refuse.code: cell.refuse.pointer for cell in pack.rules_by_message["I9"].cells if cell.refuse}
    assert cells["301"] == "/Head/Guarantee"
    assert all(str(pointer) == "/" or str(pointer).startswith(("/Payload/", "/Head/")) for pointer in cells.values())
    assert pack.rules["seals-distinct"].moved["I9"]["path"].startswith("Payload/Consignment/TransportEquipment[*]/Seal")
    assert "I11" not in pack.rules["seals-distinct"].moved
    assert message.unmapped == ("Control/TypeCode",)
    assert spoken_pointers(pack)["I1"] == {"/Head/Guarantee"}
    assert spoken_pointers(pack)["I15"] == {"/Declaration/ID"}


def test_what_is_moved_is_written_read_and_judged(overlay: Path) -> None:
    pack = write(overlay, "messages.yaml", MOVED.replace('"?"', "Payload/Check"))
    text = (
        "<S><Head type='9'><Guarantee>g</Guarantee></Head><Payload><Route><Leg><SequenceNumeric>1</SequenceNumeric>"
        "<Country>UZ</Country></Leg></Route><Check>2</Check></Payload></S>"
    )
    bindings = {name: pack.messages["I9"].bindings[name] for name in ("guarantee", "itinerary")}
    built = build(parse("xml", text.encode()), bindings, {"guarantee": "XC95000001", "itinerary": ["UZ", "XX"]})
    assert read(built, bindings) == {"guarantee": "XC95000001", "itinerary": ["UZ", "XX"]}
    assert b"<SequenceNumeric>2</SequenceNumeric>" in built.to_bytes()
    assert [each.pointer for each in coded_violations(pack, "I9", built)] == ["/Head/@type"]
    wrong = parse("xml", built.to_bytes().replace(b">2</SequenceNumeric>", b">3</SequenceNumeric>"))
    assert [each.pointer for each in rule_violations(pack, "I9", wrong)] == ["/Payload/Route/Leg[2]/SequenceNumeric"]


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ("{Consignment/Itinerary/RoutingCountryCode: Route/Country}", "is moved to 'Route/Country'"),
        ('{"Consignment/Itinerary[*]": Route}', "counts"),
        ("{Consignment/Itinerary: 'Route[1]'}", "counts"),
        ("{Consignment//Itinerary: Route}", "empty step"),
    ],
)
def test_what_cannot_be_moved_is_told_with_file_and_line(overlay: Path, paths: str, words: str) -> None:
    with pytest.raises(ConfigurationFault) as caught:
        write(overlay, "messages.yaml", f"messages:\n  I9:\n    paths: {paths}\n")
    assert words in str(caught.value)


def test_an_open_root_is_nobodys_message(overlay: Path) -> None:
    pack = write(overlay, "messages.yaml", 'messages:\n  I9: {root: "?"}\n  I11: {root: "?"}\n')
    assert pack.messages["I9"].unmapped == ("root",)
