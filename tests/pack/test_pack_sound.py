from __future__ import annotations

from pathlib import Path

import pytest

from harness.pack.data import find_pack, known_packs
from harness.pack.load import load_pack
from harness.pack.sound import check_pack


def test_the_small_pack_is_sound(folder: Path) -> None:
    assert check_pack(load_pack(folder)) == []


@pytest.mark.parametrize("name", known_packs())
def test_every_pack_that_comes_with_the_harness_is_sound(name: str) -> None:
    assert [str(fault) for fault in check_pack(load_pack(find_pack(name)))] == []


@pytest.mark.parametrize(
    ("name", "old", "new", "where", "words"),
    [
        ("golden/notice.json", '"vehicle": {"plate"', '"vehicle": {"plaet"', "golden/notice.json (/vehicle/plate)",
         "plate is missing in vehicle"),
        ("golden/notice.json", '"mode": "3"', '"mode": "9"', "golden/notice.json (/vehicle/mode)", "answered with M05"),
        ("golden/notice.json", "18420.5", "18420.4", "golden/notice.json (/consignment/grossMass)",
         "answered with M06"),
        ("golden/notice.json", '"XA000452"]', '"XA000452"', "golden/notice.json", "cannot be parsed"),
        ("golden/notice.json", ',\n  "seals": ["XA000451", "XA000452"]', "", "(messages/notice/bind/seals)",
         "no place"),
        ("golden/notice-result.json", '"accepted"', '"refused", "errors": [{"code": "L01"}]', "(result)",
         "the accepted sample of notice-result does not say so"),
        ("golden/notice-result-refused.json", '"code": "L01", "pointer"', '"code": "L01", "pointr"', "/errors/pointr",
         "pointr cannot stand"),
        ("messages.yaml", "plate: vehicle/plate\n      mode", "plate: vehicle//plate\n      mode",
         "(messages/notice/bind/plate)", "has an empty step"),
        ("messages.yaml", "plate: vehicle/plate\n      mode", "plate: vehicle\n      mode",
         "(messages/notice/bind/plate)", "cannot hold"),
        ("messages.yaml", 'seals: "seals[*]"\n      mass', 'seals: "consignment/items[*]/number"\n      mass', "", ""),
        ("messages.yaml", "redact: [consignor/name]", "redact: ['consignor/name[0]']",
         "messages.yaml:27 (messages/notice/redact/0)", "name[0]"),
        ("lifecycle.yaml", "pointer: vehicle/plate", "pointer: vehicle[0]", "lifecycle.yaml:", "vehicle[0]"),
        ("constraints.yaml", "path: vehicle/mode", "path: 'vehicle/mode[x]'",
         "constraints.yaml:15 (codelists/0)", "mode[x]"),
        ("constraints.yaml", "total: consignment/grossMass", "total: '@a/b'",
         "constraints.yaml:21 (rules/R01/parameters)", "attribute"),
        ("security.yaml", "message/not-well-formed", "message/not-wel-formed", "security.yaml",
         "Did you mean 'message/not-well-formed'?"),
        ("security.yaml", "message/not-well-formed", "delivery/twice", "", ""),
        ("security.yaml", "message/not-well-formed", "signature/wrapped-body", "security.yaml",
         "with the protection 'jws'"),
        ("security.yaml", "message/not-well-formed", "envelope/no-body", "security.yaml", "cannot be put into json"),
        ("schemas/arrival.json", '"type": "object"', '"type": "objekt"', "schemas/arrival.json", "JSON Schema"),
    ],
)  # fmt: skip
def test_what_is_not_sound_is_told(folder: Path, name: str, old: str, new: str, where: str, words: str) -> None:
    file = folder / name
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    faults = [str(fault) for fault in check_pack(load_pack(folder))]
    if not words:
        assert faults == []
        return
    assert any(words in fault and where in fault.replace("\\", "/") for fault in faults), faults
