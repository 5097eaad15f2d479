"""What a WSDL says of messages: which root is sent with which SOAP action, and which root answers it (WSDL 1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from harness.errors import ConfigurationFault, MalformedInput, Where
from harness.message.xml import parse_xml

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_SOAP = ("{http://schemas.xmlsoap.org/wsdl/soap12/}", "{http://schemas.xmlsoap.org/wsdl/soap/}")
_XS = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True)
class Operation:
    """One operation: root elements in Clark notation.

    Parameters:
        name: its name.
        request, answer: the roots; ``None`` where there is none.
        action: SOAP action, ``None`` where none is given.
    """

    name: str
    request: str | None
    answer: str | None
    action: str | None


@dataclass(frozen=True)
class Service:
    """What a WSDL file says.

    Parameters:
        operations: in the order of the file.
        soap: ``1.2``, ``1.1`` or ``None``.
        addresses: endpoints.
        schemas: the schemas that are written in it and declare an element.
    """

    operations: tuple[Operation, ...]
    soap: str | None
    addresses: tuple[str, ...]
    schemas: tuple[bytes, ...]


def read_wsdl(file: Path) -> Service:
    """Read a WSDL 1.1 file.

    Raises:
        ConfigurationFault: it is no XML, or no WSDL 1.1.
    """
    try:
        root = parse_xml(file.read_bytes()).element
    except MalformedInput as error:
        what = error.what.replace("the message", "the WSDL", 1)
        raise ConfigurationFault(what, where=Where(file, error.line), expected="a WSDL without DTD") from None
    if root.tag != f"{_WSDL}definitions":
        raise ConfigurationFault("this is no WSDL 1.1", where=Where(file, 1), expected=f"the root {_WSDL}definitions")
    elements = {
        message.get("name", ""): _qualified(part, part.get("element", ""))
        for message in root.iterfind(f"{_WSDL}message")
        for part in message.iterfind(f"{_WSDL}part")
        if part.get("element")
    }
    actions = {
        (binding.get("type", "").rpartition(":")[2], operation.get("name", "")): soap.get("soapAction")
        for binding in root.iterfind(f"{_WSDL}binding")
        for operation in binding.iterfind(f"{_WSDL}operation")
        for soap in _soap(operation, "operation")
    }
    return Service(
        tuple(
            Operation(
                name := operation.get("name", ""),
                _root(operation, "input", elements),
                _root(operation, "output", elements),
                actions.get((port.get("name", ""), name)) or None,
            )
            for port in root.iterfind(f"{_WSDL}portType")
            for operation in port.iterfind(f"{_WSDL}operation")
        ),
        next(
            (
                version
                for tag, version in zip(_SOAP, ("1.2", "1.1"), strict=True)
                if next(root.iter(f"{tag}binding"), None) is not None
            ),
            None,
        ),
        tuple(
            address.get("location", "")
            for port in root.iterfind(f"{_WSDL}service/{_WSDL}port")
            for address in _soap(port, "address")
        ),
        tuple(
            etree.tostring(schema, encoding="UTF-8")
            for schema in root.iterfind(f"{_WSDL}types/{_XS}schema")
            if schema.find(f"{_XS}element") is not None
        ),
    )


def _soap(node: etree._Element, name: str) -> Iterator[etree._Element]:
    for namespace in _SOAP:
        yield from node.iterfind(f"{namespace}{name}")


def _root(operation: etree._Element, end: str, elements: dict[str, str]) -> str | None:
    found = operation.find(f"{_WSDL}{end}")
    return None if found is None else elements.get(found.get("message", "").rpartition(":")[2])


def _qualified(node: etree._Element, name: str) -> str:
    prefix, _, local = name.rpartition(":")
    namespace = node.nsmap.get(prefix or None)
    return f"{{{namespace}}}{local}" if namespace else local
