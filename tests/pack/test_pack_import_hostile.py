"""A folder that somebody else made: nothing leaves it, fetches, hangs or ends in a traceback; each file is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from harness.cli.main import main

Content: TypeAlias = str | bytes
Taken: TypeAlias = Callable[[str, Content], str]

GOOD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x" xmlns="urn:x">{more}
<xs:element name="Question"><xs:complexType><xs:sequence><xs:element name="Subject" type="xs:string"{often}/>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""
INCLUDE = '<xs:include schemaLocation="{}"/>'
ENTITIES = "".join(f'<!ENTITY e{n + 1} "&e{n};&e{n};">' for n in range(40))


def good(more: str = "", often: str = "") -> str:
    return GOOD.format(more=more, often=often)


@pytest.fixture
def taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Taken:
    """Import a folder with a right schema and one more file; what was told, and what was written."""
    assert main(["pack", "new", str(tmp_path / "base")]) == 0
    files = tmp_path / "files"
    files.mkdir()
    (files / "right.xsd").write_text(good())

    def run(name: str, content: Content) -> str:
        data = content if isinstance(content, bytes) else content.encode()
        (files / name).write_bytes(data)
        capsys.readouterr()
        out = tmp_path / "overlay"
        assert main(["pack", "import", str(files), "--extends", str(tmp_path / "base"), "--out", str(out)]) == 10
        assert not any(b"root:x:0" in file.read_bytes() for file in out.rglob("*") if file.is_file())
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return " ".join(printed.out.split())

    return run


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("dtd.xsd", '<!DOCTYPE a [<!ENTITY x "y">]>' + good(), "document type"),
        ("bomb.xsd", f'<!DOCTYPE a [<!ENTITY e0 "x">{ENTITIES}]>' + good(), "document type"),
        ("bomb.xml", f'<!DOCTYPE a [<!ENTITY e0 "x">{ENTITIES}]><a>&e40;</a>', "document type"),
        ("net.xsd", good(INCLUDE.format("http://127.0.0.1:9/types.xsd")), "lies outside of the pack, on the network"),
        ("file.xsd", good(INCLUDE.format("file:///etc/passwd")), "lies outside"),
        ("absolute.xsd", good(INCLUDE.format("/etc/passwd")), "lies outside"),
        ("up.xsd", good(INCLUDE.format("../../../../../etc/passwd")), "lies outside"),
        ("hidden-up.xsd", good(INCLUDE.format("a/%2e%2e/%2e%2e/%2E%2E/etc/passwd")), "lies outside"),
        ("windows.xsd", good(INCLUDE.format("..\\..\\..\\secret.xsd")), "lies outside"),
        ("cut.xsd", good()[:200], "cut.xsd"),
        ("other.xsd", "<html/>", "other.xsd"),
        ("deep.json", "[" * 200_000, "deep.json"),
        ("wide.csv", b"code,name\n1," + b"x" * 200_000 + b"\n", "wide.csv"),
        ("bytes.csv", b"code,name\n\xff\xfe\x00", "bytes.csv"),
        ("wrong.wsdl", "<definitions/>", "no WSDL 1.1"),
    ],
)
def test_a_hostile_file_is_told_and_nothing_else(taken: Taken, name: str, content: Content, told: str) -> None:
    said = taken(name, content)
    assert told in said
    assert name in said


def test_a_folder_whose_files_need_another_one_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing can be used, the given file is named and not a copy of it."""
    assert main(["pack", "new", str(tmp_path / "base")]) == 0
    file = tmp_path / "files" / "main.xsd"
    file.parent.mkdir()
    file.write_text(good(INCLUDE.format("../shared/types.xsd")))
    arguments = ["--extends", str(tmp_path / "base"), "--out", str(tmp_path / "overlay")]
    assert main(["pack", "import", str(file.parent), *arguments]) == 11
    said = " ".join(capsys.readouterr().err.split())
    assert f"{file}:1" in said
    assert "lies outside" in said


def test_files_that_include_each_other_are_read_once(taken: Taken) -> None:
    assert "not used" not in taken("round.xsd", good(INCLUDE.format("round.xsd")))


def test_a_link_that_leads_out_of_the_folder_is_not_followed(taken: Taken, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(good().replace("Question", "Secret"))
    (tmp_path / "files" / "link.xsd").symlink_to(tmp_path / "secret")
    taken("nothing.txt", "")
    assert not list((tmp_path / "overlay").rglob("link.xsd"))


def test_what_must_stand_there_very_often_makes_no_endless_sample(taken: Taken, tmp_path: Path) -> None:
    taken("often.xsd", good(often=' minOccurs="50000" maxOccurs="unbounded"').replace("Question", "Often"))
    assert all(file.stat().st_size < 1_000_000 for file in (tmp_path / "overlay" / "golden").iterdir())
