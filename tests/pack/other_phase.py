"""Another phase of the family of our NCTS pack, as somebody else might publish it; for tests only.

Made from the schemas that we generate ourselves: other root names, an other namespace, types in several files, folders
and namespaces, one file without a namespace of its own, UTF-16, blanks in names, locations written on Windows and for
the network, substitution groups, recursion, places for anything, long code lists, elements that nobody uses, and items
that are new, gone or of another type.
"""

from __future__ import annotations

import itertools
import string
from pathlib import Path

from lxml import etree

SOURCE = Path(__file__).parents[2] / "suites" / "ncts-p5" / "schemas"
SPACE, COMMON = "http://transit.example/phase-x", "http://transit.example/common"
GONE = ("reducedDatasetIndicator", "TIRCarnetNumber")
XS = "{http://www.w3.org/2001/XMLSchema}"
HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'


def offices() -> list[str]:
    """A long code list: all offices that the samples name, and thousands of others."""
    used = ["AT000001", "CH000002", "MK000003", "DE000004", "AT000005", "SI000005", "FR000006"]
    pairs = itertools.product(string.ascii_uppercase, repeat=2)
    return used + [f"{one}{two}{number:06}" for one, two in pairs for number in range(100, 107)]


def new_root(name: str) -> str:
    """Name of a root in the other phase: CD001C is CD001D_v6."""
    return f"{name[:-1]}{chr(ord(name[-1]) + 1)}_v6"


def write_phase(folder: Path, pattern: str = "CD*") -> dict[str, str]:
    """Write the schemas of the messages that fit a pattern.

    Returns:
        the root element of each message, in Clark notation.
    """
    messages, types = folder / "messages v6", folder / "common types"
    messages.mkdir(parents=True)
    types.mkdir()
    _write_types(types)
    roots = {}
    for file in sorted(SOURCE.glob(f"{pattern}.xsd")):
        schema = etree.fromstring(file.read_bytes())
        roots[file.stem] = f"{{{SPACE}}}{new_root(file.stem)}"
        _change(schema, file.stem)
        text = etree.tostring(schema, encoding="unicode").replace("http://ncts.dgtaxud.ec", SPACE)
        encoding = ("utf-8", "utf-16", "utf-8-sig")[len(roots) % 3]
        target = messages / f"{new_root(file.stem)} message.xsd"
        target.write_bytes(f'<?xml version="1.0" encoding="{encoding[:6].rstrip("-")}"?>\n{text}'.encode(encoding))
    (messages / "all.xsd").write_text(_wrapper(roots), "utf-8")
    return roots


def _change(schema: etree._Element, name: str) -> None:
    """One message of the other phase."""
    include = schema.find(f"{XS}include")
    assert include is not None
    include.set("schemaLocation", "..\\common%20types\\formats.xsd")
    imported = etree.Element(f"{XS}import", namespace=COMMON)
    include.addnext(imported)
    if len(name) % 2:
        imported.set("schemaLocation", "http://transit.example/schemas/common.xsd")
    root = schema.find(f"{XS}element")
    assert root is not None
    root.set("name", new_root(name))
    for element in list(root.iter(f"{XS}element")):
        if element.get("name") in GONE:
            element.getparent().remove(element)
        elif element.get("type") == "AN8" and element.get("name") == "referenceNumber":
            element.set("type", "Office")
        elif element.get("type") == "Flag":
            element.set("type", "xs:boolean")
    sequence = root.find(f"{XS}complexType/{XS}sequence")
    assert sequence is not None
    space = {"c": COMMON}
    sequence.append(etree.Element(f"{XS}element", ref="c:Remark", minOccurs="0", nsmap=space))
    sequence.append(etree.Element(f"{XS}element", ref="c:Note", minOccurs="0", nsmap=space))
    anything = {"namespace": "http://extension.example", "processContents": "lax", "minOccurs": "0"}
    sequence.append(etree.Element(f"{XS}any", anything))


