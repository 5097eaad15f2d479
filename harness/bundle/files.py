"""The files of a bundle: what is there, and how a bundle travels as one ``.zip``.

Everything here is read from strangers. A bundle holds plain files only, under names that mean the same on every
system; anything else is refused before it is opened.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import BundleFault, ConfigurationFault, Where

STATEMENT = "statement.dsse.json"
MOST_FILES = 500_000
MOST_BYTES = 8 * 1024**3
"""Of all files together, as they stand on the disk."""
LARGEST_FILE = 1024**3
_CHUNK = 1024 * 1024
_LAST = struct.Struct("<4s16xH")
"""The last record of a zip: its sign, and how long a comment follows."""
_PART = re.compile(r'[^\x00-\x1f\x7f<>:"/\\|?*]{1,200}')


def inventory(folder: Path) -> dict[str, str]:
    """Every file of a bundle but the statement: name with slashes to SHA-256, hexadecimal.

    Raises:
        BundleFault: something in the folder is no plain file, or has a name that is not the same everywhere.
    """
    return {name: sha256(folder / name) for name in files(folder) if name != STATEMENT}


def files(folder: Path) -> list[str]:
    """Names of all files, with slashes, sorted.

    Raises:
        BundleFault: see :func:`inventory`.
    """
    names = sorted(_walk(folder, ""))
    check_names(names)
    return names


def _walk(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode) and not _is_junction(entry):
                yield from _walk(folder / entry.name, name + "/")
            elif stat.S_ISREG(mode):
                yield name
            else:
                raise BundleFault(f"{name} is a link or a special file", expected="plain files only")


def _is_junction(entry: os.DirEntry[str]) -> bool:
    is_junction = getattr(entry, "is_junction", None)  # Python 3.12 and later
    return bool(is_junction and is_junction())


def check_names(names: Iterable[str]) -> None:
    """Refuse names that leave the bundle, or that two systems would understand differently.

    Raises:
        BundleFault: naming the first of them.
    """
    seen: set[str] = set()
    for name in names:
        if not all(_PART.fullmatch(part) and part.strip(" .") and part[-1] not in " ." for part in name.split("/")):
            raise BundleFault(f"the file name {name[:200]!r} is not allowed in a bundle")
        if name.casefold() in seen:
            raise BundleFault(f"the file name {name!r} stands twice in the bundle")
        seen.add(name.casefold())
        if len(seen) > MOST_FILES:
            raise BundleFault(f"the bundle has more than {MOST_FILES} files")


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_zip(folder: Path, target: Path) -> None:
    """Write a bundle as one file: the same bundle gives the same bytes on one machine.

    Raises:
        ConfigurationFault: the target cannot be written.
    """
    part = target.with_name(target.name + ".part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in files(folder):
                entry = zipfile.ZipInfo(name)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                entry.file_size = (folder / name).stat().st_size
                with (folder / name).open("rb") as source, archive.open(entry, "w") as packed:
                    shutil.copyfileobj(source, packed, _CHUNK)
        part.replace(target)
    except OSError as problem:
        part.unlink(missing_ok=True)
        raise ConfigurationFault(f"the zip cannot be written: {problem.strerror}", where=Where(target)) from None


def unpack(path: Path, folder: Path) -> None:
    """Unpack a bundle from a ``.zip``, trusting nothing that the archive says about itself.

    Raises:
        BundleFault: it is no zip, or holds links, encrypted or repeated entries, names that leave the folder, or more
            bytes than a bundle may have.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if min((entry.header_offset for entry in archive.infolist()), default=0) or not _ends_with_directory(path):
                raise BundleFault("the zip holds something before its first or behind its last entry")
            entries = [entry for entry in archive.infolist() if not entry.is_dir() or entry.file_size]
            check_names(entry.filename for entry in entries)
            left = MOST_BYTES
            for entry in entries:
                left -= _unpack_one(archive, entry, folder / entry.filename, min(left, LARGEST_FILE))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as problem:
        raise BundleFault(f"the zip cannot be read: {problem}", where=Where(path)) from None


def _ends_with_directory(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-_LAST.size, os.SEEK_END)
        sign, comment = _LAST.unpack(file.read())
    return sign == b"PK\x05\x06" and not comment


def _unpack_one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int) -> int:
    mode = entry.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise BundleFault(f"{entry.filename} is a link or a special file", expected="plain files only")
    if entry.flag_bits & 1:
        raise BundleFault(f"{entry.filename} is encrypted")
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(entry) as source, target.open("xb") as copy:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise BundleFault(f"{entry.filename} is larger than a bundle may be")
            copy.write(chunk)
    return size
