"""A stand-in for official schemas: our own ones with other names, roots, namespaces and another structure.

Every element has another name, the header of a message stands in an element of its own and its content in another one,
each message has a namespace that does not name it, and files are numbered. Types and codes are the same: an
administration that uses the same data model under other names looks so.
"""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
ROOTS = Path(__file__).parents[2] / "suites" / "etir-4.3" / "schemas"
SPACE = "http://customs.example/exchange/v2"
HEADER = 6
"""So many elements of an answer are its header."""

NAMES = {
    "ID": "Identifier",
    "FunctionCode": "MessageFunction",
    "FunctionalReferenceID": "MessageReferenceNumber",
    "IssueDateTime": "PreparationDateTime",
    "DateTimeString": "Moment",
    "TypeCode": "KindCode",
    "Submitter": "MessageSender",
    "Recipient": "MessageRecipient",
    "ReferencedDocument": "RelatedMessage",
    "ReferenceID": "ReferenceNumber",
    "ObligationGuarantee": "TIRGuarantee",
    "Principal": "CarnetHolder",
    "Surety": "GuaranteeChain",
    "SecurityDetailsCode": "GuaranteeTypeCode",
    "Consignment": "GoodsShipment",
    "ConsignmentItem": "GoodsItem",
    "SequenceNumeric": "SequenceNumber",
    "RoutingCountryCode": "TransitCountry",
    "Itinerary": "Route",
    "TransportEquipment": "Container",
    "BorderTransportMeans": "Vehicle",
    "TransitOperation": "TIROperation",
    "SupervisingOffice": "CustomsOffice",
    "EffectiveDateTime": "EventDateTime",
    "CountryCode": "CountryIdentifier",
    "Packaging": "Packages",
    "QuantityQuantity": "NumberOfPackages",
    "GrossMassMeasure": "GrossMass",
    "GoodsMeasure": "Weights",
    "TotalGrossMassMeasure": "TotalGrossMass",
    "TotalPackageQuantity": "TotalNumberOfPackages",
    "GoodsItemQuantity": "NumberOfGoodsItems",
    "ValidationCode": "ErrorCode",
    "Pointer": "ErrorPointer",
    "Location": "PointerText",
    "Description": "Narrative",
    "StatementDescription": "StatementText",
    "NameCode": "StatusCode",
    "Commodity": "CommodityDetails",
    "Classification": "CommodityClassification",
    "Declaration": "CustomsDeclaration",
}


SHORT = {
    "ID": "Id",
    "FunctionCode": "Func",
    "FunctionalReferenceID": "LRN",
    "IssueDateTime": "IssuedOn",
    "DateTimeString": "Stamp",
    "TypeCode": "Type",
    "Submitter": "Sender",
    "Recipient": "Addressee",
    "ReferencedDocument": "InReplyTo",
    "ReferenceID": "RefNo",
    "ObligationGuarantee": "Carnet",
    "Principal": "Holder",
    "Surety": "Guarantor",
    "SecurityDetailsCode": "CarnetType",
    "Consignment": "Shipment",
    "ConsignmentItem": "Line",
    "SequenceNumeric": "Seq",
    "RoutingCountryCode": "Ctry",
    "Itinerary": "Leg",
    "TransportEquipment": "LoadUnit",
    "BorderTransportMeans": "Truck",
    "TransitOperation": "Op",
    "SupervisingOffice": "Office",
    "Seal": "SealNo",
    "EffectiveDateTime": "HappenedOn",
    "CountryCode": "Ctry",
    "Packaging": "Pack",
    "QuantityQuantity": "Qty",
    "GrossMassMeasure": "Kg",
    "GoodsMeasure": "Mass",
    "TotalGrossMassMeasure": "TotKg",
    "TotalPackageQuantity": "TotQty",
    "GoodsItemQuantity": "Lines",
    "ValidationCode": "Err",
    "Pointer": "Where",
    "Location": "XPath",
    "Description": "Txt",
    "StatementDescription": "Remark",
    "NameCode": "State",
    "Commodity": "Ware",
    "Classification": "Tariff",
    "Declaration": "Decl",
}
"""Other names, which say less: some places cannot be told by them."""


def new_name(name: str) -> str:
    """Name of an element in the variant."""
    return NAMES.get(name, f"{name}Data" if name in ("Control", "Status", "Amendment") else name)


def new_root(name: str) -> str:
    """Name of a root element in the variant: the action goes behind, answers are replies."""
    answer = re.sub(r"(Results|Confirmation)$", "", name)
    verb, *rest = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+", answer)
    return f"{''.join(rest)}{verb}{'Reply' if answer != name else 'Message'}"


