"""XML signatures, as far as messages need them: read, bounded and verified.

Source: XML Signature 1.1, sections 3.2 (validation), 4.3 and 4.4 (structure, references).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from harness.errors import MalformedInput
from harness.security.algorithm import (
    CANONICALISATIONS,
    DIGESTS,
    DS,
    ENVELOPED,
    EXC_C14N,
    SIGNATURES,
    refuse,
)
from harness.security.c14n import canonical
from harness.security.markup import Ids, decode, path_of, text_of
from harness.security.model import Problem, SecurityProfile

MOST_REFERENCES = 30
MOST_TRANSFORMS = 5
_PREFIX_LIST = f"{{{EXC_C14N}}}InclusiveNamespaces"


@dataclass(frozen=True, eq=False)
class Transform:
    """A canonicalisation or another step from an element to bytes.

    Parameters:
        uri: its algorithm.
        prefixes: PrefixList of an exclusive canonicalisation.
    """

    uri: str
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Reference:
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


@dataclass(frozen=True, eq=False)
class Signature:
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


def read_signature(element: etree._Element) -> Signature:
    """Read a ds:Signature.

    Raises:
        MalformedInput: a part is missing, repeated, out of place or unreadable.
    """
    try:
        signed_info, value, *others = _children(element, 2)
        _expect(signed_info, "SignedInfo")
        _expect(value, "SignatureValue")
        method, algorithm, *references = _children(signed_info, 2)
        _expect(method, "CanonicalizationMethod")
        _expect(algorithm, "SignatureMethod")
        return Signature(
            element,
            signed_info,
            next((other for other in others if other.tag == f"{{{DS}}}KeyInfo"), None),
            _read_transform(method),
            _algorithm(algorithm),
            tuple(_read_reference(reference) for reference in references[: MOST_REFERENCES + 1]),
            decode(text_of(value)),
        )
    except ValueError as error:
        raise MalformedInput("malformed", f"The signature cannot be read: {error}.", line=element.sourceline) from error


def _read_reference(element: etree._Element) -> Reference:
    _expect(element, "Reference")
    *transforms, digest, value = _children(element, 2)
    _expect(digest, "DigestMethod")
    _expect(value, "DigestValue")
    if len(transforms) > 1:
        raise ValueError("a Reference has more than Transforms, DigestMethod and DigestValue")
    steps = _children(transforms[0]) if transforms else []
    for part, name in [*((each, "Transforms") for each in transforms), *((each, "Transform") for each in steps)]:
        _expect(part, name)
    return Reference(
        element,
        element.get("URI"),
        tuple(_read_transform(step) for step in steps[: MOST_TRANSFORMS + 1]),
        _algorithm(digest),
        decode(text_of(value)),
    )


def _read_transform(element: etree._Element) -> Transform:
    listed = element.find(_PREFIX_LIST)
    prefixes = () if listed is None else tuple(listed.get("PrefixList", "").split())
    return Transform(_algorithm(element), prefixes)


def _children(element: etree._Element, least: int = 0) -> list[etree._Element]:
    children = list(element.iterchildren(etree.Element))
    if len(children) < least:
        raise ValueError(f"{etree.QName(element).localname} has {len(children)} parts, and {least} are due")
    return children


def _expect(element: etree._Element, name: str) -> None:
    if element.tag != f"{{{DS}}}{name}":
        raise ValueError(f"{etree.QName(element).localname} stands where {name} is due")


def _algorithm(element: etree._Element) -> str:
    uri = element.get("Algorithm")
    if uri is None:
        raise ValueError(f"{etree.QName(element).localname} names no algorithm")
    return uri


# --- what may run -----------------------------------------------------------------------------------------------------


def bound_problems(signature: Signature) -> Iterator[Problem]:
    """Say what is too much or too little to be looked at."""
    if not signature.references:
        yield Problem("signature/no-references", "The signature has no reference.", path_of(signature.signed_info))
    if len(signature.references) > MOST_REFERENCES:
        text = f"The signature has more than {MOST_REFERENCES} references."
        yield Problem("structure/too-many-references", text, path_of(signature.signed_info))
    for reference in signature.references:
        if len(reference.transforms) > MOST_TRANSFORMS:
            text = f"A reference has more than {MOST_TRANSFORMS} transforms."
            yield Problem("structure/too-many-transforms", text, reference.place)


def method_problems(signature: Signature, profile: SecurityProfile) -> Iterator[Problem]:
    """Say why SignedInfo may not be canonicalised or its value not be checked."""
    element = signature.signed_info
    method = CANONICALISATIONS.get(signature.canonicalisation.uri)
    algorithm = SIGNATURES.get(signature.algorithm)
    method_name, algorithm_name = method.name if method else None, algorithm.name if algorithm else None
    yield from _refusal(signature.canonicalisation.uri, method_name, profile.canonicalisations, element)
    yield from _refusal(signature.algorithm, algorithm_name, profile.signatures, element)


def _reference_problems(reference: Reference, profile: SecurityProfile) -> Iterator[Problem]:
    """Say why a reference may not be followed."""
    uri = reference.uri
    if uri is None or uri == "" or uri.startswith("#xpointer"):
        text = f"The reference {uri!r} is not of the form #id."
        yield Problem("signature/reference-not-allowed", text, reference.place)
    elif not uri.startswith("#"):
        text = f"The reference {uri[:200]!r} leads out of the message."
        yield Problem("signature/external-reference", text, reference.place)
    digest = DIGESTS.get(reference.digest)
    yield from _refusal(reference.digest, digest.name if digest else None, profile.digests, reference.element)
    methods = [each for each in reference.transforms if each.uri in CANONICALISATIONS]
    others = [each.uri for each in reference.transforms if each.uri not in {*CANONICALISATIONS, ENVELOPED}]
    for other in others:
        text = f"The transform {other[:200]!r} is not allowed."
        yield Problem("algorithm/transform-not-allowed", text, reference.place)
    if not others and (len(methods) != 1 or reference.transforms[-1] is not methods[0]):
        text = "A reference must end with its one canonicalisation."
        yield Problem("algorithm/transform-not-allowed", text, reference.place)
    for method in methods:
        name = CANONICALISATIONS[method.uri].name
        yield from _refusal(method.uri, name, profile.canonicalisations, reference.element)


def _refusal(uri: str, name: str | None, allowed: tuple[str, ...], element: etree._Element) -> Iterator[Problem]:
    if name not in allowed:
        yield refuse(uri, name, allowed, path_of(element))


# --- verification -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Followed:
    """Where a reference led.

    Parameters:
        element: what it points at; ``None`` when nothing does, or it is not certain what does.
        problems: why its digest does not count; empty when it does.
    """

    element: etree._Element | None
    problems: tuple[Problem, ...] = ()


def follow(reference: Reference, signature: Signature, ids: Ids, profile: SecurityProfile) -> Followed:
    """Find the element of a reference and compare its digest; a refused algorithm never runs.

    A reference by id leaves comments out, whatever its canonicalisation (XML Signature 1.1, section 4.4.3.3). An
    enveloped signature is not taken out of an element: messages do not need it, so that transform may only stand
    where it changes nothing.

    Parameters:
        reference: one of *signature*.
        ids: of the whole document.
        profile: what is allowed.
    """
    element = ids.elements.get(reference.target)
    problems = tuple(_reference_problems(reference, profile))
    if not problems and element is None and reference.target not in ids.duplicates:
        text = f"No element has the id {reference.target[:200]!r}."
        problems = (Problem("signature/reference-unresolved", text, reference.place),)
    if problems or element is None:
        return Followed(element, problems)
    return Followed(element, tuple(_digest_problems(reference, element, signature)))


def _digest_problems(reference: Reference, element: etree._Element, signature: Signature) -> Iterator[Problem]:
    if any(above is element for above in signature.element.iterancestors()):
        text = f"{path_of(element)} contains its own signature."
        yield Problem("algorithm/transform-not-allowed", text, reference.place)
        return
    try:
        form = _canonical(element, reference.transforms[-1])
    except MalformedInput as error:
        yield Problem("signature/not-canonicalisable", error.what, path_of(element))
        return
    if DIGESTS[reference.digest].of(form) != reference.value:
        place = path_of(element)
        yield Problem("signature/digest-mismatch", f"{place} is not what was signed: its digest differs.", place)


def signed_bytes(signature: Signature) -> bytes:
    """The bytes that the signature value is over: SignedInfo as it was received, in canonical form.

    Raises:
        MalformedInput: there is no such form.
    """
    transform = signature.canonicalisation
    comments = CANONICALISATIONS[transform.uri].comments
    return _canonical(signature.signed_info, transform, comments=comments)


def _canonical(element: etree._Element, transform: Transform, *, comments: bool = False) -> bytes:
    method = CANONICALISATIONS[transform.uri]
    return canonical(element, exclusive=method.exclusive, prefixes=transform.prefixes, comments=comments)


def signed_paths(followed: Iterable[Followed]) -> tuple[str, ...]:
    """Absolute paths of the elements that are intact, in document order, each once."""
    elements = [each.element for each in followed if each.element is not None and not each.problems]
    return tuple(dict.fromkeys(path_of(element) for element in sorted(elements, key=_position)))


def _position(element: etree._Element) -> tuple[int, ...]:
    parent = element.getparent()
    return () if parent is None else (*_position(parent), parent.index(element))
