"""Defects of messages and envelopes: each one makes one right message wrong in one precise way.

A *document* defect changes the payload before it is protected: its signature is right, only the message is wrong. A
*bytes* defect changes the finished message, last of all. Where a signature covers what is changed, it breaks too;
a receiver that looks at the structure first, as it should, does not get that far.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lxml import etree

from harness.errors import ConfigurationFault
from harness.message.edit import read_edit
from harness.message.envelope import NAMESPACES, open_envelope
from harness.message.json import JsonDocument
from harness.message.model import Document
from harness.message.xml import XmlDocument, parse_xml

_DECLARATION = re.compile(rb"\s*<\?xml\s.*?\?>\s*", re.DOTALL)


@dataclass(frozen=True)
class MessageDefect:
    """A way to make a message wrong.

    Parameters:
        name: ``message/...`` or ``envelope/...``.
        text: what is wrong, in one sentence.
        applies: the formats it can be put into.
        stage: what *apply* takes and gives back: the payload, or the finished bytes.
        apply: the function; it changes nothing in place.
        problems: everything that our own reading reports for it: ``malformed/...`` and ``structure/...`` of the parser,
            ``signature/...`` where it breaks too, ``envelope/unknown-message``, ``schema/<kind of violation>``. What
            an edit breaks only the schema can say.
    """

    name: str
    text: str
    applies: frozenset[str]
    stage: Literal["document", "bytes"]
    apply: Callable[[Any], Any]
    problems: tuple[str, ...] = ()


def _doctype(data: bytes) -> bytes:
    start = _after_declaration(data)
    return data[:start] + b'<!DOCTYPE message [<!ENTITY note "text">]>' + data[start:]


def _after_declaration(data: bytes) -> int:
    match = _DECLARATION.match(data)
    return match.end() if match else 0


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _wrong_encoding(data: bytes) -> bytes:
    if not data.lstrip().startswith(b"<"):
        return data.decode().encode("utf-16")
    content = data[_after_declaration(data) :].decode()
    text = f'<?xml version="1.0" encoding="UTF-8"?><!-- caf\u00e9 -->{content}'
    return text.encode("iso-8859-1", errors="xmlcharrefreplace")


def _empty(data: bytes) -> bytes:  # noqa: ARG001
    return b""


def _wrong_root(document: Document) -> XmlDocument:
    renamed = _xml(document)
    name = etree.QName(renamed.element)
    renamed.element.tag = etree.QName(name.namespace, f"{name.localname}X")
    return renamed


def _unexpected_element(document: Document) -> Document:
    if isinstance(document, JsonDocument):
        members = document.copy().value
        if not isinstance(members, dict):
            raise ConfigurationFault("an unexpected member needs a JSON object", remedy="Choose another defect.")
        return JsonDocument({"unexpected": "text", **members})
    extended = _xml(document)
    extended.element.insert(0, etree.Element("{urn:example:unexpected}Unexpected"))
    return extended


def _xml(document: Document) -> XmlDocument:
    if not isinstance(document, XmlDocument):
        raise ConfigurationFault("this defect is one of XML messages", remedy="Choose another defect.")
    return document.copy()


def _second_body(data: bytes) -> bytes:
    tree, body = _opened(data)
    second = etree.SubElement(tree, body.tag)
    second.extend(copy.deepcopy(payload) for payload in body)
    return _finished(tree)


def _no_body(data: bytes) -> bytes:
    tree, body = _opened(data)
    tree.remove(body)
    return _finished(tree)


def _body_missing_payload(data: bytes) -> bytes:
    tree, body = _opened(data)
    del body[:]
    body.text = None
    return _finished(tree)


def _wrong_soap_version(data: bytes) -> bytes:
    found = open_envelope(data).soap
    other = next(version for version in NAMESPACES if version != found)
    return data.replace(NAMESPACES[found].encode(), NAMESPACES[other].encode())


def _opened(data: bytes) -> tuple[etree._Element, etree._Element]:
    """The root and the Body of a right envelope."""
    tree = parse_xml(data).element
    return tree, tree[-1]


def _finished(tree: etree._Element) -> bytes:
    return etree.tostring(tree, encoding="UTF-8", xml_declaration=True)


_XML, _BOTH = frozenset({"xml"}), frozenset({"xml", "json"})


DEFECTS: Mapping[str, MessageDefect] = {
    defect.name: defect
    for defect in (
        MessageDefect(
            "message/doctype",
            "The message has a document type declaration.",
            _XML,
            "bytes",
            _doctype,
            ("malformed/doctype",),
        ),
        MessageDefect(
            "message/not-well-formed",
            "The message is cut off in the middle.",
            _BOTH,
            "bytes",
            _cut,
            ("malformed/not-well-formed",),
        ),
        MessageDefect(
            "message/wrong-encoding",
            "The bytes are not in the encoding that is declared: ISO 8859-1 in place of UTF-8 (JSON: UTF-16).",
            _BOTH,
            "bytes",
            _wrong_encoding,
            ("malformed/encoding",),
        ),
        MessageDefect(
            "message/empty",
            "There is no message: the body has no bytes.",
            _BOTH,
            "bytes",
            _empty,
            ("malformed/not-well-formed",),
        ),
        MessageDefect(
            "message/wrong-root",
            "The root element has a name that is none.",
            _XML,
            "document",
            _wrong_root,
            ("envelope/unknown-message",),
        ),
        MessageDefect(
            "message/unexpected-element",
            "An element that the schema does not know stands first in the message.",
            _BOTH,
            "document",
            _unexpected_element,
            ("schema/unexpected",),
        ),
        MessageDefect(
            "envelope/second-body",
            "A second Body, with a copy of the payload, follows the first.",
            _XML,
            "bytes",
            _second_body,
            ("structure/second-body",),
        ),
        MessageDefect(
            "envelope/no-body",
            "The envelope has no Body.",
            _XML,
            "bytes",
            _no_body,
            ("structure/no-body", "signature/reference-unresolved"),
        ),
        MessageDefect(
            "envelope/body-missing-payload",
            "The Body is empty.",
            _XML,
            "bytes",
            _body_missing_payload,
            ("structure/no-payload", "signature/digest-mismatch"),
        ),
        MessageDefect(
            "envelope/wrong-soap-version",
            "The envelope is of the other SOAP version than the one that is due.",
            _XML,
            "bytes",
            _wrong_soap_version,
            ("structure/soap-version", "signature/digest-mismatch"),
        ),
    )
}
"""Every defect of this room, by name."""


def message_defect(name: str) -> MessageDefect | None:
    """The defect of that name: one of :data:`DEFECTS`, or an edit; ``None`` when it is neither.

    Raises:
        ConfigurationFault: the place of an edit is not in the path dialect.
    """
    edit = read_edit(name)
    if edit is None:
        return DEFECTS.get(name)
    text = f"The message was changed: {edit.action} at {edit.place}."
    return MessageDefect(name, text, _BOTH, "document", edit.apply)
