"""SOAP envelopes, 1.2 and 1.1: putting a payload in, taking it out, and faults.

An envelope that can be read is read, even when its structure is wrong: what is wrong stands in
:attr:`Envelope.problems`, because whoever verifies the signature must say it beside everything else.

Sources: SOAP 1.2 part 1, section 5; SOAP 1.1, section 4; WS-I Basic Profile 1.1, R1011 (nothing after the Body).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from xml.sax.saxutils import escape

from lxml import etree

from harness.errors import ConfigurationFault, MalformedInput
from harness.message.model import DEFAULT_LIMITS, Document, Limits
from harness.message.xml import XmlDocument, parse_xml

NAMESPACES = {
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
}
"""SOAP version to the namespace of its envelope."""

_PARTS = {
    version: tuple(f"{{{namespace}}}{name}" for name in ("Header", "Body", "Fault"))
    for version, namespace in NAMESPACES.items()
}
_VERSIONS = {f"{{{namespace}}}Envelope": version for version, namespace in NAMESPACES.items()}
_CODE_IN_1_1 = {"Sender": "Client", "Receiver": "Server"}
_CODE_IN_1_2 = {old: new for new, old in _CODE_IN_1_1.items()}
_FAULT = {
    "1.2": "<env:Fault><env:Code><env:Value>env:{code}</env:Value></env:Code>"
    '<env:Reason><env:Text xml:lang="en">{text}</env:Text></env:Reason></env:Fault>',
    "1.1": "<env:Fault><faultcode>env:{code}</faultcode><faultstring>{text}</faultstring></env:Fault>",
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class SoapFault:
    """A SOAP fault.

    Parameters:
        code: local name in the words of SOAP 1.2 (``Sender``, ``Receiver``, ``VersionMismatch``, ...), whatever the
            version on the wire.
        text: the reason.
    """

    code: str
    text: str


class Envelope(NamedTuple):
    """An opened envelope; every element in it belongs to one tree.

    Parameters:
        soap: version that was found: ``1.2`` or ``1.1``.
        tree: the root element.
        header: the first Header, ``None`` when there is none.
        body: the payload: the first element in the first Body; ``None`` when there is none, or a fault.
        fault: the fault in place of a payload.
        problems: code and sentence for each break of the structure, codes ``structure/...``.
    """

    soap: str
    tree: etree._Element
    header: etree._Element | None
    body: XmlDocument | None
    fault: SoapFault | None
    problems: tuple[tuple[str, str], ...] = ()


def wrap(body: Document, soap: str) -> bytes:
    """Put a payload into an envelope with an empty Header.

    The payload is put in as text: it keeps its own namespace declarations and prefixes, so that its digest does not
    depend on the envelope.
    """
    return _envelope(soap, body.to_bytes())


def make_fault(soap: str, code: str, text: str) -> bytes:
    """Make an envelope with a fault.

    Parameters:
        soap: ``1.2`` or ``1.1``.
        code: in the words of SOAP 1.2: ``Sender``, ``Receiver``, ...
        text: the reason; characters that XML forbids become ``?``.
    """
    local = _CODE_IN_1_1.get(code, code) if soap == "1.1" else code
    reason = escape(_NOT_XML.sub("?", text))
    template = _FAULT["1.1" if soap == "1.1" else "1.2"]
    return _envelope(soap, template.format(code=local, text=reason).encode())


def _envelope(soap: str, content: bytes) -> bytes:
    if soap not in NAMESPACES:
        raise ConfigurationFault(f"there is no SOAP {soap!r}", expected="1.2 or 1.1")
    opening = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="{NAMESPACES[soap]}"><env:Header/><env:Body>'
    )
    return opening.encode() + content + b"</env:Body></env:Envelope>"


def open_envelope(data: bytes, soap: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Envelope:
    """Parse an envelope, once.

    Parameters:
        data: the message.
        soap: the version that is due; another one is a problem. ``None`` takes either.
        limits: bounds of the parser.

    Raises:
        MalformedInput: as :func:`harness.message.xml.parse_xml`, or ``not-soap``.
    """
    tree = parse_xml(data, limits).element
    version = _VERSIONS.get(str(tree.tag))
    if version is None:
        raise MalformedInput("not-soap", f"the root {str(tree.tag)[:120]} is not a SOAP envelope", line=tree.sourceline)
    header, body, fault_name = _PARTS[version]
    parts = [part for part in tree[:] if isinstance(part.tag, str)]
    headers = [part for part in parts if part.tag == header]
    bodies = [part for part in parts if part.tag == body]
    payloads = [part for part in bodies[0][:] if isinstance(part.tag, str)] if bodies else []
    problems = [*_version_problems(version, soap), *_structure_problems(parts, headers, bodies, payloads)]
    payload = XmlDocument(payloads[0]) if payloads else None
    fault = _read_fault(payload) if payload and payload.root == fault_name else None
    return Envelope(
        soap=version,
        tree=tree,
        header=headers[0] if headers else None,
        body=None if fault else payload,
        fault=fault,
        problems=tuple(problems),
    )


def _version_problems(found: str, due: str | None) -> Iterator[tuple[str, str]]:
    if due is not None and found != due:
        yield "structure/soap-version", f"The envelope is SOAP {found}, and SOAP {due} is due."


def _structure_problems(
    parts: list[etree._Element],
    headers: list[etree._Element],
    bodies: list[etree._Element],
    payloads: list[etree._Element],
) -> Iterator[tuple[str, str]]:
    if len(headers) > 1:
        yield "structure/second-header", f"The envelope has {len(headers)} Header elements."
    if len(parts) > len(headers) + len(bodies):
        yield "structure/foreign-element", "The envelope has a child that is neither Header nor Body."
    if not bodies:
        yield "structure/no-body", "The envelope has no Body."
        return
    if len(bodies) > 1:
        yield "structure/second-body", f"The envelope has {len(bodies)} Body elements."
    if parts[-1] not in bodies:
        yield "structure/body-not-last", "The Body is not the last child of the envelope."
    if not payloads:
        yield "structure/no-payload", "The Body is empty."
    if len(payloads) > 1:
        yield "structure/second-payload", f"The Body has {len(payloads)} child elements, and one is due."


def _read_fault(fault: XmlDocument) -> SoapFault:
    """SOAP 1.2 names Code/Value and Reason/Text, SOAP 1.1 faultcode (``Client.Detail``) and faultstring."""
    code = (fault.texts("Code/Value") + fault.texts("faultcode") + [""])[0]
    text = (fault.texts("Reason/Text") + fault.texts("faultstring") + [""])[0]
    local = code.strip().rpartition(":")[2].partition(".")[0]
    return SoapFault(_CODE_IN_1_2.get(local, local), text.strip())
