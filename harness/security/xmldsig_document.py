"""XML signatures without an envelope around them: enveloped in a document, enveloping its content, or detached from it.

Source: XML Signature 1.1, sections 3.2 (validation), 4.4.3 (references), 4.5 (Object) and 8.1 (see what is signed).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from lxml import etree

from harness.errors import MalformedInput
from harness.security.algorithm import DIGESTS, DS, ENVELOPED, WRITABLE, sign
from harness.security.certificate import FoundPath, find_path
from harness.security.markup import path_of
from harness.security.model import Problem, SecurityProfile, SignatureReport, Trust
from harness.security.octets import Content, Dereference, content_of, id_of, octets, target_of
from harness.security.problems import Record
from harness.security.signing import Form, Signing
from harness.security.strtransform import signed_token
from harness.security.tokens import Place, Token, find_token
from harness.security.tokens_write import write_token
from harness.security.x509 import name_of
from harness.security.xmldsig import (
    algorithms_of,
    bound_problems,
    digest_refusals,
    method_problems,
    transform_problems,
    value_problems,
)
from harness.security.xmldsig_read import Reference, Signature, read_signature
from harness.security.xmldsig_write import complete, compose, method_of

STEPS = ("structure", "ids", "algorithms", "key", "value", "digests", "coverage", "certificate")
"""The steps of a verification, in order."""

FORMS = ("enveloped", "enveloping")
"""How a signature travels with the document that it signs."""

TOKENS = ("x509-data", "issuer-serial")
"""The ways of naming a certificate that need no WS-Security."""

_SIGNATURE, _OBJECT = f"{{{DS}}}Signature", f"{{{DS}}}Object"


def signatures_of(root: etree._Element) -> list[etree._Element]:
    """Every signature of a document; what stands inside a signature belongs to that one."""
    found = [root] if root.tag == _SIGNATURE else list(root.iter(_SIGNATURE))
    return [each for each in found if not any(above.tag == _SIGNATURE for above in each.iterancestors())]


def content_element(root: etree._Element) -> etree._Element | None:
    """What a signed document is about: itself, or the content of the first Object of an enveloping signature."""
    if root.tag != _SIGNATURE:
        return root
    return next((child for each in root.findall(_OBJECT) for child in each.iterchildren(etree.Element)), None)


# --- verifying --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Reached:
    """Where a reference led: an element, or the URI of content outside; and why its digest does not count."""

    reference: Reference
    target: etree._Element | str | None
    problems: tuple[Problem, ...] = ()


def verify(
    root: etree._Element,
    outside: Mapping[str, bytes],
    profile: SecurityProfile,
    trust: Trust,
    now: datetime,
    record: Record,
) -> SignatureReport:
    """Verify the signatures of a document.

    Parameters:
        root: of the document that holds them; nothing is parsed again but content outside.
        outside: content that detached signatures are about, by the URI of its reference.
        profile: what is allowed.
        trust: anchors, revocation lists, and certificates that signatures only point at.
        now: the time at which certificates are judged.
        record: with :data:`STEPS`.
    """
    content = content_of(root, outside)
    signatures = [*_read(root, profile, record)]
    uris = {reference.uri or "" for signature in signatures for reference in signature.references}
    for identifier in content.ids.clashes({uri[1:] for uri in uris} | {id_of(uri) for uri in uris}):
        text = f"The id {identifier[:200]!r} stands on more than one element."
        record.note("ids", [Problem("structure/duplicate-id", text)])
    record.note("ids", [])
    judged = [_judge(each, content, profile, trust, now, record) for each in signatures]
    if not judged:
        return SignatureReport(problems=tuple(record.problems), steps=record.steps)
    main = judged[0]
    own = [each for each in judged if each.leaf == main.leaf]
    reached = [each for one in own for each in one.reached]
    uncovered = list(_coverage_problems(root, reached, content))
    record.note("coverage", uncovered)
    good = [each for one in own if one.authentic for each in one.reached if not each.problems]
    signed = [path_of(each.target) if isinstance(each.target, etree._Element) else str(each.target) for each in good]
    whole = ["body"] if good and not uncovered and all(one.authentic for one in own) else []
    return SignatureReport(
        signed=tuple(dict.fromkeys(whole + signed)),
        signer=name_of(main.leaf) if main.leaf else None,
        certificate=main.leaf.public_bytes(Encoding.DER) if main.leaf else None,
        algorithms=algorithms_of(main.signature, main.token),
        path=main.path.subjects,
        revocation=main.path.revocation,
        problems=tuple(record.problems),
        steps=record.steps,
        also=tuple(name_of(each.leaf) for each in judged[1:] if each.leaf),
    )


@dataclass(frozen=True, eq=False)
class _Judged:
    signature: Signature
    token: Token | None
    authentic: bool
    reached: Sequence[_Reached]
    path: FoundPath

    @property
    def leaf(self) -> Certificate | None:
        return self.token.leaf if self.token else None


def _read(root: etree._Element, profile: SecurityProfile, record: Record) -> Iterator[Signature]:
    elements = signatures_of(root)
    if not elements:
        record.note("structure", [Problem("signature/missing", "The document has no Signature.")])
    if len(elements) > profile.most_signatures:
        text = f"There are {len(elements)} signatures, and {profile.most_signatures} may be there."
        record.note("structure", [Problem("structure/second-signature", text, path_of(elements[-1]))])
    for element in elements[: profile.most_signatures]:
        try:
            signature = read_signature(element)
        except MalformedInput as error:
            record.note("structure", [Problem("signature/malformed", error.what, path_of(element))])
            continue
        record.note("structure", [])
        yield signature


def _judge(
    signature: Signature, content: Content, profile: SecurityProfile, trust: Trust, now: datetime, record: Record
) -> _Judged:
    place = Place(signature.element, content.ids.elements, trust.known, now)
    runnable = record.note("algorithms", method_problems(signature, profile))
    token, path, authentic = None, FoundPath((), (), "not checked"), False
    if signature.key_info is None:
        text = "The signature has no KeyInfo."
        record.note("key", [Problem("signature/token-missing", text, path_of(signature.element))])
    else:
        found = find_token(signature.key_info, place, profile.tokens)
        token = found if isinstance(found, Token) else None
        record.note("key", [found] if isinstance(found, Problem) else [])
    if token is not None:
        authentic = runnable and record.note("value", value_problems(signature, token.leaf))
        path = find_path(token.leaf, token.intermediates, trust, now, profile)
        record.note("certificate", path.problems)
    reached: list[_Reached] = []
    if record.note("digests", bound_problems(signature)):
        dereference = partial(signed_token, place=place)
        reached = [_follow(each, signature, content, profile, dereference) for each in signature.references]
        record.note("digests", [problem for each in reached for problem in each.problems])
    return _Judged(signature, token, authentic, reached, path)


def _follow(
    reference: Reference, signature: Signature, content: Content, profile: SecurityProfile, dereference: Dereference
) -> _Reached:
    try:
        target = target_of(reference, content)
    except MalformedInput as error:
        return _Reached(reference, None, (Problem(error.code, error.what, reference.place),))
    named = target if isinstance(target, etree._Element) else (reference.uri or "")
    problems = [*digest_refusals(reference, profile)]
    if isinstance(target, etree._Element) or reference.transforms:
        problems += transform_problems(reference, profile)
    if isinstance(target, etree._Element):
        problems += _place_problems(reference, signature, target)
    if not problems:
        problems += _digest_problems(reference, signature, content, dereference)
    return _Reached(reference, named, tuple(problems))


def _place_problems(reference: Reference, signature: Signature, target: etree._Element) -> Iterator[Problem]:
    """An enveloped signature is taken out of what it signs, and nothing else is."""
    enveloped = [each.uri == ENVELOPED for each in reference.transforms]
    inside = any(above is signature.element for above in (target, *target.iterancestors()))
    around = any(above is target for above in signature.element.iterancestors())
    if any(enveloped) and (inside or enveloped.count(True) > 1 or not enveloped[0]):
        text = "The enveloped-signature transform is not the first, or stands on a part of its own signature."
        yield Problem("algorithm/transform-not-allowed", text, reference.place)
    if around and not any(enveloped):
        text = f"{path_of(target)} contains its own signature, which no transform takes out."
        yield Problem("algorithm/transform-not-allowed", text, reference.place)


def _digest_problems(
    reference: Reference, signature: Signature, content: Content, dereference: Dereference
) -> Iterator[Problem]:
    try:
        data = octets(reference, signature, content, dereference)
    except MalformedInput as error:
        code = error.code if error.code.startswith("signature/") else "signature/not-canonicalisable"
        yield Problem(code, error.what, reference.place)
        return
    if DIGESTS[reference.digest].of(data) != reference.value:
        what = "the document" if reference.uri in ("", None) else repr(str(reference.uri)[:200])
        text = f"What the reference to {what} leads to is not what was signed: its digest differs."
        yield Problem("signature/digest-mismatch", text, reference.place)


def _coverage_problems(root: etree._Element, reached: Sequence[_Reached], content: Content) -> Iterator[Problem]:
    """What the signature is about must be signed itself: compared as elements, not by id."""
    targets = [each.target for each in reached]
    if content.outside:
        for uri in content.outside:
            if uri not in targets and not any(each.reference.uri is None for each in reached):
                yield Problem("signature/content-not-signed", f"The signature does not cover {uri[:200]!r}.")
        return
    about = content_element(root)
    holders = [] if about is None else [about, *([] if about.getparent() is None else [about.getparent()])]
    if not any(target is holder for target in targets for holder in holders):
        shown = path_of(about) if about is not None else "any content"
        yield Problem("signature/content-not-signed", f"The signature does not cover {shown}.")


# --- writing ----------------------------------------------------------------------------------------------------------

_EMPTY = re.compile(rb"<([^\s/>]+)([^>]*)/>")


def write(payload: bytes, signing: Signing, form: str) -> bytes:
    """Sign a document.

    Parameters:
        payload: its root element, UTF-8, without XML declaration.
        signing: how.
        form: one of :data:`FORMS`.

    Raises:
        MalformedInput: it has no canonical form.
    """
    mark = sha256(payload).hexdigest()[:16]
    forms: list[Form] = []
    content = ""
    if form == "enveloping":
        content = f'<ds:Object Id="object-{mark}">{payload.decode()}</ds:Object>'
        forms.append(Form(f"#object-{mark}", None, method_of(signing)))
    else:
        forms.append(Form("", None, f'<ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>{method_of(signing)}'))
    forged = [signing.forge["body"](each) if "body" in signing.forge else each for each in forms]
    written = write_token(signing.token, signing.identity, "")
    signature = compose(signing, forged if signing.parts else [], written.reference, mark, content=content).encode()
    if form != "enveloping":
        opened = _EMPTY.sub(rb"<\1\2></\1>", payload) if _EMPTY.fullmatch(payload) else payload
        at = opened.rindex(b"</")
        signature = opened[:at] + signature + opened[at:]
    return complete(signature, [partial(sign, WRITABLE[signing.algorithm], signing.key)])
