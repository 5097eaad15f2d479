"""Reading: the bound names of a message and what stands in their places.

A scalar is the first place that its path reaches. A list has one entry for each place that the path reaches up to
``[*]``; what follows ``[*]``, or the path of each field, starts there. :mod:`harness.message.build` is the inverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from harness.errors import ConfigurationFault
from harness.message.model import Binding, Document, Place, Value
from harness.message.path import Path, parse_path


def read(document: Document, bindings: Mapping[str, Binding]) -> dict[str, Value]:
    """Read every bound name: ``None`` for a scalar that is absent, ``[]`` for a list without entries.

    Raises:
        ConfigurationFault: a path of *bindings* is wrong.
    """
    top = document.top
    return {name: _read(top, binding) for name, binding in bindings.items()}


def _read(top: Place, binding: Binding) -> Value:
    place, rest = split(binding)
    found = top.reach(place)
    if rest is None:
        return found[0].text if found else None
    if binding.fields:
        fields = {name: parse_path(path) for name, path in binding.fields.items()}
        return [{name: _first(item, path) for name, path in fields.items()} for item in found]
    return [text for item in found if (text := _first(item, rest)) is not None]


def _first(item: Place, path: Path) -> str | None:
    found = item.reach(path)
    return found[0].text if found else None


def split(binding: Binding) -> tuple[Path, Path | None]:
    """The path up to and with ``[*]``, and what follows it; the whole path and ``None`` for a scalar.

    Raises:
        ConfigurationFault: a list of records whose path does not end in ``[*]``, or a second ``[*]``.
    """
    try:
        return _split(binding.path, tuple(binding.fields.values()))
    except ValueError as reason:
        raise _fault(binding, str(reason)) from None


@lru_cache(maxsize=4096)
def _split(path: str, fields: tuple[str, ...]) -> tuple[Path, Path | None]:
    before, star, after = path.partition("[*]")
    if "[*]" in after:
        raise ValueError("has more than one [*]")
    if fields and (not star or after):
        raise ValueError("has fields, so its path must end in [*]")
    if any("[*]" in each for each in fields):
        raise ValueError("has a field with [*], but a field is one text")
    return (parse_path(before + star), parse_path(after or "/")) if star else (parse_path(path), None)


def _fault(binding: Binding, reason: str) -> ConfigurationFault:
    return ConfigurationFault(
        f"the binding {binding.name!r} ({binding.path}) {reason}",
        expected="one text (A/B), a list of texts (A/B[*]/C), or a list of records (A/B[*] with fields)",
        remedy="Correct the binding.",
    )


def errors_binding(each: str, code: str, pointer: str | None, text: str | None) -> Binding:
    """The errors of a refused answer as a list of records with the fields ``code``, ``pointer`` and ``text``.

    Parameters:
        each: path of one error, ending in ``[*]``.
        code, pointer, text: paths below it; ``None`` where the message has no such field.
    """
    fields = {"code": code, "pointer": pointer, "text": text}
    return Binding("errors", each, {name: path for name, path in fields.items() if path is not None})
