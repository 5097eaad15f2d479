"""XML signatures as they stand: their parts, read and bounded, nothing judged yet.

Source: XML Signature 1.1, sections 4.3 and 4.4 (structure, references).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lxml import etree

from harness.errors import MalformedInput
from harness.security.algorithm import C14N, CANONICALISATIONS, DIGESTS, DS, DS_2007, EXC_C14N, STR_TRANSFORM, XENC
from harness.security.markup import WSSE, children_of, decode, first_child, local_name, path_of, text_of

MOST_REFERENCES = 30
MOST_TRANSFORMS = 5
_PREFIX_LIST = f"{{{EXC_C14N}}}InclusiveNamespaces"
_TOKEN_METHOD = f"{{{WSSE}}}TransformationParameters/{{{DS}}}CanonicalizationMethod"


class Transform(NamedTuple):
    """A canonicalisation or another step from an element to bytes.

    Parameters:
        uri: its algorithm.
        prefixes: PrefixList of an exclusive canonicalisation.
        of_token: whether it canonicalises the token that a reference leads to: it was in a STR transform.
    """

    uri: str
    prefixes: tuple[str, ...] = ()
    of_token: bool = False


class Reference(NamedTuple):
    """One ds:Reference as it stands.

    Parameters:
        element: where it stands.
        uri: what it points at.
        transforms: in order.
        digest: URI of the digest.
        value: the digest value.
    """

    element: etree._Element
    uri: str | None
    transforms: tuple[Transform, ...]
    digest: str
    value: bytes

    @property
    def target(self) -> str:
        """The id that it names, ``""`` when it names none."""
        return self.uri[1:] if self.uri is not None and self.uri.startswith("#") else ""

    @property
    def place(self) -> str:
        """Its path in the message."""
        return path_of(self.element)

    @property
    def canonicalisation(self) -> Transform:
        """The step that makes bytes; Canonical XML when none is named (XML Signature 1.1, section 4.4.3.2)."""
        named = bool(self.transforms) and self.transforms[-1].uri in CANONICALISATIONS
        return self.transforms[-1] if named else Transform(C14N)


class Signature(NamedTuple):
    """One ds:Signature as it stands.

    Parameters:
        element, signed_info, key_info: the elements; ``None`` for a KeyInfo that is left out.
        canonicalisation: of SignedInfo.
        algorithm: URI of the signature algorithm.
        references: in order.
        value: the signature value.
    """

    element: etree._Element
    signed_info: etree._Element
    key_info: etree._Element | None
    canonicalisation: Transform
    algorithm: str
    references: tuple[Reference, ...]
    value: bytes


_REFERENCE = ("Transforms", "DigestMethod", "DigestValue")
_NAMES = {
    name: f"{{{DS}}}{name}"
    for name in (
        "SignedInfo", "SignatureValue", "KeyInfo", "CanonicalizationMethod", "SignatureMethod", "Reference",
        "Transform", *_REFERENCE,
    )
}  # fmt: skip
_SHA256 = f"{XENC}sha256"
RSA_PSS = f"{DS_2007}rsa-pss"
PSS_DIGESTS = {
    digest.uri: (f"{DS_2007}sha{bits}-rsa-MGF1", str(bits // 8))
    for digest in DIGESTS.values()
    if (bits := int(digest.name.removeprefix("sha")))
}
"""Digest to the signature algorithm that has it throughout, and the length of its salt."""


def read_signature(element: etree._Element) -> Signature:
    """Read a ds:Signature.

    Raises:
        MalformedInput: a part is missing, repeated, out of place or unreadable.
    """
    try:
        signed_info, value, *others = _parts(element, "SignedInfo", "SignatureValue")
        method, algorithm, *references = _parts(signed_info, "CanonicalizationMethod", "SignatureMethod")
        return Signature(
            element,
            signed_info,
            next((other for other in others if other.tag == _NAMES["KeyInfo"]), None),
            _read_transform(method),
            _signature_method(algorithm),
            tuple([_read_reference(reference) for reference in references[: MOST_REFERENCES + 1]]),
            decode(text_of(value)),
        )
    except ValueError as error:
        raise MalformedInput("malformed", f"The signature cannot be read: {error}.", line=element.sourceline) from error


def _read_reference(element: etree._Element) -> Reference:
    _expect(element, "Reference")
    parts = children_of(element)
    names = _REFERENCE if len(parts) > 2 else _REFERENCE[1:]
    _expect_all(element, parts, names)
    if len(parts) > len(names):
        raise ValueError("a Reference has more than Transforms, DigestMethod and DigestValue")
    *transforms, digest, value = parts
    steps = _parts(transforms[0]) if transforms else []
    for step in steps:
        _expect(step, "Transform")
    return Reference(
        element,
        element.get("URI"),
        tuple([_read_transform(step) for step in steps[: MOST_TRANSFORMS + 1]]),
        _algorithm(digest),
        decode(text_of(value)),
    )


def _read_transform(element: etree._Element) -> Transform:
    uri = _algorithm(element)
    if uri == STR_TRANSFORM:
        method = element.find(_TOKEN_METHOD)
        if method is None:
            raise ValueError("a STR transform names no canonicalisation")
        return Transform(_algorithm(method), _prefixes(method), of_token=True)
    return Transform(uri, _prefixes(element))


def _prefixes(method: etree._Element) -> tuple[str, ...]:
    listed = first_child(method, _PREFIX_LIST) if len(method) else None
    return () if listed is None else tuple(listed.get("PrefixList", "").split())


def _signature_method(element: etree._Element) -> str:
    """The algorithm; RSA-PSS with parameters is the one of RFC 9231 that means the same, where there is one.

    Source: RFC 9231, section 2.3.9: SHA-256, a salt of its length and MGF1 with the same digest where nothing is said.
    """
    uri = _algorithm(element)
    if uri != RSA_PSS:
        return uri
    parameters = element.find(f"{{{DS_2007}}}RSAPSSParams")
    digest = mask = None
    salt = trailer = ""
    if parameters is not None:
        digest = parameters.find(f"{{{DS}}}DigestMethod")
        mask = parameters.find(f"{{{DS_2007}}}MaskGenerationFunction/{{{DS}}}DigestMethod")
        salt = parameters.findtext(f"{{{DS_2007}}}SaltLength", "").strip()
        trailer = parameters.findtext(f"{{{DS_2007}}}TrailerField", "").strip()
    named = _SHA256 if digest is None else _algorithm(digest)
    known = PSS_DIGESTS.get(named)
    same_mask = (mask is None and named == _SHA256) or (mask is not None and _algorithm(mask) == named)
    if known is None or not same_mask or salt not in ("", known[1]) or trailer not in ("", "1"):
        return uri
    return known[0]


def _parts(element: etree._Element, *names: str) -> list[etree._Element]:
    """The child elements; those with which it must begin have these names."""
    children = children_of(element)
    _expect_all(element, children, names)
    return children


def _expect_all(element: etree._Element, children: Sequence[etree._Element], names: Sequence[str]) -> None:
    if len(children) < len(names):
        raise ValueError(f"{local_name(element)} has {len(children)} parts, and {len(names)} are due")
    for child, name in zip(children, names, strict=False):
        if child.tag != _NAMES[name]:
            raise _misplaced(child, name)


def _expect(element: etree._Element, name: str) -> None:
    if element.tag != _NAMES[name]:
        raise _misplaced(element, name)


def _misplaced(element: etree._Element, name: str) -> ValueError:
    return ValueError(f"{local_name(element)} stands where {name} is due")


def _algorithm(element: etree._Element) -> str:
    uri = element.get("Algorithm")
    if uri is None:
        raise ValueError(f"{local_name(element)} names no algorithm")
    return uri
