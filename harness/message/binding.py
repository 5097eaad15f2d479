"""Reading: the bound names of a message and what stands in their places.

A scalar is the first place that its path reaches. A list has one entry for each place that the path reaches up to
``[*]``; what follows ``[*]``, or the path of each field, starts there. :mod:`harness.message.build` is the inverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from harness.message.model import Binding, Document, Value
from harness.message.path import parse_path
from harness.message.xml import XmlDocument


def read(document: Document, bindings: Mapping[str, Binding]) -> dict[str, Value]:
    """Read every bound name: ``None`` for a scalar that is absent, ``[]`` for a list without entries.

    Raises:
        ConfigurationFault: a path of *bindings* is wrong.
    """
    printed = document.printed if isinstance(document, XmlDocument) else None
    if printed is not None and printed.bindings is bindings:
        return dict(printed.values)
    return {name: _read(document, binding) for name, binding in bindings.items()}


def _read(document: Document, binding: Binding) -> Value:
    place, rest = binding.parts
    if rest is None:
        return document.text(place)
    if binding.fields:
        first, *others = map(parse_path, binding.fields.values())
        column = document.texts_below(place, first)
        if not column:
            return []
        columns = (column, *(document.texts_below(place, each) for each in others))
        return [dict(zip(binding.fields, row, strict=True)) for row in zip(*columns, strict=True)]
    return [text for text in document.texts_below(place, rest) if text is not None]


@lru_cache(maxsize=256)
def errors_binding(each: str, code: str, pointer: str | None, text: str | None) -> Binding:
    """The errors of a refused answer as a list of records with the fields ``code``, ``pointer`` and ``text``.

    Parameters:
        each: path of one error, ending in ``[*]``.
        code, pointer, text: paths below it; ``None`` where the message has no such field.
    """
    fields = {"code": code, "pointer": pointer, "text": text}
    return Binding("errors", each, {name: path for name, path in fields.items() if path is not None})
