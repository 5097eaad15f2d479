"""JSON of a bundle: written in one form only, and read without forgiveness.

Two readers of one document must see the same thing. So a name that stands twice, a number that is none, and bytes that
are not UTF-8 are refused, and a document is written the same way whenever its content is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.errors import BundleFault


def dumps(document: Mapping[str, Any]) -> bytes:
    """Write a JSON object: one line for each member, and for each entry of a member that is a list or an object.

    Compact enough for thousands of cases, and a change shows as one line.
    """
    return b"".join(dump_lines(document))


def dump_lines(document: Mapping[str, Any]) -> Iterator[bytes]:
    """The same in pieces, for a document of which there should be no second copy as text."""
    yield b"{\n"
    for number, (name, value) in enumerate(document.items()):
        yield (",\n" * (number > 0) + f"{_text(name)}: ").encode()
        yield from (piece.encode() for piece in _member(value))
    yield b"\n}\n"


def loads(data: bytes, name: str) -> dict[str, Any]:
    """Read a JSON object.

    Parameters:
        data: the bytes.
        name: of the file, for the message.

    Raises:
        BundleFault: it is not UTF-8, not JSON, not an object, or a name stands twice in one object.
    """
    kept: dict[str, str] = {}

    def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: kept.setdefault(each, each) if isinstance(each, str) else each for name, each in _unique(pairs)}

    try:
        document = json.loads(data.decode("utf-8", "strict"), object_pairs_hook=read, parse_constant=_no_constant)
    except ValueError as problem:
        raise BundleFault(f"{name} is not valid JSON: {problem}") from None
    except RecursionError:
        raise BundleFault(f"{name} is not valid JSON: nested too deep") from None
    if not isinstance(document, dict):
        raise BundleFault(f"{name} is not a JSON object")
    return document


def _member(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        entries, begin, end = (f"{_text(name)}: {_text(item)}" for name, item in value.items()), "{", "}"
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        entries, begin, end = (_text(item) for item in value), "[", "]"
    else:
        yield _text(value)
        return
    for number, entry in enumerate(entries):
        yield f"{',' if number else begin}\n {entry}"
    yield f"\n{end}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "), allow_nan=False)


def _unique(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return pairs


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")
