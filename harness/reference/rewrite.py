"""What a party sends, once more as it would be sent by a worse or only different program."""

from __future__ import annotations

from lxml import etree

from harness.message.json import JsonDocument, JsonValue
from harness.message.model import Document
from harness.message.xml import XmlDocument
from harness.reference.hooks import Hooks


def rewritten(document: Document, hooks: Hooks, message: str) -> Document:
    """A message with the texts and the structure that the hooks want; the one that came in is not changed.

    A path is that of the elements or members below the root, without indices; ``/`` is the root.
    """
    if not hooks.rewrites():
        return document
    if isinstance(document, JsonDocument):
        return JsonDocument(_respelt(document.copy().value, hooks, message, ""))
    copied = document.copy()
    if not isinstance(copied, XmlDocument):
        return copied
    root = copied.element
    for element, path in [(each, _path(each, root)) for each in root.iter(etree.Element)]:
        if not len(element) and element.text:
            element.text = hooks.text(element.text, message=message, path=path)
    for element, path in [(each, _path(each, root)) for each in root.iter(etree.Element)]:
        rearrange = hooks.structure(message=message, path=path)
        made = rearrange(element) if rearrange is not None else None
        parent = element.getparent()
        if made is not None and parent is not None:
            parent.replace(element, made)
        elif made is not None:
            root = made
    return XmlDocument(root)


def mended(data: bytes) -> bytes:
    """Bytes that are no message, read as leniently as some parsers do: without DTD, and what is missing is made up."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(data, parser)
    return b"" if root is None else etree.tostring(root, encoding="UTF-8")


def _path(element: etree._Element, root: etree._Element) -> str:
    names: list[str] = []
    each: etree._Element | None = element
    while each is not None and each is not root:
        names.insert(0, etree.QName(each).localname)
        each = each.getparent()
    return "/".join(names) or "/"


def _respelt(value: JsonValue, hooks: Hooks, message: str, path: str) -> JsonValue:
    if isinstance(value, dict):
        return {name: _respelt(each, hooks, message, f"{path}/{name}".lstrip("/")) for name, each in value.items()}
    if isinstance(value, list):
        return [_respelt(each, hooks, message, path) for each in value]
    return hooks.text(value, message=message, path=path) if isinstance(value, str) else value
