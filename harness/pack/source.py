"""Reading the files that people write: YAML with line numbers, checked against a published JSON Schema.

What is read is YAML 1.2 with its core schema: ``no``, ``on`` and ``2026-11-23`` are texts; only ``true``,
``false``, ``null``, ``~`` and numbers are not. Keys are always texts. Anchors, aliases, tags, merge keys and
duplicate keys are refused, and so is a file beyond the bounds: who reads it sees everything that is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.errors import ConfigurationFault, Where, refuse
from harness.pack.mistake import explain

SIZE, NODES, DEPTH = 4 * 1024 * 1024, 200_000, 40
"""Bounds on one file: bytes, keys and values, nested lists and mappings."""

Steps = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = re.compile(r"(?:~|null|Null|NULL)?")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Source:
    """A file that was read.

    Parameters:
        path: the file, as the person named it.
        data: its content: mappings with text keys, lists, texts, numbers, ``True``, ``False``, ``None``.
        places: file and line of every key and list item, by the steps that lead to it.
    """

    path: Path
    data: Any
    places: Mapping[Steps, Where] = field(default_factory=dict, repr=False)

    def where(self, path: Sequence[str | int] = ()) -> Where:
        """File, line and path of a place; where it does not exist, of the nearest place around it.

        Parameters:
            path: the steps from the top, such as ``("steps", 2, "answer")``.
        """
        steps: Steps = (path,) if isinstance(path, str) else tuple(path)
        for length in range(len(steps), 0, -1):
            if found := self.places.get(steps[:length]):
                return Where(found.file, found.line, "/".join(map(str, steps)))
        return Where(self.path, None, "/".join(map(str, steps)) or None)


def read_source(path: Path, schema: str | None = None) -> Source:
    """Read a file and check it.

    Parameters:
        path: a YAML file (or JSON, which is YAML).
        schema: name of the published schema that it must satisfy; ``None`` checks the notation only.

    Raises:
        ConfigurationFault: it cannot be read, or it does not satisfy the schema; with file, line and path.
    """
    source = _parse(path)
    if schema is not None:
        check_source(source, schema)
    return source


def check_source(source: Source, schema: str) -> None:
    """Check what was read against a published schema.

    Raises:
        ConfigurationFault: the first mistake in full, and the lines of the others.
    """
    refuse(
        [
            ConfigurationFault(
                each.what,
                where=source.where(each.path),
                expected=each.expected,
                remedy=each.remedy or f"Correct it; 'c2c schema {schema}' prints the notation.",
            )
            for each in explain(source.data, schema)
        ]
    )


def _parse(path: Path) -> Source:
    try:
        with path.open("rb") as file:
            data = file.read(SIZE + 1)
    except OSError as error:
        raise ConfigurationFault(
            f"the file cannot be read: {error.strerror or error}", where=Where(path), remedy="Check the path."
        ) from None
    if len(data) > SIZE:
        raise ConfigurationFault("the file is too large", where=Where(path), expected=f"at most {SIZE} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationFault(
            "the file is not UTF-8", where=Where(path, line), remedy="Save it with the encoding UTF-8."
        ) from None
    try:
        return _Reader(path, yaml.parse(text, Loader=_LOADER)).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(filter(None, (error.context, error.problem)))
        where = Where(path, mark.line + 1 if mark else None)
        remedy = "Check the indentation, colons, brackets and quotes around this line."
        raise ConfigurationFault(f"this is not YAML: {what}", where=where, remedy=remedy) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = (
            f"the character U+{error.character:04X} is not allowed in YAML"
            if isinstance(error.character, int)
            else str(error)
        )
        raise ConfigurationFault(what, where=Where(path, line), remedy="Remove the character.") from None


class _Reader:
    """Turns the events of the YAML parser into data, and remembers the line of everything."""

    def __init__(self, path: Path, events: Iterator[yaml.Event]) -> None:
        self.path, self.events = path, events
        self.places: dict[Steps, Where] = {}
        self.nodes = 0

    def read(self) -> Source:
        """Read the one document of the file.

        Raises:
            ConfigurationFault: the file is empty, or has what is refused.
        """
        data: Any = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._fault("the file has more than one document", event, "Write one file for each.")
                data = self._value(next(self.events), ())
        if data is None:
            raise ConfigurationFault("the file is empty", where=Where(self.path), remedy="Write it, or remove it.")
        return Source(self.path, data, self.places)

    def _value(self, event: yaml.Event, steps: Steps) -> Any:
        self.nodes += 1
        if self.nodes > NODES or len(steps) > DEPTH:
            raise self._fault("the file is too large or too deeply nested", event, "Split it into several files.")
        self._refuse_references(event)
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(steps)
        return self._mapping(steps)

    def _list(self, steps: Steps) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            here = (*steps, len(items))
            self._remember(here, event)
            items.append(self._value(event, here))
        return items

    def _mapping(self, steps: Steps) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self._refuse_references(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._fault("a key must be a plain word or text", event, "Put the key in quotes.")
            key = event.value
            if key == "<<" and event.implicit[0]:
                raise self._fault("merge keys (<<) are not allowed", event, "Write the entries out.")
            here = (*steps, key)
            if key in entries:
                first = self.places[here].line
                raise self._fault(f"the key '{key}' stands here twice, first in line {first}", event, "Remove one.")
            self._remember(here, event)
            entries[key] = self._value(next(self.events), here)
        return entries

    def _remember(self, steps: Steps, event: yaml.Event) -> None:
        self.places[steps] = Where(self.path, _line(event))

    def _refuse_references(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._fault("anchors (&) and aliases (*) are not allowed", event, "Write it out; or use quotes.")
        if getattr(event, "tag", None):
            raise self._fault("tags (!) are not allowed", event, "Remove the tag; or use quotes.")

    def _fault(self, what: str, event: yaml.Event, remedy: str) -> ConfigurationFault:
        return ConfigurationFault(what, where=Where(self.path, _line(event)), remedy=remedy)


def _line(event: yaml.Event) -> int | None:
    return event.start_mark.line + 1 if event.start_mark else None


def _scalar(event: yaml.ScalarEvent) -> str | int | float | bool | None:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if _NULL.fullmatch(text):
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text, 0) if text[1:2] in ("o", "x") else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
