"""What a gateway, a library or a file transfer does to a message after it was signed: wrongly, or quite legally.

Each takes the finished bytes and gives back others. What it cannot find it leaves alone.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping

from lxml import etree

from harness.message.defect import DEFECTS

Handling = Callable[[bytes], bytes]

_DECLARATION = re.compile(rb"\s*<\?xml\s.*?\?>\s*", re.DOTALL)
_SECURITY = re.compile(
    rb"(<wsse:Security [^>]*>)(<wsse:BinarySecurityToken.*?</wsse:BinarySecurityToken>)"
    rb"(<wsu:Timestamp.*?</wsu:Timestamp>)(<ds:Signature .*?</ds:Signature>)",
    re.DOTALL,
)
_BODY = re.compile(rb"(<env:Body [^>]*>)(.*)(</env:Body>)", re.DOTALL)
_BETWEEN = re.compile(rb">\s*<")


def _declared(declaration: bytes) -> Handling:
    """With another XML declaration, or none."""
    return lambda data: declaration + _DECLARATION.sub(b"", data, count=1)


def _recoded(encoding: str, mark: bytes = b"") -> Handling:
    """In another encoding, which the XML declaration names."""

    def handle(data: bytes) -> bytes:
        text = _DECLARATION.sub(b"", data, count=1).decode()
        declaration = f'<?xml version="1.0" encoding="{encoding.removesuffix("-le").upper()}"?>'
        return mark + (declaration + text).encode(encoding, "xmlcharrefreplace")

    return handle


def _in_body(pattern: re.Pattern[bytes], by: bytes) -> Handling:
    return lambda data: _BODY.sub(lambda body: body[1] + pattern.sub(by, body[2]) + body[3], data)


def _header(*order: int) -> Handling:
    """Token, time stamp and signature, which are 2, 3 and 4, in another order."""
    return lambda data: _SECURITY.sub(lambda found: found[1] + b"".join(found[n] for n in order), data)


def _around(before: bytes, after: bytes) -> Handling:
    def handle(data: bytes) -> bytes:
        head = _DECLARATION.match(data)
        start = head.end() if head else 0
        return data[:start] + before + data[start:] + after

    return handle


def _serialised_again(data: bytes) -> bytes:
    """Parsed and written by a library: other quotes, empty elements in the short form; the content is the same."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, strip_cdata=False)
    return etree.tostring(etree.fromstring(data, parser), encoding="UTF-8", xml_declaration=True)


def _numeric(data: bytes) -> bytes:
    """Every letter beyond ASCII as a character reference."""
    return data.decode().encode("ascii", "xmlcharrefreplace")


def _another_block(data: bytes) -> bytes:
    block = b'<wsa:MessageID xmlns:wsa="http://www.w3.org/2005/08/addressing">urn:uuid:1</wsa:MessageID>'
    return data.replace(b"<env:Header>", b"<env:Header>" + block, 1)


HANDLINGS: Mapping[str, Handling] = {
    "indented": _in_body(_BETWEEN, b">\n    <"),
    "one-line": _in_body(_BETWEEN, b"><"),
    "prefix-rewritten": lambda data: (
        data.replace(b"<env:", b"<soap:")
        .replace(b"</env:", b"</soap:")
        .replace(b"xmlns:env=", b"xmlns:soap=")
        .replace(b" env:", b" soap:")
    ),
    "defaults-removed": lambda data: re.sub(rb' (formatCode|unitCode)="[^"]*"', b"", data),
    "entities": lambda data: data.replace("\u00ab".encode(), b"&laquo;").replace(b"Silk", b"S&iacute;lk"),
    "wrong-encoding": DEFECTS["message/wrong-encoding"].apply,
    "cut": DEFECTS["message/not-well-formed"].apply,
    "second-body": DEFECTS["envelope/second-body"].apply,
    "other-soap": DEFECTS["envelope/wrong-soap-version"].apply,
    "bare": lambda data: (_BODY.search(data) or re.compile(rb"()(.*)", re.DOTALL).match(data) or [b"", b"", data])[2],
    "bom": lambda data: codecs.BOM_UTF8 + data,
    "utf-16": _recoded("utf-16-le", codecs.BOM_UTF16_LE),
    "iso-8859-1": _recoded("iso-8859-1"),
    "no-declaration": _declared(b""),
    "other-declaration": _declared(b"<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n\n"),
    "remarks-outside": _around(b"<!-- sent by a gateway --><?gateway one?>", b"\n<!-- end -->\n"),
    "serialised-again": _serialised_again,
    "numeric": _numeric,
    "another-block": _another_block,
    "timestamp-first": _header(3, 2, 4),
    "signature-first": _header(4, 2, 3),
    "token-last": _header(3, 4, 2),
    "spaced-header": lambda data: data.replace(b"<env:Header><", b"<env:Header>\n  <").replace(
        b"></env:Header>", b">\n</env:Header>\n"
    ),
}
"""Every handling by name."""