def new_path(path: str) -> str:
    """Where a place of ours is in the variant."""
    steps = path.split("/")
    header = ("FunctionCode", "FunctionalReferenceID", "IssueDateTime", "TypeCode", "Submitter", "Recipient")
    part = "Header" if steps[0] in header else "Content"
    return "/".join([part, *(step if step.startswith("@") else new_name(step) for step in steps)])


def write_variant(folder: Path, source: Path = ROOTS) -> dict[str, str]:
    """Write the variant.

    Returns:
        the root element of each message, in Clark notation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    types = etree.parse(source / "types.xsd").getroot()
    _wrap_answers(types)
    _rename(types)
    (folder / "common.xsd").write_bytes(etree.tostring(types))
    roots: dict[str, str] = {}
    files = sorted(file for file in source.glob("*.xsd") if file.name != "types.xsd")
    for number, file in enumerate(files, 1):
        text = file.read_text("utf-8")
        namespace = f"http://customs.example/exchange/v2/{number:03}"
        text = text.replace(f"urn:c2c-harness:illustrative:etir:4.3:{file.stem}", namespace)
        text = text.replace('schemaLocation="types.xsd"', 'schemaLocation="common.xsd"')
        schema = etree.fromstring(text.encode())
        root = schema.find(f"{XS}element")
        assert root is not None
        root.set("name", new_root(root.get("name", "")))
        roots[file.stem] = f"{{{namespace}}}{root.get('name')}"
        sequence = root.find(f"{XS}complexType/{XS}sequence")
        if sequence is not None:
            _split(sequence, 1)
        for child in root.iterdescendants(f"{XS}element"):
            child.set("name", new_name(child.get("name", "")))
        (folder / f"message-{number:03}.xsd").write_bytes(etree.tostring(schema))
    return roots


def _wrap_answers(types: etree._Element) -> None:
    """The header of answers, and what follows it."""
    kinds = {kind.get("name"): kind for kind in types.iterfind(f"{XS}complexType")}
    answer = kinds["Answer"].find(f"{XS}sequence")
    assert answer is not None
    _split(answer, HEADER)
    content = answer[-1].find(f"{XS}complexType/{XS}sequence")
    assert content is not None
    for name, base in (
        ("GuaranteeAnswer", "Answer"),
        ("HolderAnswer", "Answer"),
        ("TransportAnswer", "GuaranteeAnswer"),
    ):
        own = kinds[name].find(f"{XS}complexContent/{XS}extension/{XS}sequence")
        assert own is not None
        inherited = kinds[base].find(f"{XS}sequence")
        assert inherited is not None
        body = inherited[-1].find(f"{XS}complexType/{XS}sequence")
        assert body is not None
        whole = etree.fromstring(etree.tostring(inherited))
        inner = whole[-1].find(f"{XS}complexType/{XS}sequence")
        assert inner is not None
        inner.extend(list(own))
        for child in list(kinds[name]):
            if child.tag != f"{XS}annotation":
                kinds[name].remove(child)
        kinds[name].append(whole)


def _split(sequence: etree._Element, header: int) -> None:
    """The first particles of a sequence go into ``Header``, the others into ``Content``."""
    particles = [child for child in sequence if isinstance(child.tag, str)]
    for name, part in (("Header", particles[:header]), ("Content", particles[header:])):
        element = etree.SubElement(sequence, f"{XS}element", name=name)
        inner = etree.SubElement(etree.SubElement(element, f"{XS}complexType"), f"{XS}sequence")
        inner.extend(part)


def _rename(types: etree._Element) -> None:
    for element in types.iter(f"{XS}element"):
        element.set("name", new_name(element.get("name", "")))


def write_wsdl(file: Path, pairs: dict[str, str], roots: dict[str, str]) -> None:
    """A WSDL that says which root answers which, and with which action each is sent."""
    spaces = {name: f"m{number}" for number, name in enumerate(roots)}
    declared = " ".join(f'xmlns:{spaces[name]}="{tag[1:].partition("}")[0]}"' for name, tag in roots.items())

    def part(name: str) -> str:
        return f"{spaces[name]}:{roots[name].partition('}')[2]}"

    messages = "".join(f'<message name="{name}"><part name="body" element="{part(name)}"/></message>' for name in roots)
    operations = "".join(
        f'<operation name="Op{name}"><input message="t:{name}"/><output message="t:{answer}"/></operation>'
        for name, answer in pairs.items()
    )
    actions = "".join(
        f'<operation name="Op{name}"><soap:operation soapAction="http://customs.example/exchange/v2/Op{name}"/></operation>'
        for name in pairs
    )
    file.write_text(
        f'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap12/"'
        f' xmlns:t="{SPACE}" targetNamespace="{SPACE}" {declared}>'
        f'{messages}<portType name="Exchange">{operations}</portType>'
        f'<binding name="Soap" type="t:Exchange"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{actions}</binding></definitions>",
        "utf-8",
    )
