from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from harness.errors import ConfigurationFault
from harness.pack import data
from harness.pack.data import data_folder, find_pack, known_packs, published_schema, schema_names


def test_a_checkout_comes_first() -> None:
    root = Path(data.__file__).parents[2]
    assert data_folder("suites") == root / "suites"
    assert data_folder("fixtures") == root / "fixtures"


def test_an_installed_package_carries_its_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "harness"
    (package / "_data" / "suites" / "some-pack").mkdir(parents=True)
    (package / "_data" / "suites" / "some-pack" / "pack.yaml").write_text("id: some-pack\n")
    monkeypatch.setattr(data, "_PACKAGE", package)
    assert data_folder("reports") == package / "_data" / "reports"
    assert known_packs() == ("some-pack",)
    assert find_pack("some-pack") == package / "_data" / "suites" / "some-pack"
    with pytest.raises(ConfigurationFault, match="there is no pack 'some-pak'") as caught:
        find_pack("some-pak")
    assert caught.value.expected is not None
    assert "one of some-pack" in caught.value.expected
    assert caught.value.remedy == "Did you mean 'some-pack'?"


def test_a_pack_is_found_by_its_folder_or_file(folder: Path) -> None:
    assert find_pack(folder) == folder
    assert find_pack(str(folder / "pack.yaml")) == folder


def test_a_folder_without_pack_file_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match=r"has no pack\.yaml"):
        find_pack(tmp_path)


@pytest.mark.parametrize("name", [name for name in schema_names() if not name.endswith(".openapi")])
def test_every_published_schema_is_complete_and_right(name: str) -> None:
    schema = published_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    text = json.dumps(schema)
    for reference in text.split('"$ref": "')[1:]:
        place = reference.partition('"')[0]
        assert place.startswith("#")
        found = schema
        for step in place.removeprefix("#").strip("/").split("/") if place != "#" else ():
            found = found[step]


@pytest.mark.parametrize(
    "name",
    ["pack", "messages", "requirements", "lifecycle", "constraints", "security", "faults", "codelist", "scenario"],
)
def test_schemas_of_packs_allow_no_unknown_key_and_explain_every_key(name: str) -> None:
    def look(schema: object) -> None:
        if isinstance(schema, dict):
            if "properties" in schema and "$schema" not in schema and "if" not in schema and len(schema) > 1:
                assert "additionalProperties" in schema
            for key, value in schema.get("properties", {}).items() if "additionalProperties" in schema else ():
                shown = value.get("$ref", "").startswith("#/$defs/") or "description" in value
                assert shown, key
            for value in schema.values():
                look(value)

    assert published_schema(name)["additionalProperties"] is False
    look(published_schema(name))


def test_an_unknown_schema_names_the_nearest() -> None:
    with pytest.raises(ConfigurationFault) as caught:
        published_schema("scenarios")
    assert caught.value.remedy == "Did you mean 'scenario'?"
    with pytest.raises(ConfigurationFault):
        published_schema("common")
