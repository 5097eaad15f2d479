from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from harness.bundle import files
from harness.bundle.files import check_names, inventory, unpack, write_zip
from harness.errors import BundleFault, ConfigurationFault
from harness.host import WINDOWS


def archive(path: Path, *entries: tuple[str, bytes], mode: int = stat.S_IFREG | 0o644) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(info, data)
    return path


@pytest.mark.parametrize("name", ["a", "a/b.json", "pack/suites/x/I9 (new).xsd", "ü/ж.yaml", ".hidden"])
def test_plain_names_are_allowed(name: str) -> None:
    check_names([name])


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../b",
        "a/./b",
        "a//b",
        "C:/x",
        "a\\b",
        "a\0b",
        "a\n",
        "con:",
        "dot.",
        "space ",
        "a/",
        "x" * 300,
    ],
)
def test_names_that_are_not_the_same_everywhere_are_refused(name: str) -> None:
    with pytest.raises(BundleFault, match="not allowed"):
        check_names([name])


def test_names_that_differ_only_in_case_are_refused() -> None:
    with pytest.raises(BundleFault, match="twice"):
        check_names(["Record.json", "record.json"])


@pytest.mark.skipif(WINDOWS, reason="only on systems with symbolic links for everybody")
def test_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(BundleFault, match="link is a link"):
        inventory(tmp_path)


@pytest.mark.skipif(WINDOWS, reason="only on systems with symbolic links for everybody")
def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pack").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(BundleFault, match="pack is a link"):
        inventory(tmp_path / "out")


def test_a_folder_survives_the_zip(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "a").mkdir(parents=True)
    (source / "a" / "b.txt").write_bytes(b"one")
    (source / "c.txt").write_bytes(b"two" * 1000)
    write_zip(source, tmp_path / "one.zip")
    write_zip(source, tmp_path / "two.zip")
    unpack(tmp_path / "one.zip", tmp_path / "target")
    assert inventory(tmp_path / "target") == inventory(source)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_zip_that_cannot_be_written_is_a_clear_fault(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(ConfigurationFault, match="cannot be written"):
        write_zip(tmp_path / "source", tmp_path / "none" / "x.zip")


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "C:\\evil"])
def test_a_zip_cannot_leave_its_folder(name: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", (name, b"x"))
    with pytest.raises(BundleFault, match="not allowed"):
        unpack(path, tmp_path / "target")
    assert not (tmp_path / "evil").exists()


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", ("link", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777)
    with pytest.raises(BundleFault, match="is a link"):
        unpack(path, tmp_path / "target")


def test_a_zip_with_one_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = archive(tmp_path / "x.zip", ("a", b"1"), ("a", b"2"))
    with pytest.raises(BundleFault, match="twice"):
        unpack(path, tmp_path / "target")


def test_a_zip_bomb_is_stopped_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 3_000_000)
    path = archive(tmp_path / "x.zip", ("a", bytes(2_000_000)), ("b", bytes(2_000_000)))
    with pytest.raises(BundleFault, match="b is larger than a bundle may be"):
        unpack(path, tmp_path / "target")


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 3)
    path = archive(tmp_path / "x.zip", *((f"f{n}", b"") for n in range(5)))
    with pytest.raises(BundleFault, match="more than 3 files"):
        unpack(path, tmp_path / "target")


@pytest.mark.parametrize("cut", [0, 10, 60])
def test_a_damaged_zip_is_refused(cut: int, tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", ("a", b"hello" * 100))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BundleFault, match="cannot be read"):
        unpack(path, tmp_path / "target")


def test_a_zip_with_changed_bytes_inside_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", ("a", bytes(range(256)) * 4))
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(BundleFault, match="cannot be read"):
        unpack(path, tmp_path / "target")
