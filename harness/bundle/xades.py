"""The statement signed once more in XML: XAdES-B-B, for those whose law or archive asks for it.

The signature is a file of its own beside the bundle. It envelops the statement, as Base64, so that any validator can
check it alone. It says who signed, with which certificate, and when; it says nothing that the statement does not say.

Ours are written in one form only. So checking is making it again from its parts, and comparing every byte; then nothing
in it needs to be interpreted. Source: ETSI EN 319 132-1, level B-B; XML Signature 1.1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from harness.bundle.statement import PAYLOAD_TYPE
from harness.errors import BundleFault, ConfigurationFault, MalformedInput, Where
from harness.message.model import Limits
from harness.message.xml import parse_xml
from harness.security.algorithm import SIGNATURES, SignatureAlgorithm, sign, verify
from harness.security.c14n import canonical
from harness.security.certificate import find_path
from harness.security.model import Identity, SecurityProfile, Trust
from harness.security.x509 import public_key_of

_NAMES = {"ds": "http://www.w3.org/2000/09/xmldsig#", "xades": "http://uri.etsi.org/01903/v1.3.2#"}
_PROFILE = SecurityProfile("xmldsig", curves=("secp256r1", "secp384r1", "secp521r1"))
_CURVES = {"secp256r1": "ecdsa-sha256", "secp384r1": "ecdsa-sha384", "secp521r1": "ecdsa-sha512"}
_LIMITS = Limits(size=64 * 1024 * 1024)
_FORM = """\
<ds:Signature xmlns:ds="{ds}" Id="signature"><ds:SignedInfo>\
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>\
<ds:SignatureMethod Algorithm="{algorithm}"/>\
<ds:Reference Id="statement-reference" URI="#statement"><ds:Transforms>\
<ds:Transform Algorithm="{ds}base64"/></ds:Transforms>\
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>{statement_digest}</ds:DigestValue>\
</ds:Reference><ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#signed-properties"><ds:Transforms>\
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>\
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>{properties_digest}</ds:DigestValue>\
</ds:Reference></ds:SignedInfo><ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
<ds:Object><xades:QualifyingProperties xmlns:xades="{xades}" Target="#signature">\
<xades:SignedProperties Id="signed-properties"><xades:SignedSignatureProperties>\
<xades:SigningTime>{time}</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>\
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>{certificate_digest}</ds:DigestValue>\
</xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>\
<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#statement-reference">\
<xades:MimeType>{kind}</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>\
</xades:SignedProperties></xades:QualifyingProperties></ds:Object>\
<ds:Object Encoding="{ds}base64" Id="statement" MimeType="{kind}">{statement}</ds:Object></ds:Signature>
"""


@dataclass(frozen=True)
class Sealing:
    """What an XML signature says.

    Parameters:
        signer: subject of its certificate.
        at: when it was made, as it claims.
    """

    signer: str
    at: datetime


def make_xades(envelope: bytes, identity: Identity, at: datetime) -> bytes:
    """Sign the statement in an envelope once more, in XML.

    Parameters:
        envelope: ``statement.dsse.json``.
        identity: who signs, RSA or ECDSA.
        at: now.
    """
    statement = base64.b64decode(json.loads(envelope)["payload"])
    certificate, moment = identity.certificate, at.astimezone(UTC).replace(microsecond=0)
    value = sign(_algorithm(certificate), identity.key, _signed_info(_filled(statement, certificate, moment, b"")))
    return _filled(statement, certificate, moment, value)


def check_xades(data: bytes, envelope: bytes, trust: Trust) -> Sealing:
    """Check an XML signature of the statement in an envelope.

    Parameters:
        data: the XML signature.
        envelope: ``statement.dsse.json``, whose own signatures are checked elsewhere.
        trust: anchors and revocation lists for the certificate, at the time that the signature claims.

    Raises:
        BundleFault: it is not valid, of another statement, or by nobody who is trusted.
    """
    statement = base64.b64decode(json.loads(envelope)["payload"])
    try:
        root = parse_xml(data, _LIMITS).element
        certificate = x509.load_der_x509_certificate(base64.b64decode(_text(root, "X509Certificate")))
        moment = datetime.fromisoformat(_text(root, "SigningTime"))
        value = base64.b64decode(_text(root, "SignatureValue"))
        algorithm, signed = _algorithm(certificate), base64.b64decode(_text(root, "Object[@Id='statement']"))
    except (MalformedInput, ValueError, binascii.Error, ConfigurationFault) as problem:
        raise BundleFault(f"the XML signature cannot be read: {problem}") from None
    if signed != statement:
        raise BundleFault("the XML signature is of another statement")
    if _filled(statement, certificate, moment, value) != data:
        raise BundleFault("the XML signature is not written the way this tool writes it: it was changed")
    key = public_key_of(certificate)
    wrong = None if key is None else verify(algorithm, key, value, _signed_info(data))
    if key is None or wrong is not None:
        raise BundleFault(f"the XML signature is not valid: {wrong.text if wrong else 'its key cannot be used'}")
    found = find_path(certificate, (), trust, moment, _PROFILE)
    if found.problems:
        raise BundleFault("the XML signature is by nobody who is trusted: " + found.problems[0].text)
    return Sealing(certificate.subject.rfc4514_string(), moment)


def _filled(statement: bytes, certificate: x509.Certificate, moment: datetime, value: bytes) -> bytes:
    der = certificate.public_bytes(Encoding.DER)
    facts = {
        **_NAMES,
        "algorithm": _algorithm(certificate).uri,
        "kind": PAYLOAD_TYPE,
        "time": moment.isoformat().replace("+00:00", "Z"),
        "certificate": _base64(der),
        "certificate_digest": _digest(der),
        "statement": _base64(statement),
        "statement_digest": _digest(statement),
        "value": _base64(value),
    }
    draft = etree.fromstring(_FORM.format(**facts, properties_digest=""), _parser())
    properties = draft.find(".//xades:SignedProperties", _NAMES)
    assert properties is not None  # noqa: S101 - it stands in the form above
    return _FORM.format(**facts, properties_digest=_digest(canonical(properties))).encode()


def _signed_info(data: bytes) -> bytes:
    element = etree.fromstring(data, _parser()).find("ds:SignedInfo", _NAMES)
    assert element is not None  # noqa: S101 - it stands in the form above
    return canonical(element)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


def _algorithm(certificate: x509.Certificate) -> SignatureAlgorithm:
    key = certificate.public_key()
    name = _CURVES.get(key.curve.name) if isinstance(key, EllipticCurvePublicKey) else "rsa-sha256"
    found = next((each for each in SIGNATURES.values() if each.name == name), None)
    if found is None:
        raise ConfigurationFault("the key of this certificate cannot sign in XML", where=Where("certificate"))
    return found


def _text(root: etree._Element, name: str) -> str:
    found = root.find(f".//{{*}}{name}")
    if found is None or not found.text:
        raise BundleFault(f"the XML signature lacks {name.partition('[')[0]}")
    return found.text


def _digest(data: bytes) -> str:
    return _base64(hashlib.sha256(data).digest())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
