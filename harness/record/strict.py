"""JSON of a bundle: written in one form only, and read without forgiveness.

Two readers of one document must see the same thing. So a name that stands twice, a number that is none, and bytes that
are not UTF-8 are refused, and a document is written the same way whenever its content is the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import BundleFault


def dumps(document: Mapping[str, Any]) -> bytes:
    """Write a JSON object: one line for each member, and for each entry of a member that is a list or an object.

    Compact enough for thousands of cases, and a change shows as one line.
    """
    return (
        "{\n" + ",\n".join(f"{_text(name)}: {_member(value)}" for name, value in document.items()) + "\n}\n"
    ).encode()


def loads(data: bytes, name: str) -> dict[str, Any]:
    """Read a JSON object.

    Parameters:
        data: the bytes.
        name: of the file, for the message.

    Raises:
        BundleFault: it is not UTF-8, not JSON, not an object, or a name stands twice in one object.
    """
    try:
        document = json.loads(data.decode("utf-8", "strict"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except ValueError as problem:
        raise BundleFault(f"{name} is not valid JSON: {problem}") from None
    except RecursionError:
        raise BundleFault(f"{name} is not valid JSON: nested too deep") from None
    if not isinstance(document, dict):
        raise BundleFault(f"{name} is not a JSON object")
    return document


def _member(value: Any) -> str:
    if isinstance(value, Mapping) and value:
        return "{\n " + ",\n ".join(f"{_text(name)}: {_text(item)}" for name, item in value.items()) + "\n}"
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return "[\n " + ",\n ".join(map(_text, value)) + "\n]"
    return _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "), allow_nan=False)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return document


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")
