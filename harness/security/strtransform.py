"""The STR transform: a signature over a reference to a token signs the token that it leads to.

Source: WS-Security SOAP Message Security 1.1.1, section 8.3.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from cryptography.x509 import Certificate
from lxml import etree

from harness.errors import MalformedInput
from harness.security.c14n import canonical
from harness.security.markup import WSSE
from harness.security.tokens import REFERENCE, X509V3, Place, dereference
from harness.security.x509 import der_of

_DEFAULT = "#default"
_NO_DEFAULT = b' xmlns=""'


def signed_token(element: etree._Element, place: Place) -> etree._Element:
    """What stands for a wsse:SecurityTokenReference when it is digested.

    That is the token in the message. A certificate that is named otherwise is put into a new token first.

    Raises:
        MalformedInput: the element is no reference (``signature/transform-misplaced``), or it leads nowhere
            (``signature/token-...``).
    """
    if element.tag != REFERENCE:
        text = f"A STR transform stands on {etree.QName(element).localname}, which is no SecurityTokenReference."
        raise MalformedInput("signature/transform-misplaced", text)
    token = dereference(element, place)
    return token.element if token.element is not None else etree.fromstring(binary_token(token.leaf, element.prefix))


def binary_token(certificate: Certificate, prefix: str | None) -> str:
    """A token as the transform makes it: no id, no encoding named, the prefix of the reference."""
    name, declared = (f"{prefix}:", f"xmlns:{prefix}") if prefix else ("", "xmlns")
    return (
        f'<{name}BinarySecurityToken {declared}="{WSSE}" ValueType="{X509V3}">'
        f"{b64encode(der_of(certificate)).decode()}</{name}BinarySecurityToken>"
    )


def token_form(token: etree._Element, *, exclusive: bool = True, prefixes: Sequence[str] = ()) -> bytes:
    """The canonical form of a token, which always says what its default namespace is, even when nothing uses it.

    Raises:
        MalformedInput: there is no such form.
    """
    form = canonical(token, exclusive=exclusive, prefixes=tuple(dict.fromkeys((*prefixes, _DEFAULT))))
    start, _, rest = form.partition(b">")
    name, space, attributes = start.partition(b" ")
    return form if b" xmlns=" in start else name + _NO_DEFAULT + space + attributes + b">" + rest
