"""Is a message valid against its schema: one door for XML Schema and JSON Schema."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.message.json import JsonDocument
from harness.message.xml import XmlDocument
from harness.pack.json_schema import json_violations
from harness.pack.model import Pack
from harness.pack.violation import Violation
from harness.pack.xsd import Compiled, compile_schema, xml_violations
from harness.pack.xsd_tree import places

if TYPE_CHECKING:
    from harness.message.model import Document


def violations(pack: Pack, message: str, document: Document) -> tuple[Violation, ...]:
    """Every violation of its schema by a message, in document order; empty when it is valid.

    A valid message costs the validation and no more. At most 100 violations are told.

    Parameters:
        pack: the pack.
        message: name of the message in it.
        document: the payload; XML may stand inside an envelope.

    Raises:
        ConfigurationFault: the schema itself is wrong.
    """
    if isinstance(document, XmlDocument):
        return xml_violations(_compiled(pack, message), document.element)
    if isinstance(document, JsonDocument):
        return json_violations(pack.messages[message].schema, schema_folders(pack), document.value)
    raise TypeError(f"no schema language for {type(document).__name__}")


@lru_cache(maxsize=64)
def schema_folders(pack: Pack) -> tuple[Path, ...]:
    """The folders with the schemas of a pack and of those that it overlays, nearest first."""
    return tuple(root / "schemas" for root in pack.roots)


@lru_cache(maxsize=256)
def _compiled(pack: Pack, message: str) -> Compiled:
    return compile_schema(pack.messages[message].schema, schema_folders(pack))


@lru_cache(maxsize=256)
def numbers(pack: Pack, message: str) -> frozenset[str]:
    """The places of an XML message, without counts, in which its schema has a number: there 01 and 1 are the same."""
    if pack.format != "xml":
        return frozenset()
    nodes = places(_compiled(pack, message).grammar, pack.messages[message].root)
    return frozenset(node.path for node in nodes if node.text is not None and node.text.family == "number")
