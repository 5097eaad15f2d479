"""The pack of messages between customs: whole, true to the published tables, and each of its rules bites."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from ncts_rule_cases import CASES
from pack_kit import pack_named

from harness.message.model import Document
from harness.message.path import parse_path
from harness.message.xml import XmlDocument, parse_xml
from harness.pack.model import Pack
from harness.pack.rule import rule_violations
from harness.pack.schema import schema_folders, violations
from harness.pack.xsd import compile_schema
from harness.pack.xsd_tree import places, smallest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "ncts"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="only on machines with the NCTS tables beside the checkout")


@pytest.fixture(scope="module")
def pack() -> Pack:
    return pack_named("ncts-p5")


def variant(pack: Pack, message: str, changes: Mapping[str, str | None]) -> Document:
    """The golden sample with other places: valid against the schema, with one entry in every list unless said twice."""
    entry = pack.messages[message]
    sample = parse_xml(entry.golden["accepted"].read_bytes())
    grammar = compile_schema(entry.schema, schema_folders(pack)).grammar
    gone = [path for path, text in changes.items() if text is None]
    texts = {
        node.path: found[0]
        for node in places(grammar, entry.root)
        if node.path
        and (found := sample.texts(node.path))
        and not any(f"{node.path}/".startswith(f"{path}/") for path in gone)
    }
    texts |= {path: text for path, text in changes.items() if text is not None and not path.startswith("+")}
    document = XmlDocument(smallest(grammar, entry.root, set(texts), texts))
    for path in (path.removeprefix("+") for path in changes if path.startswith("+")):
        document.top.reach(parse_path(path))[0].repeat(2)
    return document


@pytest.mark.parametrize("name", CASES)
def test_every_rule_fires_and_is_silent(pack: Pack, name: str) -> None:
    message, wrong, right = CASES[name]
    broken = variant(pack, message, wrong)
    assert violations(pack, message, broken) == ()
    found = [each for each in rule_violations(pack, message, broken) if each.rule == name]
    assert found
    assert all(each.pointer.startswith("/") and pack.rules[name].text in each.text for each in found)
    kept = variant(pack, message, right)
    assert violations(pack, message, kept) == ()
    assert [each for each in rule_violations(pack, message, kept) if each.rule == name] == []


def test_there_is_a_case_for_every_rule(pack: Pack) -> None:
    assert set(CASES) == set(pack.rules)
    assert len(pack.rules) >= 60


def test_all_messages_of_the_common_domain_are_there(pack: Pack) -> None:
    assert len(pack.messages) == 48


@needs_data
def test_the_schemas_are_those_that_the_script_makes(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from ncts_schemas import main
    finally:
        sys.path.pop(0)
    main(DATA / "messages" / "p5-5.15.2-v2.00.json", tmp_path)
    kept = ROOT / "suites" / "ncts-p5" / "schemas"
    assert {file.name: file.read_text() for file in kept.iterdir()} == {
        file.name: file.read_text() for file in tmp_path.iterdir()
    }


@needs_data
def test_every_place_is_that_of_a_second_derivation(pack: Pack) -> None:
    """Schemas rebuilt from the published types, by other people, have the same places in the same number."""
    for name, message in pack.messages.items():
        other = DATA / "xsd-derived" / "p5-51.8.6-cd" / f"{name.lower()}.xsd"
        own = places(compile_schema(message.schema, schema_folders(pack)).grammar, message.root)
        theirs = places(compile_schema(other, (DATA,)).grammar, message.root)
        assert [(each.path, each.required, each.repeats) for each in own[1:]] == [
            (each.path, each.required, each.repeats) for each in theirs[1:]
        ], name
