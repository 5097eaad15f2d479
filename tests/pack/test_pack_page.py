"""Pages about messages: made from the pack, and those in the documents are up to date."""

from __future__ import annotations

from pathlib import Path

from pack_kit import pack_named

from harness.cli.main import main
from harness.pack.model import Pack
from harness.pack.page import index_page, message_page

ETIR = pack_named("etir-4.3")
PAGES = Path(__file__).parents[2] / "docs" / "messages" / "etir-4.3"


def test_the_pages_in_the_documents_are_those_of_the_pack() -> None:
    made = {"README.md": index_page(ETIR), **{f"{name}.md": message_page(ETIR, name) for name in ETIR.messages}}
    kept = {file.name: file.read_text("utf-8") for file in PAGES.iterdir()}
    assert kept == made, "c2c pack pages etir-4.3 writes them anew"


def test_a_page_says_what_a_place_is_called_and_how_often_it_occurs() -> None:
    lines = message_page(ETIR, "I9").splitlines()
    assert "From customs to platform." in lines
    assert "It is answered by [I10](I10.md)." in lines
    (operation,) = [line for line in lines if "`TypeCode`" in line and "control-type" in line]
    assert "| 1 | an..3 | control-type |" in operation
    assert [line for line in lines if line.startswith("| ETIR-I9-220 | MUST | platform | ")]


def test_a_json_message_has_a_page_too(pack: Pack) -> None:
    assert "# notice: Notice of departure" in message_page(pack, "notice")


def test_the_command_writes_them(tmp_path: Path) -> None:
    assert main(["pack", "pages", "etir-4.3", "--out", str(tmp_path / "pages")]) == 0
    assert len(list((tmp_path / "pages").iterdir())) == len(ETIR.messages) + 1
    (tmp_path / "file").write_text("")
    assert main(["pack", "pages", "etir-4.3", "--out", str(tmp_path / "file" / "pages")]) == 11
