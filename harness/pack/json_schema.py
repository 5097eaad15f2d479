"""JSON Schema: compiled once from the files of a pack, and its errors told as violations of a kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urldefrag, urljoin

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from harness.errors import ConfigurationFault, Where
from harness.message.json import JsonValue, Number
from harness.pack.layers import find_file
from harness.pack.violation import Violation

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MOST = 100
"""At most so many violations are told of one message."""

_BASE = "https://pack.invalid/"
_DIGITS = 100
"""A whole number that is longer is not taken for an integer."""

_KINDS = {
    "required": "missing",
    "dependentRequired": "missing",
    "minItems": "missing",
    "minProperties": "missing",
    "contains": "missing",
    "additionalProperties": "unexpected",
    "unevaluatedProperties": "unexpected",
    "propertyNames": "unexpected",
    "not": "unexpected",
    "maxItems": "repeated",
    "maxProperties": "repeated",
    "uniqueItems": "repeated",
    "minLength": "length",
    "maxLength": "length",
    "pattern": "pattern",
    "enum": "enumeration",
    "const": "enumeration",
}
"""Keyword to kind of constraint; what is not here is of the kind ``type``."""


def json_violations(file: Path, folders: tuple[Path, ...], value: JsonValue) -> tuple[Violation, ...]:
    """Every violation of a schema by a message.

    Parameters:
        file: the schema of the message.
        folders: the ``schemas`` folders of the pack, nearest first.
        value: the message; its numbers are exact.

    Raises:
        ConfigurationFault: the schema itself is wrong.
    """
    plain = _plain(value)
    errors = islice(_validator(file, folders).iter_errors(plain), MOST)
    try:
        return tuple(dict.fromkeys(each for error in errors for each in _violations(_deepest(error), plain)))
    except Unresolvable as error:
        raise ConfigurationFault(
            f"the reference '{error.ref}' leads nowhere",
            where=Where(file),
            expected="a definition in this file, or in another one below schemas/",
            remedy="Correct the reference.",
        ) from None
    except ArithmeticError:
        return (Violation("type", "/", None, "a number is too large to be compared"),)


@lru_cache(maxsize=256)
def _validator(file: Path, folders: tuple[Path, ...]) -> Draft202012Validator:
    folder = next(folder for folder in folders if file.is_relative_to(folder))
    main = file.relative_to(folder).as_posix()
    schemas: dict[str, Any] = {}
    waiting = [(main, file)]
    while waiting:
        name, path = waiting.pop()
        schemas[name] = _read(path)
        for reference in _references(schemas[name]):
            other = urldefrag(urljoin(_BASE + name, reference)).url
            if not other.startswith(_BASE):
                raise ConfigurationFault(
                    f"'{reference}' lies outside of the pack", where=Where(path), expected="a file below schemas/"
                )
            if (wanted := other.removeprefix(_BASE)) not in schemas:
                waiting.append((wanted, find_file(folders, wanted, Where(path))))
    resources = [(_BASE + name, DRAFT202012.create_resource(schema)) for name, schema in schemas.items()]
    registry: Registry[Any] = Registry().with_resources(resources).crawl()
    return Draft202012Validator({"$ref": _BASE + main}, registry=registry)


def _references(schema: Any) -> Iterator[str]:
    """Every reference in a schema."""
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference
        for member in schema.values():
            yield from _references(member)
    elif isinstance(schema, list):
        for item in schema:
            yield from _references(item)


def _read(file: Path) -> Any:
    try:
        schema = json.loads(file.read_text("utf-8"), parse_float=Decimal)
        Draft202012Validator.check_schema(schema)
    except (ValueError, SchemaError) as error:
        what = error.message if isinstance(error, SchemaError) else str(error)
        raise ConfigurationFault(
            f"this is not a right JSON Schema: {what}", where=Where(file), remedy="Correct the schema."
        ) from None
    return schema


def _plain(value: JsonValue) -> Any:
    """The message with numbers that can be compared."""
    if isinstance(value, Number):
        number = Decimal(value)
        whole = len(value) <= _DIGITS and abs(number.adjusted()) <= _DIGITS and number == number.to_integral_value()
        return int(number) if whole else number
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _deepest(error: ValidationError) -> ValidationError:
    """Of alternatives that all failed, the error in the one that fits best."""
    return best_match([error]) or error


def _violations(error: ValidationError, plain: Any) -> Iterator[Violation]:
    keyword = str(error.validator or "not")
    kind = _KINDS.get(keyword, "type")
    place = pointer(plain, error.absolute_path)
    instance, wanted = cast("Any", error.instance), cast("Any", error.validator_value)
    inside = place.removesuffix("/")
    if keyword == "required":
        for key in (key for key in wanted if key not in instance):
            yield Violation(kind, f"{inside}/{key}", None, f"{key} is missing in {_name(place)}")
    elif keyword == "additionalProperties":
        known = cast("Mapping[str, Any]", error.schema).get("properties", {})
        for key in (key for key in instance if key not in known):
            yield Violation(kind, f"{inside}/{key}", None, f"{key} cannot stand in {_name(place)}")
    else:
        yield Violation(kind, place, None, f"{_name(place)} breaks '{keyword}' ({_short(wanted)})")


def pointer(value: Any, steps: Sequence[str | int]) -> str:
    """The pointer of a place that JSON Schema names by keys and positions from 0."""
    text = ""
    for step in steps:
        if isinstance(step, str):
            text += f"/{step}"
        elif len(value) > 1:
            text += f"[{step + 1}]"
        value = value[step]
    return text or "/"


def _name(place: str) -> str:
    return "the message" if place == "/" else place.rpartition("/")[2]


def _short(wanted: object) -> str:
    return json.dumps(wanted, default=str)[:200]