def _write_types(folder: Path) -> None:
    """The types: a chameleon with the simple ones, our namespace around it, and a namespace of its own beside it."""
    simple = etree.fromstring((SOURCE / "formats.xsd").read_bytes())
    del simple.attrib["targetNamespace"]
    text = etree.tostring(simple, encoding="unicode").replace(' xmlns="http://ncts.dgtaxud.ec"', "")
    values = "".join(f'<xs:enumeration value="{office}"/>' for office in offices())
    long = f'<xs:simpleType name="Office"><xs:restriction base="xs:token">{values}</xs:restriction></xs:simpleType>'
    text = text.replace("</xs:schema>", f"{long}</xs:schema>")
    (folder / "simple formats.xsd").write_bytes(f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16"))
    (folder / "formats.xsd").write_text(
        f'{HEAD} targetNamespace="{SPACE}"><xs:include schemaLocation="simple%20formats.xsd"/>'
        '<xs:element name="NobodyUsesThis"><xs:complexType><xs:sequence><xs:element name="a" type="xs:string"/>'
        "</xs:sequence></xs:complexType></xs:element></xs:schema>"
    )
    (folder / "common.xsd").write_text(
        f'{HEAD} xmlns="{COMMON}" targetNamespace="{COMMON}"><xs:include schemaLocation="simple formats.xsd"/>'
        '<xs:element name="Remark" abstract="true"/>'
        '<xs:element name="TextRemark" substitutionGroup="Remark" type="AN512max"/>'
        '<xs:element name="CodedRemark" substitutionGroup="Remark"><xs:complexType><xs:sequence>'
        '<xs:element name="code" type="AN2"/></xs:sequence></xs:complexType></xs:element>'
        '<xs:element name="Note" type="NoteType"/><xs:complexType name="NoteType"><xs:sequence>'
        '<xs:element name="text" type="AN35max"/><xs:element ref="Note" minOccurs="0" maxOccurs="9"/>'
        "</xs:sequence></xs:complexType></xs:schema>"
    )


def _wrapper(roots: dict[str, str]) -> str:
    """A file that puts all messages into one element, so that each is inside another."""
    names = [tag.rpartition("}")[2] for tag in roots.values()]
    includes = "".join(f'<xs:include schemaLocation="{name}%20message.xsd"/>' for name in names)
    choice = "".join(f'<xs:element ref="{name}"/>' for name in names)
    return (
        f'{HEAD} xmlns="{SPACE}" targetNamespace="{SPACE}">{includes}<xs:element name="AnyMessage"><xs:complexType>'
        f"<xs:choice>{choice}</xs:choice></xs:complexType></xs:element></xs:schema>"
    )


def write_wsdl(file: Path, roots: dict[str, str], pairs: dict[str, str]) -> None:
    """A WSDL with two services whose operations have the same names and other actions."""
    parts = "".join(
        f'<message name="{name}"><part name="body" element="m:{tag.rpartition("}")[2]}"/></message>'
        for name, tag in roots.items()
    )
    ports, bindings, services = "", "", ""
    for number, pair in enumerate(pairs.items(), 1):
        ask, answer = pair
        ports += (
            f'<portType name="Port{number}"><operation name="Send"><input message="t:{ask}"/>'
            f'<output message="t:{answer}"/></operation></portType>'
        )
        bindings += (
            f'<binding name="Binding{number}" type="t:Port{number}"><soap:binding transport="x"/>'
            f'<operation name="Send"><soap:operation soapAction="urn:send:{number}"/></operation></binding>'
        )
        services += (
            f'<service name="Service{number}"><port name="P" binding="t:Binding{number}">'
            f'<soap:address location="https://x.example/{number}"/></port></service>'
        )
    file.write_text(
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap12/"'
        f' xmlns:m="{SPACE}" xmlns:t="urn:t" targetNamespace="urn:t">{parts}{ports}{bindings}{services}</definitions>',
        "utf-8",
    )
