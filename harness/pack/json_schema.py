"""JSON Schema: compiled once from the files of a pack, and its errors told as violations of a kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
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

_NAMES = {"$id", "$anchor", "$dynamicAnchor", "$dynamicRef"}
"""Where a schema has names of its own, a reference means what stands at that name."""
_ALONE = {"$ref", "title", "description", "$comment"}
"""A reference beside which nothing else is demanded."""

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
    named = any(key in _NAMES for schema in schemas.values() for key in _keys(schema))
    written = {"$ref": _BASE + main} if named else _write_out(schemas[main], _BASE + main, registry, {})
    return Draft202012Validator(written, registry=registry)


def _write_out(schema: Any, base: str, registry: Registry[Any], known: dict[str, Any]) -> Any:
    """A schema with what it refers to in place of its references, which cost most of the time of a validation.

    Where that is in itself again, or leads nowhere, the reference stays.

    Parameters:
        schema: of any depth.
        base: the address of the file in which it stands.
        registry: all files.
        known: what was written out already, by address; ``None`` while it is at work.
    """
    if isinstance(schema, list):
        return [_write_out(item, base, registry, known) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        address = urljoin(base, schema["$ref"])
        if schema.keys() <= _ALONE and address not in known:
            known[address] = None
            with suppress(Unresolvable):
                wanted = registry.resolver().lookup(address).contents
                known[address] = _write_out(wanted, urldefrag(address).url, registry, known)
        if schema.keys() <= _ALONE and known[address] is not None:
            return known[address]
        schema = {**schema, "$ref": address}
    return {key: _write_out(member, base, registry, known) for key, member in schema.items()}


def _references(schema: Any) -> Iterator[str]:
    """Every reference in a schema."""
    return (each["$ref"] for each in _mappings(schema) if isinstance(each.get("$ref"), str))


def _keys(schema: Any) -> Iterator[str]:
    return (key for each in _mappings(schema) for key in each)


def _mappings(schema: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a schema, from the outside in."""
    if isinstance(schema, dict):
        yield schema
    for member in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _mappings(member)


def _read(file: Path) -> Any:
    try:
        return _parse(file.read_text("utf-8"))
    except (ValueError, SchemaError) as error:
        what = error.message if isinstance(error, SchemaError) else str(error)
        raise ConfigurationFault(
            f"this is not a right JSON Schema: {what}", where=Where(file), remedy="Correct the schema."
        ) from None


@lru_cache(maxsize=256)
def _parse(text: str) -> Any:
    schema = json.loads(text, parse_float=Decimal)
    Draft202012Validator.check_schema(schema)
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
