"""A folder of official files, read: schemas with their message roots, WSDLs, sample messages and code lists."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationFault, MalformedInput, Where
from harness.message.envelope import open_envelope
from harness.message.xml import XmlDocument, parse_xml
from harness.pack.source import read_source
from harness.pack.wsdl import Service, read_wsdl
from harness.pack.xsd import Compiled, compile_schema
from harness.pack.xsd_tree import stem

_CODE = ("code", "value", "key", "id")
_MEANING = ("description", "meaning", "name", "text", "title", "label")
_TITLE = ("listname", "title", "name", "id")


@dataclass(frozen=True)
class Root:
    """A root element, and the schema file that declares it.

    Parameters:
        tag: in Clark notation.
        file: path below the folder.
        compiled: the schema.
    """

    tag: str
    file: str
    compiled: Compiled

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return self.tag.rpartition("}")[2]


@dataclass(frozen=True)
class GivenList:
    """A code list as it was given: its names (of the file and inside it), and code to meaning."""

    names: tuple[str, ...]
    codes: Mapping[str, str]
    file: Path


@dataclass(frozen=True)
class Intake:
    """Everything that a folder gives.

    Parameters:
        folder: where the schemas are now.
        roots: what may be a message, by root element.
        services: what the WSDL files say.
        samples: valid messages by root element, each with its file.
        codelists: code lists.
        problems: what could not be used, and why.
    """

    folder: Path
    roots: Mapping[str, Root]
    services: tuple[Service, ...]
    samples: Mapping[str, tuple[tuple[Path, XmlDocument], ...]]
    codelists: tuple[GivenList, ...]
    problems: tuple[ConfigurationFault, ...]


def read_folder(folder: Path, schemas: Path, names: Collection[str] = ()) -> Intake:
    """Read a folder with everything in it. Files of other kinds are left alone.

    Parameters:
        folder: the folder.
        schemas: an empty folder for a copy of its schemas, and of those that stand in a WSDL.
        names: local names by which a message is known, also where another element contains it.

    Raises:
        ConfigurationFault: the folder is not there, or has no schema that can be used.
    """
    if not folder.is_dir():
        raise ConfigurationFault(
            "there is no such folder",
            where=Where(folder),
            expected="a folder with XML Schemas",
            remedy="Check the name.",
        )
    folder = folder.resolve()
    problems: list[ConfigurationFault] = []
    given: dict[Path, Service] = {}
    for file in _files(folder, "wsdl"):
        try:
            given[file] = read_wsdl(file)
        except ConfigurationFault as fault:
            problems.append(fault)
    _copy(folder, schemas, given)
    services = tuple(given.values())
    compiled = dict(_compiled(schemas, problems))
    spoken = {root for service in services for each in service.operations for root in (each.request, each.answer)}
    roots = _roots(compiled, spoken, {each.lower() for each in names} | set(filter(None, map(stem, names))))
    if not roots:
        raise ConfigurationFault(
            "no message root was found",
            where=(_as_given(problems[0], schemas, folder).where if problems else Where(folder)),
            expected="at least one XML Schema file (.xsd) that compiles and declares an element",
            remedy=problems[0].what if problems else "Name the folder with the schemas.",
        )
    samples = _samples(folder, roots, problems)
    codelists = tuple(_codelists(folder, problems))
    told = tuple(_as_given(problem, schemas, folder) for problem in problems)
    return Intake(schemas, roots, services, samples, codelists, told)


def _as_given(problem: ConfigurationFault, schemas: Path, folder: Path) -> ConfigurationFault:
    """A mistake in a copy, told of the file that was given."""
    where = problem.where
    if where is None or where.file is None or not Path(where.file).is_relative_to(schemas):
        return problem
    given = folder / Path(where.file).relative_to(schemas)
    if given.is_file():
        problem.where = replace(where, file=given)
    return problem


def _copy(folder: Path, schemas: Path, services: Mapping[Path, Service]) -> None:
    """Copy the schemas, and put those of a WSDL where it lies, so that they find what they include."""
    for file in _files(folder, "xsd"):
        target = schemas / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    for file, service in services.items():
        beside = (schemas / file.relative_to(folder)).parent
        beside.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(service.schemas, 1):
            (beside / f"{file.stem}-types-{number}.xsd").write_bytes(data)


def _files(folder: Path, *endings: str) -> Iterator[Path]:
    """The files of some kinds; what leads out of the folder is none of it."""
    inside = folder.resolve()
    for file in sorted(folder.rglob("*"), key=Path.as_posix):
        kind = file.suffix.lower().removeprefix(".")
        wanted = kind in endings and file.is_file() and "__MACOSX" not in file.parts
        if wanted and file.resolve().is_relative_to(inside):
            yield file


def _compiled(folder: Path, problems: list[ConfigurationFault]) -> Iterator[tuple[str, Compiled]]:
    """Every schema that stands by itself; one that cannot is a problem unless another one includes it."""
    failed: dict[Path, ConfigurationFault] = {}
    used: set[str] = set()
    for file in _files(folder, "xsd"):
        name = file.relative_to(folder).as_posix()
        try:
            schema = compile_schema(file, (folder,))
        except ConfigurationFault as fault:
            failed[file] = fault
            continue
        used |= set(schema.files)
        yield name, schema
    problems += [fault for file, fault in failed.items() if file.relative_to(folder).as_posix() not in used]


def _roots(compiled: Mapping[str, Compiled], spoken: Collection[str | None], names: Collection[str]) -> dict[str, Root]:
    """What a WSDL sends, what has a known name, and every global element with content that is in none else."""
    referred = {tag for schema in compiled.values() for tag in schema.grammar.referred()}
    found: dict[str, Root] = {}
    for file, schema in compiled.items():
        for tag in schema.grammar.declared():
            declaration = schema.grammar.element(tag)
            local = tag.rpartition("}")[2]
            known = tag in spoken or local.lower() in names or stem(local) in names
            if declaration is None or (tag in referred and not known) or declaration.get("abstract") in ("true", "1"):
                continue
            if schema.grammar.content_of(declaration).declarations:
                own = schema.grammar.home(declaration) == 0
                if tag not in found or own:
                    found[tag] = Root(tag, file, schema)
    return found


def _samples(
    folder: Path, roots: Mapping[str, Root], problems: list[ConfigurationFault]
) -> dict[str, tuple[tuple[Path, XmlDocument], ...]]:
    found: dict[str, tuple[tuple[Path, XmlDocument], ...]] = {}
    for file in _files(folder, "xml"):
        try:
            document = _payload(file.read_bytes())
        except MalformedInput as error:
            problems.append(ConfigurationFault(error.what, where=Where(file, error.line)))
            continue
        root = roots.get(document.root) if document is not None else None
        if document is None or root is None:
            continue
        with root.compiled.lock:
            valid = root.compiled.schema.validate(document.element)
            told = root.compiled.schema.error_log.last_error
        if valid:
            found[document.root] = (*found.get(document.root, ()), (file, document))
        else:
            problems.append(
                ConfigurationFault(
                    f"the sample breaks its schema and is not used: {told.message if told else 'it is not valid'}",
                    where=Where(file, told.line if told else None),
                )
            )
    return found


def _payload(data: bytes) -> XmlDocument | None:
    document = parse_xml(data)
    if document.root.endswith("}Envelope"):
        return open_envelope(data).body
    return document


def _codelists(folder: Path, problems: list[ConfigurationFault]) -> Iterator[GivenList]:
    for file in _files(folder, "json", "csv", "yaml", "yml"):
        try:
            yield from _lists(file)
        except (ValueError, csv.Error, RecursionError, ConfigurationFault) as problem:
            problems.append(ConfigurationFault(f"this is no code list: {problem}", where=Where(file)))


def _lists(file: Path) -> Iterator[GivenList]:
    match file.suffix.lower():
        case ".csv":
            with file.open(encoding="utf-8-sig", newline="") as text:
                yield from _list(file, file.stem, list(csv.DictReader(text)))
        case ".json":
            yield from _list(file, file.stem, json.loads(file.read_text("utf-8")))
        case _:
            yield from _list(file, file.stem, read_source(file).data)


def _list(file: Path, name: str, data: Any) -> Iterator[GivenList]:
    """Find the lists in what was read: rows with a code, or a mapping of codes to meanings, under whatever key."""
    if isinstance(data, list) and data and all(isinstance(each, dict) for each in data):
        rows = [{str(key).lower(): value for key, value in row.items()} for row in data]
        code = next((key for key in _CODE if all(row.get(key) not in (None, "") for row in rows)), None)
        meaning = next((key for key in _MEANING if any(key in row for row in rows)), "")
        if code:
            yield GivenList((file.stem, name), {str(row[code]): str(row.get(meaning) or "") for row in rows}, file)
    elif isinstance(data, dict):
        told = [str(value) for key, value in data.items() if key.lower() in _TITLE and isinstance(value, str)]
        codes = data.get("codes")
        if isinstance(codes, dict):
            yield GivenList((file.stem, *told), {str(code): str(text) for code, text in codes.items()}, file)
            return
        for key, value in data.items():
            if isinstance(value, list | dict):
                inner = tuple(_list(file, key, value))
                yield from (GivenList((*each.names, *told), each.codes, file) for each in inner)


def write_list(given: GivenList, id: str, title: str) -> str:  # noqa: A002 - the word of the file
    """A code list in the notation of packs."""
    lines = [
        f"id: {id}",
        f"title: {quoted(title)}",
        f"version: {quoted(given.file.stem)}",
        f"source: {quoted(f'public: {given.file.name}, as it was given to the import')}",
        "codes:",
    ]
    return (
        "\n".join([*lines, *(f"  {quoted(code)}: {quoted(text or code)}" for code, text in given.codes.items())]) + "\n"
    )


def quoted(text: str) -> str:
    """A text for a YAML file, in double quotes."""
    return json.dumps(text, ensure_ascii=False)
