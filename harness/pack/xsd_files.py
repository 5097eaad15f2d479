"""The files of one XML Schema: everything that it includes or imports, from the folders of a pack and nowhere else.

Official files come as they are: in UTF-16, with blanks in their names, with locations that a program on another
computer wrote. So every reference is resolved here, and given to libxml2 under a name of our own:

1. A location is a path below the folder; ``%20`` is read as a blank, and a backslash as a slash.
2. A location on the network, or none, means a file at hand: of the same name beside the schema, or the only one in the
   folders that declares this namespace. Nothing is ever fetched.
3. What lies outside of the folders is refused before libxml2 gets to see it, and its resolver has nothing else to give.
4. A file without a namespace of its own counts once for each namespace that includes it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lxml import etree

from harness.errors import ConfigurationFault, MalformedInput, Where
from harness.message.model import Limits
from harness.message.xml import parse_xml
from harness.pack.layers import find_file
from harness.pack.xsd_model import XS

MOST = 2000
"""At most so many files belong to one schema."""

_SCHEME = "pack:/"
_LIMITS = Limits(size=64 * 1024 * 1024, nodes=4_000_000)
"""Code lists written as schemas are larger than messages."""

_REFERENCES = (f"{XS}include", f"{XS}import", f"{XS}redefine", f"{XS}override")
_ADDRESS = ("http", "https", "ftp", "urn")


@dataclass(frozen=True)
class SchemaFile:
    """One file of a schema.

    Parameters:
        name: path below its folder.
        path: the file.
        root: its root element; the locations in it are changed to names that :func:`tree_of` understands.
        namespace: the namespace that it declares names in: its own, or that of whoever includes it.
    """

    name: str
    path: Path
    root: etree._Element
    namespace: str | None


def collect(file: Path, folders: tuple[Path, ...]) -> tuple[SchemaFile, ...]:
    """A schema file with everything that it includes and imports; the first is *file* itself.

    Raises:
        ConfigurationFault: a file cannot be read, or is not in the folders.
    """
    folder = next(folder for folder in folders if file.is_relative_to(folder))
    main = file.relative_to(folder).as_posix()
    waiting: list[tuple[str, Path, str | None]] = [(main, file, None)]
    numbers: dict[tuple[str, str | None], int] = {(main, None): 0}
    files: list[SchemaFile] = []
    while len(files) < len(waiting):
        name, path, including = waiting[len(files)]
        root = _parsed(path)
        namespace = root.get("targetNamespace", including)
        files.append(SchemaFile(name, path, root, namespace))
        for reference in list(root.iterchildren(*_REFERENCES)):
            where = Where(path, reference.sourceline)
            found = _found(name, reference, folders, where)
            if found is None:
                continue
            other, target = found
            if other == name:  # a file that includes itself says nothing by it
                root.remove(reference)
                continue
            kept = None if reference.tag == f"{XS}import" or _namespace(target) is not None else namespace
            if (other, kept) not in numbers:
                numbers[other, kept] = len(waiting)
                waiting.append((other, target, kept))
                if len(waiting) > MOST:
                    raise ConfigurationFault("the schema has too many files", where=where, expected=f"at most {MOST}")
            reference.set("schemaLocation", f"{_SCHEME}{numbers[other, kept]}")
    return tuple(files)


def tree_of(files: Sequence[SchemaFile]) -> etree._Element:
    """The first of the files, parsed so that its references lead to the others."""
    texts = [etree.tostring(each.root, encoding="UTF-8") for each in files]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    parser.resolvers.add(_FromPack({f"{_SCHEME}{number}": text for number, text in enumerate(texts)}))
    return etree.fromstring(texts[0], parser, base_url=f"{_SCHEME}0")


def wrong_file(files: Sequence[SchemaFile], address: str | None) -> Path:
    """The file that libxml2 means."""
    number = (address or "").removeprefix(_SCHEME)
    return files[int(number)].path if number.isdigit() and int(number) < len(files) else files[0].path


class _FromPack(etree.Resolver):
    """Gives what was collected, and for anything else a document that is no schema."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:  # noqa: ARG002
        """Resolve a reference; an empty answer would let libxml2 look for itself."""
        return self.resolve_string(self.files.get(system_url or "", b"<refused/>"), context, base_url=system_url)


def _found(name: str, reference: etree._Element, folders: tuple[Path, ...], where: Where) -> tuple[str, Path] | None:
    """The file that a reference means; ``None`` where it names none and none has to be there."""
    location = reference.get("schemaLocation")
    if location is None:
        return _of_namespace(reference.get("namespace"), folders)
    if location.partition(":")[0].lower() in _ADDRESS:
        return _at_hand(name, location, reference.get("namespace"), folders, where)
    plain = unquote(location).replace("\\", "/")
    other = posixpath.normpath(posixpath.join(posixpath.dirname(name), plain))
    if ":" in plain or other.startswith(("/", "..")):
        raise ConfigurationFault(
            f"'{location}' lies outside of the pack",
            where=where,
            expected="a file below schemas/",
            remedy="Name a folder that holds both, or put a copy of it into this one.",
        )
    if "%" in location and not any((each / other).is_file() for each in folders):
        other = posixpath.normpath(posixpath.join(posixpath.dirname(name), location))
    return other, find_file(folders, other, where)


def _at_hand(
    name: str, location: str, namespace: str | None, folders: tuple[Path, ...], where: Where
) -> tuple[str, Path]:
    """The file in the folders that stands for one on the network."""
    beside = posixpath.join(posixpath.dirname(name), posixpath.basename(unquote(location)) or ".")
    for folder in folders:
        if (folder / beside).is_file():
            return beside, find_file(folders, beside, where)
    found = _of_namespace(namespace, folders)
    if found is None:
        raise ConfigurationFault(
            f"'{location}' lies outside of the pack, on the network, where nothing is fetched from",
            where=where,
            expected="a file of that name beside the schema, or one file that declares its namespace",
            remedy="Put a copy of it beside the schema.",
        )
    return found


def _of_namespace(namespace: str | None, folders: tuple[Path, ...]) -> tuple[str, Path] | None:
    """The only file in the folders that declares a namespace."""
    if namespace is None:
        return None
    for folder in folders:
        found = [file for file in sorted(folder.rglob("*.xsd")) if _namespace(file) == namespace]
        if len(found) == 1:
            return found[0].relative_to(folder).as_posix(), found[0]
    return None


def _namespace(file: Path) -> str | None:
    status = file.stat()
    return _namespace_of(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _namespace_of(file: Path, changed: int, size: int) -> str | None:  # noqa: ARG001 - they make the key
    """The namespace that a file declares names in; ``None`` where it cannot be read."""
    try:
        return _parsed(file).get("targetNamespace")
    except ConfigurationFault:
        return None


def _parsed(path: Path) -> etree._Element:
    try:
        return parse_xml(path.read_bytes(), _LIMITS).element
    except MalformedInput as error:
        raise ConfigurationFault(
            error.what.replace("the message", "the schema", 1),
            where=Where(path, error.line),
            expected="an XML Schema without DTD",
            remedy="Correct the schema.",
        ) from None
