"""Tokens of all kinds, as we write them.

Sources: as for :mod:`harness.security.tokens`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import NamedTuple
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurveOID, EllipticCurvePublicKey, get_curve_for_oid
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate

from harness.security.algorithm import DS, DS_11
from harness.security.markup import WSSE11
from harness.security.model import Identity
from harness.security.pkipath import write_pki_path
from harness.security.tokens import BASE64, PKIPATH, SKI, THUMBPRINT, X509V3, key_identifier, thumbprint
from harness.security.x509 import der_of, text_of


class Written(NamedTuple):
    """A token in text.

    Parameters:
        token: what stands in the Security header; empty when the signature names its certificate otherwise.
        reference: what stands in the wsse:SecurityTokenReference of the signature.
        attributes: of that element; the Basic Security Profile 1.1 wants it to tell the type of a path.
        direct: whether *reference* stands in the ds:KeyInfo itself.
    """

    token: str
    reference: str
    attributes: str = ""
    direct: bool = False


def write_token(kind: str, identity: Identity, token_id: str, attribute: str = "wsu:Id") -> Written:
    """Write the token of a signature; prefixes ``wsse`` and ``wsu`` are declared around it.

    Parameters:
        kind: one of :data:`harness.security.tokens.TOKENS`.
        identity: whose certificate is named.
        token_id: id of a token in the header.
        attribute: that holds it.
    """
    written = _WRITERS[kind](identity, token_id)
    return written._replace(token=written.token.replace("wsu:Id=", f"{attribute}=", 1))


def _x509v3(identity: Identity, token_id: str) -> Written:
    return _in_header(X509V3, text_of(identity.certificate), token_id)


def _pkipath(identity: Identity, token_id: str) -> Written:
    path = write_pki_path((*reversed(identity.chain), identity.certificate))
    told = f' xmlns:wsse11="{WSSE11}" wsse11:TokenType="{PKIPATH}"'
    return _in_header(PKIPATH, _text(path), token_id)._replace(attributes=told)


def _in_header(kind: str, text: str, token_id: str) -> Written:
    return Written(
        f'<wsse:BinarySecurityToken EncodingType="{BASE64}" ValueType="{kind}" wsu:Id="{token_id}">'
        f"{text}</wsse:BinarySecurityToken>",
        f'<wsse:Reference URI="#{token_id}" ValueType="{kind}"/>',
    )


def _identifier(kind: str, value: Callable[[Certificate], bytes]) -> Callable[[Identity, str], Written]:
    return lambda identity, _token_id: Written(
        "",
        f'<wsse:KeyIdentifier EncodingType="{BASE64}" ValueType="{kind}">'
        f"{_text(value(identity.certificate))}</wsse:KeyIdentifier>",
    )


def _issuer_serial(identity: Identity, _token_id: str) -> Written:
    return Written("", f'<ds:X509Data xmlns:ds="{DS}">{_issuer_and_serial(identity)}</ds:X509Data>')


def _x509_data(identity: Identity, _token_id: str) -> Written:
    carried = f"<ds:X509Certificate>{_text(der_of(identity.certificate))}</ds:X509Certificate>"
    return Written("", f'<ds:X509Data xmlns:ds="{DS}">{_issuer_and_serial(identity)}{carried}</ds:X509Data>')


def _issuer_and_serial(identity: Identity) -> str:
    certificate = identity.certificate
    return (
        f"<ds:X509IssuerSerial><ds:X509IssuerName>{escape(certificate.issuer.rfc4514_string())}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{certificate.serial_number}</ds:X509SerialNumber></ds:X509IssuerSerial>"
    )


def _number(number: int) -> str:
    return _text(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _bare_key(identity: Identity, _token_id: str) -> Written:
    """The key alone: nothing says whose it is, and that is a defect."""
    key = identity.certificate.public_key()
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        modulus, exponent = (_number(each) for each in (numbers.n, numbers.e))
        parts = f"<ds:Modulus>{modulus}</ds:Modulus><ds:Exponent>{exponent}</ds:Exponent>"
        value = f"<ds:RSAKeyValue>{parts}</ds:RSAKeyValue>"
    else:
        curve = _CURVES[key.curve.name] if isinstance(key, EllipticCurvePublicKey) else ""
        point = _text(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        value = (
            f'<dsig11:ECKeyValue xmlns:dsig11="{DS_11}"><dsig11:NamedCurve URI="urn:oid:{curve}"></dsig11:NamedCurve>'
            f"<dsig11:PublicKey>{point}</dsig11:PublicKey></dsig11:ECKeyValue>"
        )
    return Written("", f"<ds:KeyValue>{value}</ds:KeyValue>", direct=True)


_CURVES = {
    get_curve_for_oid(oid)().name: oid.dotted_string
    for oid in (EllipticCurveOID.SECP256R1, EllipticCurveOID.SECP384R1, EllipticCurveOID.SECP521R1)
}

_WRITERS: Mapping[str, Callable[[Identity, str], Written]] = {
    "x509v3": _x509v3,
    "pkipath": _pkipath,
    "ski": _identifier(SKI, key_identifier),
    "thumbprint": _identifier(THUMBPRINT, thumbprint),
    "x509v3-identifier": _identifier(X509V3, der_of),
    "issuer-serial": _issuer_serial,
    "x509-data": _x509_data,
    "bare-key": _bare_key,
}
