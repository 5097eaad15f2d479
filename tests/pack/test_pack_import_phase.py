"""Another phase of a known family is imported without a line of code, however oddly its files are written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from other_phase import COMMON, GONE, SPACE, new_root, write_phase, write_wsdl
from pack_kit import pack_named

from harness.pack.load import load_pack
from harness.pack.overlay import Imported, import_folder
from harness.pack.sound import check_pack
from harness.pack.xsd import compile_schema
from harness.pack.xsd_tree import places, smallest
from harness.scenario.sound import spoken_pointers


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("phase") / "files"
    return folder, write_phase(folder, "CD00[236]C")


@pytest.fixture(scope="module")
def made(files: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Imported:
    base = pack_named("ncts-p5")
    folder, roots = files
    write_wsdl(folder / "exchange.wsdl", roots, {"CD002C": "CD003C", "CD006C": "CD003C"})
    return import_folder(base, folder, tmp_path_factory.mktemp("made") / "overlay", spoken_pointers(base))


def test_every_root_is_found_though_one_element_holds_them_all(
    made: Imported, files: tuple[Path, dict[str, str]]
) -> None:
    assert {each.message.name: each.root.tag for each in made.adopted if each.root and each.sure} == files[1]
    found = next(each for each in made.adopted if each.message.name == "CD006C")
    assert "CD006 with another ending" in found.reasons


def test_only_what_is_gone_stays_open_and_every_sample_is_valid(made: Imported) -> None:
    assert made.problems == ()
    names = {each.message.name for each in made.adopted if each.sure}
    told = [each for each in made.open if each.partition(":")[0] in names]
    assert {each.partition(": ")[2].partition(" ")[0].rpartition("/")[2] for each in told} == set(GONE)
    pack = load_pack(made.folder)
    assert not pack.messages["CD002C"].unmapped
    assert not pack.messages["CD006C"].unmapped
    assert check_pack(pack) == []


def test_each_of_two_services_has_the_action_of_its_own_operation(made: Imported) -> None:
    written = yaml.safe_load((made.folder / "messages.yaml").read_text())["messages"]
    assert (written["CD002C"]["action"], written["CD006C"]["action"]) == ("urn:send:1", "urn:send:2")


def test_what_stands_for_an_abstract_element_and_what_holds_itself_are_read(
    files: tuple[Path, dict[str, str]],
) -> None:
    folder, roots = files
    file = folder / "messages v6" / f"{new_root('CD006C')} message.xsd"
    compiled = compile_schema(file, (folder,))
    found = {node.path for node in places(compiled.grammar, roots["CD006C"])}
    assert {"TextRemark", "CodedRemark/code", "Note/text", "Note/Note"} <= found
    assert not any(path == "Remark" or path.startswith("Note/Note/Note") or path in GONE for path in found)
    sample = smallest(compiled.grammar, roots["CD006C"], {"CodedRemark", "Note/text"}, {})
    assert compiled.schema.validate(sample), compiled.schema.error_log
    assert [child.tag for child in sample][-2:] == [f"{{{COMMON}}}CodedRemark", f"{{{COMMON}}}Note"]
    assert sample.tag == f"{{{SPACE}}}CD006D_v6"


def test_a_file_without_a_namespace_counts_in_each_that_includes_it(files: tuple[Path, dict[str, str]]) -> None:
    folder, _ = files
    file = folder / "messages v6" / f"{new_root('CD006C')} message.xsd"
    names = compile_schema(file, (folder,)).files
    assert names.count("common types/simple formats.xsd") == 2


@pytest.mark.nightly
def test_all_messages_are_found(tmp_path: Path) -> None:
    base = pack_named("ncts-p5")
    roots = write_phase(tmp_path / "files")
    done = import_folder(base, tmp_path / "files", tmp_path / "overlay", spoken_pointers(base))
    assert {each.message.name: each.root.tag for each in done.adopted if each.root and each.sure} == roots
    assert {each.partition(": ")[2].partition(" ")[0].rpartition("/")[2] for each in done.open} <= set(GONE)
    assert check_pack(load_pack(tmp_path / "overlay")) == []
