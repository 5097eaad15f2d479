"""Violations of JSON Schema, by the same kinds and in the same dialect."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import ConfigurationFault
from harness.message.json import parse_json
from harness.pack.json_schema import json_violations
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.pack.schema import violations


def found(pack: Pack, text: str, message: str = "notice") -> list[tuple[str, str]]:
    return [(each.kind, each.pointer) for each in violations(pack, message, parse_json(text.encode()))]


def sample(pack: Pack, message: str = "notice", shape: str = "accepted") -> str:
    return pack.messages[message].golden[shape].read_text("utf-8")


@pytest.mark.parametrize("message", ["notice", "notice-result", "arrival", "arrival-result"])
def test_samples_are_valid(pack: Pack, message: str) -> None:
    for shape in pack.messages[message].golden:
        assert found(pack, sample(pack, message, shape), message) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('  "sender": "XA-CUSTOMS",\n', "", [("missing", "/sender")]),
        ('"plate": "EX-1234", ', "", [("missing", "/vehicle/plate")]),
        ('"number": 2, ', "", [("missing", "/consignment/items[2]/number")]),
        ('"mode"', '"wheels": "8", "mode"', [("unexpected", "/vehicle/wheels")]),
        ('"XA000452"', '"XA000451"', [("repeated", "/seals")]),
        ('"XA000451"', '""', [("length", "/seals[1]")]),
        ('"EX-1234"', '"EX-1234567890"', [("length", "/vehicle/plate")]),
        ('"080810"', '"8081"', [("pattern", "/consignment/items[1]/commodity")]),
        ('"NB-CARRIER-01"', "7", [("type", "/carrier")]),
        ("18420.5", '"18420.5"', [("type", "/consignment/grossMass")]),
        ("18420.5", "18420.5005", [("type", "/consignment/grossMass")]),
        ("18420.5", "0", [("type", "/consignment/grossMass")]),
        ('"number": 1,', '"number": 1.5,', [("type", "/consignment/items[1]/number")]),
        ('"number": 1,', f'"number": {"9" * 5000},', [("type", "/consignment/items[1]/number")]),
        ('"number": 1,', '"number": 1.0,', []),
        ("18420.5", "1e999999999999", [("type", "/")]),
        ('"vehicle": {"plate": "EX-1234", "mode": "3"}', '"vehicle": []', [("type", "/vehicle")]),
    ],
)
def test_each_violation_has_its_kind_and_place(pack: Pack, old: str, new: str, expected: list[tuple[str, str]]) -> None:
    text = sample(pack)
    assert old in text
    assert found(pack, text.replace(old, new, 1)) == expected


def test_an_only_item_has_no_index(pack: Pack) -> None:
    text = sample(pack, "notice-result", "refused").replace('"L01"', '"wrong"')
    assert found(pack, text, "notice-result") == [("pattern", "/errors/code")]


def test_conditions_are_told_as_what_they_demand(pack: Pack) -> None:
    text = sample(pack, "notice-result").replace('"accepted"', '"refused"')
    assert found(pack, text, "notice-result") == [("missing", "/errors")]
    text = sample(pack, "notice-result", "refused").replace('"refused"', '"accepted"')
    assert found(pack, text, "notice-result") == [("unexpected", "/")]
    text = sample(pack, "notice-result").replace('"accepted"', '"perhaps"')
    assert found(pack, text, "notice-result") == [("enumeration", "/result")]


def test_no_value_of_a_message_is_quoted(pack: Pack) -> None:
    for old in ("EX-1234", "080810", "XA-CUSTOMS"):
        text = sample(pack).replace(old, "very secret value")
        (violation,) = violations(pack, "notice", parse_json(text.encode()))
        assert "secret" not in violation.text
        assert violation.line is None


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('"types.json#/$defs/plate"', '"types.json#/$defs/plaet"', "leads nowhere"),
        ('"types.json#/$defs/plate"', '"none.json#/$defs/plate"', "no file 'none.json'"),
        ('"types.json#/$defs/plate"', '"http://127.0.0.1/x.json"', "lies outside"),
        ('"types.json#/$defs/plate"', '"file:///etc/passwd"', "lies outside"),
        ('"type": "object"', '"type": "objekt"', "not a right JSON Schema"),
        ('"type": "object",', '"type": "object"', "not a right JSON Schema"),
    ],
)
def test_a_wrong_schema_is_a_fault_of_the_pack(folder: Path, old: str, new: str, word: str) -> None:
    file = folder / "schemas" / "notice.json"
    file.write_text(file.read_text().replace(old, new, 1))
    pack = load_pack(folder)
    with pytest.raises(ConfigurationFault, match=word) as caught:
        found(pack, sample(pack))
    assert caught.value.where is not None
    assert caught.value.where.file == file


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"name": "a", "parts": [{"name": "b", "parts": [{"name": "c"}]}]}', []),
        ('{"name": "a", "parts": [{"name": "b", "parts": [{"name": ""}]}]}', [("length", "/parts/parts/name")]),
        ('{"name": "abcde"}', [("length", "/name")]),
        ('{"name": "a", "short": "abc"}', [("length", "/short")]),
    ],
)
def test_references_are_followed_also_in_a_circle_and_beside_other_demands(
    tmp_path: Path, named: bool, value: str, expected: list[tuple[str, str]]
) -> None:
    part = {
        **({"$id": "https://pack.invalid/part.json"} if named else {}),
        "properties": {
            "name": {"$ref": "types.json#/$defs/name", "description": "what it is called"},
            "short": {"$ref": "types.json#/$defs/name", "maxLength": 2},
            "parts": {"type": "array", "items": {"$ref": "#"}},
        },
    }
    text = {"type": "string", "minLength": 1, "maxLength": 4}
    files = {"part.json": part, "types.json": {"$defs": {"name": {"$ref": "#/$defs/text"}, "text": text}}}
    for name, schema in files.items():
        (tmp_path / name).write_text(json.dumps(schema), "utf-8")
    told = json_violations(tmp_path / "part.json", (tmp_path,), parse_json(value.encode()).value)
    assert [(each.kind, each.pointer) for each in told] == expected
