"""Writing: a golden sample with values set in their places.

The law: what was set is what is read, ``read(build(s, b, v), b)[name] == v[name]`` for every name in *v* (``None`` for
a list reads as ``[]``). Everything that is not set stays as in the sample, and so does the order.

Removals come first, then lists, then single texts; a text whose place another value took away has no place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.errors import ConfigurationFault
from harness.message.binding import errors_binding
from harness.message.model import Binding, Document, Place, Value, Values
from harness.message.path import Path, parse_path


def build(sample: Document, bindings: Mapping[str, Binding], values: Values) -> Document:
    """Make a new document from *sample*; the sample is not changed.

    Parameters:
        sample: a complete message.
        bindings: the bound names of this message.
        values: what to set, by bound name: a text, a list of texts or of records (the bound subtree is repeated, each
            one a copy of the first in the sample), or ``None`` (its place is removed, or the place in ``drop``).

    Raises:
        ConfigurationFault: a value is not bound, does not fit its binding, has no place in the sample, or cannot be
            written. An attribute that an existing element does not have is no fault: it is created.
    """
    for name in values.keys() - bindings.keys():
        raise ConfigurationFault(
            f"the value {name!r} is not bound to a place",
            expected="one of " + (", ".join(sorted(bindings)) or "none: the message binds nothing"),
            remedy="Bind the name in the message, or do not set it.",
        )
    document = sample.copy()
    removed = [bindings[name] for name, value in values.items() if value is None]
    given = [(bindings[name], value) for name, value in values.items() if value is not None]
    for binding in removed:
        _remove(document.top, binding)
    repeated: dict[Path, Sequence[Place]] = {}
    for binding, value in given:
        place, rest = binding.parts
        if rest is not None:
            _write_list(document.top, binding, place, rest, value, repeated)
    for binding, value in given:
        if binding.parts[1] is None:
            _write(document, binding, binding.path, value)
    return document


def write_errors(
    sample: Document,
    each: str,
    code: str,
    pointer: str | None,
    text: str | None,
    errors: Sequence[Mapping[str, str | None]],
) -> Document:
    """Make a refused answer.

    Parameters:
        sample: a refused answer with at least one error.
        each, code, pointer, text: as in :func:`harness.message.binding.errors_binding`.
        errors: records with ``code``, ``pointer`` and ``text``; a field without a place in this message is left out.

    Raises:
        ConfigurationFault: the sample has no error to copy.
    """
    binding = errors_binding(each, code, pointer, text)
    records = [{name: value for name, value in error.items() if name in binding.fields} for error in errors]
    return build(sample, {binding.name: binding}, {binding.name: records})


def _remove(top: Place, binding: Binding) -> None:
    place, _ = binding.parts
    for path in ([parse_path(binding.drop)] if binding.drop else []) + [place]:
        for found in reversed(top.reach(path)):
            try:
                found.remove()
            except ValueError as reason:
                raise _fault(binding, binding.path, f"cannot be removed: {reason}") from None


def _write_list(
    top: Place, binding: Binding, place: Path, rest: Path, value: Value, repeated: dict[Path, Sequence[Place]]
) -> None:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise _fault(binding, binding.path, "is a list, but the value is not")
    if place not in repeated:
        repeated[place] = _repeat(top, binding, place, len(value))
    items = repeated[place]
    if len(items) != len(value):
        raise _fault(binding, binding.path, f"repeats what another list repeats {len(items)} times")
    for number, (item, entry) in enumerate(zip(items, value, strict=True), 1):
        if binding.number is not None:
            _write(item, binding, binding.number, str(number))
        if not binding.fields:
            _write(item, binding, str(rest), entry)
        elif isinstance(entry, Mapping):
            _write_record(item, binding, entry)
        else:
            raise _fault(binding, binding.path, "is a list of records, but an entry is not a record")


def _repeat(top: Place, binding: Binding, place: Path, count: int) -> Sequence[Place]:
    found = top.reach(place)
    if not found:
        if count == 0:
            return []
        raise _no_place(binding, str(place))
    first, *others = found
    for other in reversed(others):
        other.remove()
    return first.repeat(count)


def _write_record(item: Place, binding: Binding, record: Mapping[str, str | None]) -> None:
    for name, text in record.items():
        if name not in binding.fields:
            raise _fault(binding, binding.path, f"has no field {name!r}")
        path = binding.fields[name]
        if text is None:
            for found in reversed(item.reach(parse_path(path))):
                found.remove()
        else:
            _write(item, binding, path, text)


def _write(start: Document | Place, binding: Binding, path: str, text: object) -> None:
    if not isinstance(text, str):
        raise _fault(binding, path, f"takes a text, not {type(text).__name__}")
    found = start.reach(parse_path(path), new_attribute=True)
    if not found:
        raise _no_place(binding, path)
    try:
        found[0].write(text)
    except ValueError as reason:
        raise _fault(binding, path, f"cannot hold {text[:60]!r}: {reason}") from None


def _no_place(binding: Binding, path: str) -> ConfigurationFault:
    return _fault(
        binding,
        path,
        "has no place in the sample, or another value of this message removed it",
        remedy="Add it to the golden sample (for a list, to the first entry), or correct the path.",
    )


def _fault(binding: Binding, path: str, reason: str, remedy: str | None = None) -> ConfigurationFault:
    place = binding.path if path == binding.path else f"{binding.path}, there {path}"
    return ConfigurationFault(
        f"the binding {binding.name!r} ({place}) {reason}",
        remedy=remedy or "Correct the value, or the binding.",
    )
