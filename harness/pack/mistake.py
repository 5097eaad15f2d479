"""What is wrong with a file, in words for the person who wrote it: JSON Schema errors made readable."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from jsonschema.exceptions import ValidationError

from harness.pack.data import published_validator
from harness.pack.names import did_you_mean

_KINDS = {
    "string": "a text",
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Parameters:
        path: the steps to it from the top of the file.
        what: what is wrong.
        expected: what would be right.
        remedy: what to do, where there is more to say than that.
        consequence_of: remedy of a misspelt key beside it, which explains this mistake as well.
    """

    path: tuple[str | int, ...]
    what: str
    expected: str | None
    remedy: str | None = None
    consequence_of: str = ""


def explain(data: Any, schema: str) -> tuple[Mistake, ...]:
    """Every mistake that keeps data from satisfying a published schema; empty when there is none."""
    found = (mistake for error in published_validator(schema).iter_errors(data) for mistake in _of(error))
    mistakes = tuple(dict.fromkeys(found))
    misspelt = {(each.path[:-1], each.remedy) for each in mistakes}
    return tuple(each for each in mistakes if (each.path, each.consequence_of) not in misspelt)


def _of(error: ValidationError) -> Iterator[Mistake]:
    """The mistakes behind one error of the validator; one error may speak of several keys."""
    path = tuple(error.absolute_path)
    here = cast("Mapping[str, Any]", error.schema)
    instance, wanted = cast("Any", error.instance), cast("Any", error.validator_value)
    expected = here.get("description")
    match error.validator:
        case _ if "propertyNames" in error.absolute_schema_path:
            yield Mistake((*path, instance), f"'{instance}' is no name that can stand here", expected)
        case "additionalProperties":
            known = here.get("properties", {})
            for key in sorted(set(instance) - set(known)):
                what = f"the key '{key}' is not known here"
                yield Mistake((*path, key), what, _one_of(known), did_you_mean(key, known))
        case "required":
            for key in (key for key in wanted if key not in instance):
                spelling = f"Did you mean '{key}'?"
                yield Mistake(path, f"'{key}' is missing", _about(here, key), f"Add '{key}'.", spelling)
        case "type":
            what = f"{_shown(instance)} is not {_kinds(wanted)}"
            yield Mistake(path, what, expected, _quote(instance, wanted))
        case "enum":
            words = [str(each) for each in wanted]
            near = did_you_mean(str(instance), words)
            yield Mistake(path, f"{_shown(instance)} is not known here", _one_of(words), near)
        case "oneOf" if isinstance(instance, dict):
            keys = [key for each in wanted for key in each.get("required", ())]
            yield from _choice(instance, path, keys)
        case "minItems" | "minProperties" | "minLength":
            yield Mistake(path, "this is empty or too short", expected)
        case _:
            yield Mistake(path, f"{_shown(instance)} is not right here", expected)


def _choice(instance: Mapping[str, Any], path: tuple[str | int, ...], keys: list[str]) -> Iterator[Mistake]:
    there = [key for key in keys if key in instance]
    expected = "exactly one of the keys " + ", ".join(keys)
    if there:
        yield Mistake(path, "the keys " + " and ".join(there) + " exclude each other", expected)
        return
    near = filter(None, (did_you_mean(key, keys) for key in instance))
    yield Mistake(path, "the key that says what this is is missing", expected, next(near, None))


def _about(schema: Mapping[str, Any], key: str) -> str | None:
    """What the schema says of one of its keys."""
    entry = schema.get("properties", {}).get(key, {})
    return f"{key}: {entry['description']}" if "description" in entry else None


def _one_of(words: Any) -> str:
    return "one of " + ", ".join(words)


def _kinds(kinds: str | list[str]) -> str:
    return " or ".join(_KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"'{value[:60]}'" if isinstance(value, str) else json.dumps(value)


def _quote(instance: Any, kinds: str | list[str]) -> str | None:
    plain = isinstance(instance, (int, float, bool))
    return f'Put it in quotes: "{instance}".' if plain and "string" in kinds else None
