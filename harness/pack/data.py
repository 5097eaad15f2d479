"""Where packs, fixtures, report templates and published schemas are found.

In a checkout they are the folders beside the package; in an installed wheel they travel inside it, in
``harness/_data``. Nothing else in the harness knows the difference.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft202012Validator

from harness.errors import ConfigurationFault
from harness.pack.names import did_you_mean

_PACKAGE = Path(__file__).resolve().parent.parent
_SCHEMAS = _PACKAGE / "schemas"
_COMMON = "common.json#"


def data_folder(kind: Literal["suites", "fixtures", "reports"]) -> Path:
    """The folder of all packs, golden samples or report templates: checkout first, then the wheel."""
    beside = _PACKAGE.parent
    in_checkout = (beside / "pyproject.toml").is_file() and (beside / "suites").is_dir()
    return beside / kind if in_checkout else _PACKAGE / "_data" / kind


def known_packs() -> tuple[str, ...]:
    """Names of the packs that come with the harness."""
    return tuple(sorted(file.parent.name for file in data_folder("suites").glob("*/pack.yaml")))


def find_pack(name_or_path: str | Path) -> Path:
    """The folder of a pack.

    Parameters:
        name_or_path: name of a folder in ``suites/``, or the path of a pack's folder or ``pack.yaml``.

    Raises:
        ConfigurationFault: there is no such pack; the known ones are named.
    """
    path = Path(name_or_path)
    folder = path.parent if path.name == "pack.yaml" else path
    if (folder / "pack.yaml").is_file():
        return folder
    known = known_packs()
    if str(name_or_path) in known:
        return data_folder("suites") / str(name_or_path)
    what = f"there is no pack '{name_or_path}'"
    if folder.is_dir():
        what = f"the folder '{folder}' is no pack: it has no pack.yaml"
    raise ConfigurationFault(
        what,
        expected=f"one of {', '.join(known)}, or the path of a pack's folder"
        if known
        else "the path of a pack's folder",
        remedy=did_you_mean(path.name, known) or "Check the name, or give the path of the folder with pack.yaml.",
    )


def schema_names() -> tuple[str, ...]:
    """Names of the published JSON Schemas, as ``c2c schema`` takes them."""
    return tuple(sorted(file.stem for file in _SCHEMAS.glob("*.json") if file.name != "common.json"))


@cache
def published_grammar(name: str) -> bytes:
    """A published RELAX NG grammar, for the XML formats that reports are written in."""
    return (_SCHEMAS / f"{name}.rng").read_bytes()


@cache
def published_schema(name: str) -> dict[str, Any]:
    """A published JSON Schema, complete in itself: shared definitions are copied in. Do not change it.

    Raises:
        ConfigurationFault: there is none of this name.
    """
    if name not in schema_names():
        raise ConfigurationFault(
            f"there is no schema '{name}'",
            expected="one of " + ", ".join(schema_names()),
            remedy=did_you_mean(name, schema_names()) or "Choose one of these names.",
        )
    text = (_SCHEMAS / f"{name}.json").read_text("utf-8")
    if _COMMON not in text:
        return dict(json.loads(text))
    schema = json.loads(text.replace(_COMMON, "#"))
    shared = json.loads((_SCHEMAS / "common.json").read_text("utf-8"))["$defs"]
    return {**schema, "$defs": {**shared, **schema.get("$defs", {})}}


@cache
def published_validator(name: str) -> Draft202012Validator:
    """What says whether data is of a published JSON Schema.

    Raises:
        ConfigurationFault: there is no schema of this name.
    """
    return Draft202012Validator(published_schema(name))
