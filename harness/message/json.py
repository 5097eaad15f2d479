"""JSON from strangers: bounded before it is parsed, and read as text, so that ``1.10`` stays ``1.10``.

Stricter than :mod:`json`: a duplicate key, ``NaN``, ``Infinity`` and a lone surrogate are refused.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, NoReturn, TypeAlias

from harness.errors import MalformedInput
from harness.message.model import DEFAULT_LIMITS, Limits
from harness.message.path import Path, Step, parse_path

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | bool | None"
"""A parsed value; a number is a :class:`Number`."""

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NO_BRACKET = re.compile(r"[^][{}]+")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_quote = json.JSONEncoder(ensure_ascii=False).encode
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class Number(str):
    """A number exactly as it was written."""

    __slots__ = ()


class JsonPlace(NamedTuple):
    """A member of an object, or one item of the array that it holds (*item*, from 0)."""

    owner: dict[str, JsonValue]
    name: str
    item: int | None = None

    @property
    def value(self) -> JsonValue:
        """What stands there."""
        member = self.owner.get(self.name)
        return member[self.item] if self.item is not None and isinstance(member, list) else member

    @property
    def text(self) -> str | None:
        """Text of a string, number or boolean, the JSON text of an object or array; ``None`` for ``null``."""
        value = self.value
        return value if value is None or isinstance(value, str) else _dump(value)

    def reach(self, path: Path, *, new_attribute: bool = False) -> list[JsonPlace]:
        """See :meth:`harness.message.model.Place.reach`; an attribute is a member whose name begins with ``@``.

        An array is reached as its items; ``null`` is reached, so that it can be written, but it is no list.
        """
        places = [self]
        for step in path.steps:
            places = [
                found
                for place in places
                if isinstance(owner := place.value, dict)
                for found in _members(owner, step, new=new_attribute and step.attribute)
            ]
        return places

    def write(self, text: str) -> None:
        """Set a text; a number stays a number and a boolean a boolean where *text* is one."""
        current = self.value
        if isinstance(current, dict | list):
            raise ValueError("it is an object or an array, so it holds no text")
        text.encode()
        if isinstance(current, bool) and text in ("true", "false"):
            self._put(text == "true")
        elif isinstance(current, Number) and _NUMBER.fullmatch(text):
            self._put(Number(text))
        else:
            self._put(str(text))

    def _put(self, value: JsonValue) -> None:
        member = self.owner.get(self.name)
        if self.item is not None and isinstance(member, list):
            member[self.item] = value
        else:
            self.owner[self.name] = value

    def remove(self) -> None:
        """Remove the member, or the item; an array that loses its last item goes with it."""
        member = self.owner[self.name]
        if self.name == "":
            raise ValueError("the root cannot be removed")
        if self.item is not None and isinstance(member, list) and len(member) > 1:
            del member[self.item]
        else:
            del self.owner[self.name]

    def repeat(self, count: int) -> list[JsonPlace]:
        """Put *count* copies where it stands; a member that is no array becomes one."""
        copies = [_copy(self.value) for _ in range(count)]
        member = self.owner[self.name]
        start = self.item or 0
        if self.item is not None and isinstance(member, list):
            member[start : start + 1] = copies
        else:
            self.owner[self.name] = list(copies)
        return [JsonPlace(self.owner, self.name, start + n) for n in range(count)]

    def swap(self) -> None:
        """Members of an object have no order (RFC 8259, 4)."""
        raise ValueError("members of a JSON object have no order")

    def append_foreign(self) -> None:
        """Put a member into the object."""
        if not isinstance(self.value, dict):
            raise ValueError("it is no object")
        self.value["unexpected"] = "x"


def _members(owner: dict[str, JsonValue], step: Step, *, new: bool) -> list[JsonPlace]:
    name = f"@{step.name}" if step.attribute else step.name
    if name not in owner:
        return [JsonPlace(owner, name)] if new else []
    member = owner[name]
    if isinstance(member, list):
        places = [JsonPlace(owner, name, n) for n in range(len(member))]
    else:
        places = [] if member is None and step.index == "*" else [JsonPlace(owner, name)]
    return places[step.index - 1 : step.index] if isinstance(step.index, int) else places


@dataclass(frozen=True, eq=False)
class JsonDocument:
    """One JSON text; paths start at the members of its object."""

    value: JsonValue

    @property
    def root(self) -> str:
        """JSON has no root element."""
        return ""

    @property
    def top(self) -> JsonPlace:
        """The whole value, as the place from which paths start."""
        return JsonPlace({"": self.value}, "")

    def reach(self, path: Path, *, new_attribute: bool = False) -> list[JsonPlace]:
        """See :meth:`harness.message.model.Document.reach`."""
        return self.top.reach(path, new_attribute=new_attribute)

    def text(self, path: Path) -> str | None:
        """See :meth:`harness.message.model.Document.text`."""
        places = self.top.reach(path)
        return places[0].text if places else None

    def texts(self, path: str) -> list[str]:
        """Text of every place that *path* reaches and that is not ``null``, in document order."""
        places = self.top.reach(parse_path(path))
        return [text for place in places if (text := place.text) is not None]

    def texts_below(self, place: Path, rest: Path) -> list[str | None]:
        """See :meth:`harness.message.model.Document.texts_below`."""
        reached = (each.reach(rest) for each in self.top.reach(place))
        return [found[0].text if found else None for found in reached]

    def pointers(self, path: str) -> list[str]:
        """Exact pointer of every place that *path* reaches and that is not ``null``."""
        found = [(self.top, "")]
        for step in parse_path(path).steps:
            found = [pair for place, pointer in found for pair in _pointed(place, pointer, step)]
        return [pointer or "/" for place, pointer in found if place.value is not None]

    def walk(self) -> Iterator[str]:
        """Exact pointer of every member and item below the top, in document order; ``null`` is no place."""
        return _walk(self.value, "")

    def line(self, pointer: str) -> int | None:  # noqa: ARG002
        """Return ``None``: JSON keeps no lines."""
        return None

    def to_bytes(self) -> bytes:
        """The text in UTF-8, members in their order, without white space."""
        return _dump(self.value).encode()

    def copy(self) -> JsonDocument:
        """A deep copy."""
        return JsonDocument(_copy(self.value))


def _walk(value: JsonValue, pointer: str) -> Iterator[str]:
    for name, member in value.items() if isinstance(value, dict) else ():
        items = member if isinstance(member, list) else [member]
        for number, item in enumerate(items, 1):
            if item is not None:
                place = f"{pointer}/{name}" if len(items) == 1 else f"{pointer}/{name}[{number}]"
                yield place
                yield from _walk(item, place)


def _pointed(place: JsonPlace, pointer: str, step: Step) -> list[tuple[JsonPlace, str]]:
    owner = place.value
    if not isinstance(owner, dict):
        return []
    pairs = []
    for found in _members(owner, step, new=False):
        member = owner[found.name]
        counted = found.item is not None and isinstance(member, list) and len(member) > 1
        index = f"[{(found.item or 0) + 1}]" if counted else ""
        pairs.append((found, f"{pointer}/{found.name}{index}"))
    return pairs


def parse_json(data: bytes, limits: Limits = DEFAULT_LIMITS) -> JsonDocument:
    """Parse one JSON text (RFC 8259; a byte order mark is passed over).

    Raises:
        MalformedInput: ``too-large``, ``too-deep``, ``encoding``, ``duplicate-key`` or ``not-well-formed``.
    """
    if len(data) > limits.size:
        raise MalformedInput("too-large", f"the message has {len(data)} bytes, more than {limits.size}")
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MalformedInput("encoding", "the message is not in UTF-8", line=line) from None
    _check_bounds(text, limits)
    try:
        value: JsonValue = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=_no_constant, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        what = f"the message cannot be parsed: {error.msg}"
        raise MalformedInput("not-well-formed", what, line=error.lineno) from None
    if _SURROGATE_ESCAPE.search(text):
        _check_surrogates(value)
    return JsonDocument(value)


def _check_bounds(text: str, limits: Limits) -> None:
    """Count items and nesting outside of strings; most messages are below the bounds on the first look."""
    opened = text.count("{") + text.count("[")
    if opened <= limits.depth and opened + text.count(",") <= limits.nodes:
        return
    bare = _STRING.sub("", text)
    if bare.count("{") + bare.count("[") + bare.count(",") > limits.nodes:
        raise MalformedInput("too-large", f"the message has more than {limits.nodes} members and items")
    depth = 0
    for bracket in _NO_BRACKET.sub("", bare):
        depth += 1 if bracket in "{[" else -1
        if depth > limits.depth:
            what = f"objects and arrays are nested more than {limits.depth} deep"
            raise MalformedInput("too-deep", what)


def _check_surrogates(value: JsonValue) -> None:
    try:
        _dump(value).encode()
    except UnicodeEncodeError:
        raise MalformedInput("encoding", "a string holds half of a surrogate pair") from None


def _no_constant(word: str) -> NoReturn:
    raise MalformedInput("not-well-formed", f"{word} is not JSON")


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) < len(pairs):
        key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise MalformedInput("duplicate-key", f"the key {key[:60]!r} stands twice in one object")
    return members


def _copy(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {key: _copy(member) for key, member in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _dump(value: JsonValue) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, dict):
        return _joined("{", (f"{_quote(key)}:{_dump(member)}" for key, member in value.items()), "}")
    if isinstance(value, list):
        return _joined("[", map(_dump, value), "]")
    return _quote(value)


def _joined(opening: str, parts: Iterable[str], closing: str) -> str:
    return f"{opening}{','.join(parts)}{closing}"
