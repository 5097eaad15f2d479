"""XML signatures, as far as messages need them: what may run, and what it comes to.

Source: XML Signature 1.1, sections 3.2 (validation) and 4.4.3 (references).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cryptography.x509 import Certificate
from lxml import etree

from harness.errors import MalformedInput
from harness.security.algorithm import C14N, CANONICALISATIONS, DIGESTS, ENVELOPED, SIGNATURES, refuse, verify
from harness.security.c14n import canonical
from harness.security.markup import Ids, path_of
from harness.security.model import Problem, SecurityProfile
from harness.security.octets import Dereference
from harness.security.strtransform import token_form
from harness.security.tokens import Token
from harness.security.x509 import public_key_of
from harness.security.xmldsig_read import MOST_REFERENCES, MOST_TRANSFORMS, Reference, Signature, Transform

_TRANSFORMS = frozenset((*CANONICALISATIONS, ENVELOPED))

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
    if method_name not in profile.canonicalisations:
        yield refuse(signature.canonicalisation.uri, method_name, profile.canonicalisations, path_of(element))
    if algorithm_name not in profile.signatures:
        yield refuse(signature.algorithm, algorithm_name, profile.signatures, path_of(element))


def _reference_problems(reference: Reference, profile: SecurityProfile) -> Iterator[Problem]:
    """Say why a reference may not be followed."""
    uri = reference.uri
    if uri is None or uri == "" or uri.startswith("#xpointer"):
        text = f"The reference {uri!r} is not of the form #id."
        yield Problem("signature/reference-not-allowed", text, reference.place)
    elif not uri.startswith("#"):
        text = f"The reference {uri[:200]!r} leads out of the message."
        yield Problem("signature/external-reference", text, reference.place)
    yield from digest_refusals(reference, profile)
    yield from transform_problems(reference, profile)


def digest_refusals(reference: Reference, profile: SecurityProfile) -> Iterator[Problem]:
    """Say why a digest may not be compared."""
    digest = DIGESTS.get(reference.digest)
    name = digest.name if digest else None
    if name not in profile.digests:
        yield refuse(reference.digest, name, profile.digests, reference.place)


def transform_problems(reference: Reference, profile: SecurityProfile) -> Iterator[Problem]:
    """Say why the transforms of a reference to elements may not run."""
    if len(reference.transforms) == 1:  # nothing else is usual
        only = CANONICALISATIONS.get(reference.transforms[0].uri)
        if only is not None and only.name in profile.canonicalisations:
            return
    methods = [each for each in reference.transforms if each.uri in CANONICALISATIONS]
    others = [each.uri for each in reference.transforms if each.uri not in _TRANSFORMS]
    for other in others:
        text = f"The transform {other[:200]!r} is not allowed."
        yield Problem("algorithm/transform-not-allowed", text, reference.place)
    if len(methods) > 1 or (methods and reference.transforms[-1] is not methods[0]):
        text = "A reference must end with its one canonicalisation."
        yield Problem("algorithm/transform-not-allowed", text, reference.place)
    if not methods and not others and CANONICALISATIONS[C14N].name not in profile.canonicalisations:
        text = "A reference names no canonicalisation, which means the inclusive one, and that is not allowed."
        yield Problem("algorithm/transform-not-allowed", text, reference.place)
    for method in methods:
        name = CANONICALISATIONS[method.uri].name
        if name not in profile.canonicalisations:
            yield refuse(method.uri, name, profile.canonicalisations, reference.place)


# --- verification -----------------------------------------------------------------------------------------------------


class Followed(NamedTuple):
    """Where a reference led.

    Parameters:
        element: what it signs; ``None`` when nothing is there, or it is not certain what. A STR transform signs the
            token; where that is not in the message, the reference stands for it.
        problems: why its digest does not count; empty when it does.
    """

    element: etree._Element | None
    problems: tuple[Problem, ...] = ()


def follow(
    reference: Reference, signature: Signature, ids: Ids, profile: SecurityProfile, dereference: Dereference
) -> Followed:
    """Find the element of a reference and compare its digest; a refused algorithm never runs.

    A reference by id leaves comments out, whatever its canonicalisation (XML Signature 1.1, section 4.4.3.3). An
    enveloped signature is not taken out of an element: messages do not need it, so that transform may only stand
    where it changes nothing.

    Parameters:
        reference: one of *signature*.
        ids: of the whole document.
        profile: what is allowed.
        dereference: for the STR transform.
    """
    element = ids.elements.get(reference.target)
    problems = tuple(_reference_problems(reference, profile))
    if not problems and element is None and reference.target not in ids.duplicates:
        text = f"No element has the id {reference.target[:200]!r}."
        problems = (Problem("signature/reference-unresolved", text, reference.place),)
    if problems or element is None:
        return Followed(element, problems)
    source = element
    if reference.canonicalisation.of_token:
        try:
            source = dereference(element)
        except MalformedInput as error:
            return Followed(element, (Problem(error.code, error.what, reference.place),))
        element = element if source.getparent() is None else source
    return Followed(element, tuple(_digest_problems(reference, element, source, signature)))


def value_problems(signature: Signature, leaf: Certificate) -> Iterator[Problem]:
    """Say why the signature value is not that of a certificate's key; its algorithm must be known to be allowed."""
    key = public_key_of(leaf)
    if key is None:
        yield Problem("signature/key-mismatch", "The certificate has neither an RSA nor an elliptic curve key.")
        return
    try:
        problem = verify(SIGNATURES[signature.algorithm], key, signature.value, signed_bytes(signature))
    except MalformedInput as error:
        problem = Problem("signature/not-canonicalisable", error.what, path_of(signature.signed_info))
    if problem is not None:
        yield problem


def _digest_problems(
    reference: Reference, element: etree._Element, source: etree._Element, signature: Signature
) -> Iterator[Problem]:
    if element in signature.element.iterancestors():
        text = f"{path_of(element)} contains its own signature."
        yield Problem("algorithm/transform-not-allowed", text, reference.place)
        return
    try:
        form = _canonical(source, reference.canonicalisation)
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
    if transform.of_token:
        return token_form(element, exclusive=method.exclusive, prefixes=transform.prefixes)
    return canonical(element, exclusive=method.exclusive, prefixes=transform.prefixes, comments=comments)


def signed_paths(followed: Iterable[Followed], ids: Ids) -> tuple[str, ...]:
    """Absolute paths of the elements that are intact, in document order, each once.

    Parameters:
        ids: of the whole document; whatever a reference leads to has an id.
    """
    intact = {id(each.element) for each in followed if not each.problems}
    return tuple(dict.fromkeys([path_of(each) for each in ids.elements.values() if id(each) in intact]))


def algorithms_of(signature: Signature | None, token: Token | None) -> dict[str, str]:
    """Algorithms by name, where they have one here, else by URI."""
    if signature is None:
        return {}
    algorithm = SIGNATURES.get(signature.algorithm)
    method = CANONICALISATIONS.get(signature.canonicalisation.uri)
    digests = {
        DIGESTS[each.digest].name if each.digest in DIGESTS else each.digest[:200] for each in signature.references
    }
    return {
        "signature": algorithm.name if algorithm else signature.algorithm[:200],
        "digest": ", ".join(sorted(digests)),
        "canonicalisation": method.name if method else signature.canonicalisation.uri[:200],
        "token": token.kind if token else "",
    }
