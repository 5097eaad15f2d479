"""What a party sends, once more as it would be sent by a worse or only different program."""

from __future__ import annotations

from lxml import etree

from harness.message.json import JsonDocument, JsonValue
from harness.message.model import Document
from harness.message.structure import places, rearranged
from harness.message.xml import XmlDocument
from harness.reference.hooks import Hooks


def rewritten(document: Document, hooks: Hooks, message: str) -> Document:
    """A message with the texts and the structure that the hooks want; the one that came in is not changed.

    Paths are those of :func:`harness.message.structure.rearranged`, and alike those of members.
    """
    if not hooks.rewrites():
        return document
    if isinstance(document, JsonDocument):
        return JsonDocument(_respelt(document.copy().value, hooks, message, ""))
    copied = document.copy()
    if not isinstance(copied, XmlDocument):
        return copied
    for element, path in places(copied.element):
        if not len(element) and element.text:
            element.text = hooks.text(element.text, message=message, path=path)
    return rearranged(copied, lambda path: hooks.structure(message=message, path=path))


def mended(data: bytes) -> bytes:
    """Bytes that are no message, read as leniently as some parsers do: without DTD, and what is missing is made up."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(data, parser)
    return b"" if root is None else etree.tostring(root, encoding="UTF-8")


def _respelt(value: JsonValue, hooks: Hooks, message: str, path: str) -> JsonValue:
    if isinstance(value, dict):
        return {name: _respelt(each, hooks, message, f"{path}/{name}".lstrip("/")) for name, each in value.items()}
    if isinstance(value, list):
        return [_respelt(each, hooks, message, path) for each in value]
    return hooks.text(value, message=message, path=path) if isinstance(value, str) else value
