"""Reading: the bound names of a message and what stands in their places.

A scalar is the first place that its path reaches. A list has one entry for each place that the path reaches up to
``[*]``; what follows ``[*]``, or the path of each field, starts there. :mod:`harness.message.build` is the inverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from harness.message.model import Binding, Document, Place, Value
from harness.message.path import Path, parse_path


def read(document: Document, bindings: Mapping[str, Binding]) -> dict[str, Value]:
    """Read every bound name: ``None`` for a scalar that is absent, ``[]`` for a list without entries.

    Raises:
        ConfigurationFault: a path of *bindings* is wrong.
    """
    return {name: _read(document, binding) for name, binding in bindings.items()}


def _read(document: Document, binding: Binding) -> Value:
    place, rest = binding.parts
    if rest is None:
        return document.text(place)
    found = document.reach(place)
    if binding.fields:
        fields = {name: parse_path(path) for name, path in binding.fields.items()}
        return [{name: _first(item, path) for name, path in fields.items()} for item in found]
    return [text for item in found if (text := _first(item, rest)) is not None]


def _first(item: Place, path: Path) -> str | None:
    found = item.reach(path)
    return found[0].text if found else None


@lru_cache(maxsize=256)
def errors_binding(each: str, code: str, pointer: str | None, text: str | None) -> Binding:
    """The errors of a refused answer as a list of records with the fields ``code``, ``pointer`` and ``text``.

    Parameters:
        each: path of one error, ending in ``[*]``.
        code, pointer, text: paths below it; ``None`` where the message has no such field.
    """
    fields = {"code": code, "pointer": pointer, "text": text}
    return Binding("errors", each, {name: path for name, path in fields.items() if path is not None})
