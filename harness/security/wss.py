"""WS-Security on SOAP, the verifying side: what exactly was signed, by whom, at which time, under which trust.

The order of the steps and what each of them asks stands in ``docs/signatures.md``; all codes are in
:mod:`harness.security.problems`.

Sources: WS-Security SOAP Message Security 1.1.1; X.509 Certificate Token Profile 1.1.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from harness.errors import MalformedInput
from harness.message.envelope import NAMESPACES, Envelope
from harness.security.algorithm import CANONICALISATIONS, DIGESTS, DS, SIGNATURES
from harness.security.algorithm import verify as verify_value
from harness.security.certificate import FoundPath, find_path
from harness.security.markup import WSSE, WSU, Ids, index_ids, path_of
from harness.security.model import Problem, SecurityProfile, SignatureReport, Trust
from harness.security.problems import Record
from harness.security.strtransform import signed_token
from harness.security.timestamp import freshness_problems, read_timestamp
from harness.security.tokens import REFERENCE, Place, Token, find_token
from harness.security.x509 import name_of, public_key_of
from harness.security.xmldsig import Followed, bound_problems, follow, method_problems, signed_bytes, signed_paths
from harness.security.xmldsig_read import Signature, read_signature

STEPS = ("structure", "ids", "algorithms", "key", "value", "digests", "coverage", "certificate", "timestamp")
"""The steps of a verification, in order."""

_ULTIMATE_RECEIVER = f"{NAMESPACES['1.2']}/role/ultimateReceiver"


def verify(envelope: Envelope, profile: SecurityProfile, trust: Trust, now: datetime) -> SignatureReport:
    """Verify the Security header of an opened envelope; nothing is parsed again.

    Every step is taken that can be taken, whatever the earlier ones said.

    Parameters:
        envelope: the very tree from which the payload is read.
        profile: what is allowed and what must be signed.
        trust: anchors, revocation lists, and certificates that signatures only point at.
        now: the time of receipt.
    """
    record = Record(STEPS)
    security, signature = _find_signature(envelope, record)
    ids = index_ids(envelope.tree)
    record.note("ids", _id_problems(ids))
    timestamps = [] if security is None else security.findall(f"{{{WSU}}}Timestamp")
    token, authentic, followed = None, False, []
    if security is not None and signature is not None:
        runnable = record.note("algorithms", method_problems(signature, profile))
        place = Place(security, ids.elements, trust.known, now)
        token = _find_token(signature, place, profile, record)
        authentic = runnable and token is not None and record.note("value", _value_problems(signature, token))
        followed = _follow(signature, ids, profile, place, record)
        body = envelope.tree.find(f"{{{NAMESPACES[envelope.soap]}}}Body")
        places = {
            "body": body,
            "timestamp": timestamps[0] if timestamps else None,
            "token": _token_place(token, signature) if token else None,
        }
        record.note("coverage", _coverage_problems(followed, ids, {part: places[part] for part in profile.signed}))
    path = FoundPath((), (), "not checked")
    if token is not None:
        path = find_path(token.leaf, token.intermediates, trust, now, profile)
        record.note("certificate", path.problems)
    times, problems = read_timestamp(timestamps, required=security is not None and "timestamp" in profile.signed)
    if security is not None:
        record.note("timestamp", problems)
        record.note("timestamp", freshness_problems(times, now, profile, "/Envelope/Header/Security/Timestamp"))
    return SignatureReport(
        signed=signed_paths(followed) if authentic else (),
        signer=name_of(token.leaf) if token else None,
        certificate=token.leaf.public_bytes(Encoding.DER) if token else None,
        algorithms=_algorithms(signature, token),
        created=times.created,
        expires=times.expires,
        path=path.subjects,
        revocation=path.revocation,
        problems=tuple(record.problems),
        steps=record.steps,
    )


def _find_signature(envelope: Envelope, record: Record) -> tuple[etree._Element | None, Signature | None]:
    """The Security header for the receiver, and its signature, as far as there are any."""
    record.note("structure", [Problem(code, text) for code, text in envelope.problems])
    headers = [] if envelope.header is None else [*_for_receiver(envelope.header)]
    if not headers:
        text = "The envelope has no Security header for its receiver."
        record.note("structure", [Problem("signature/missing", text)])
        return None, None
    security = headers[0]
    signatures = security.findall(f"{{{DS}}}Signature")
    for found, code in ((headers, "structure/second-security-header"), (signatures, "structure/second-signature")):
        if len(found) > 1:
            text = f"There are {len(found)} elements {etree.QName(found[0]).localname}, and one is due."
            record.note("structure", [Problem(code, text, path_of(found[1]))])
    if not signatures:
        text = "The Security header has no Signature."
        record.note("structure", [Problem("signature/missing", text, path_of(security))])
        return security, None
    try:
        return security, read_signature(signatures[0])
    except MalformedInput as error:
        record.note("structure", [Problem("signature/malformed", error.what, path_of(signatures[0]))])
        return security, None


def _for_receiver(header: etree._Element) -> Iterator[etree._Element]:
    """Security headers without a role or actor, or with that of the ultimate receiver."""
    for security in header.findall(f"{{{WSSE}}}Security"):
        roles = {security.get(f"{{{NAMESPACES['1.2']}}}role"), security.get(f"{{{NAMESPACES['1.1']}}}actor")}
        if roles <= {None, "", _ULTIMATE_RECEIVER}:
            yield security


def _id_problems(ids: Ids) -> Iterator[Problem]:
    for identifier in ids.duplicates:
        yield Problem("structure/duplicate-id", f"The id {identifier[:200]!r} stands on more than one element.")


def _find_token(signature: Signature, place: Place, profile: SecurityProfile, record: Record) -> Token | None:
    if signature.key_info is None:
        missing = Problem("signature/token-missing", "The signature has no KeyInfo.", path_of(signature.element))
        record.note("key", [missing])
        return None
    found = find_token(signature.key_info, place, profile.tokens)
    record.note("key", [found] if isinstance(found, Problem) else [])
    return None if isinstance(found, Problem) else found


def _token_place(token: Token, signature: Signature) -> etree._Element | None:
    """The element that is signed when the token is: itself, or the reference that a STR transform turns into it."""
    if token.element is not None or signature.key_info is None:
        return token.element
    reference = signature.key_info.find(REFERENCE)
    return signature.key_info if reference is None else reference


def _value_problems(signature: Signature, token: Token) -> Iterator[Problem]:
    key = public_key_of(token.leaf)
    if key is None:
        yield Problem("signature/key-mismatch", "The certificate has neither an RSA nor an elliptic curve key.")
        return
    try:
        problem = verify_value(SIGNATURES[signature.algorithm], key, signature.value, signed_bytes(signature))
    except MalformedInput as error:
        problem = Problem("signature/not-canonicalisable", error.what, path_of(signature.signed_info))
    if problem is not None:
        yield problem


def _follow(signature: Signature, ids: Ids, profile: SecurityProfile, place: Place, record: Record) -> list[Followed]:
    if not record.note("digests", bound_problems(signature)):
        return []
    dereference = partial(signed_token, place=place)
    followed = [follow(reference, signature, ids, profile, dereference) for reference in signature.references]
    record.note("digests", [problem for each in followed for problem in each.problems])
    return followed


def _coverage_problems(
    followed: Sequence[Followed], ids: Ids, places: Mapping[str, etree._Element | None]
) -> Iterator[Problem]:
    """Compare what is signed with what must be, by identity: an id is only a name, and names can be moved.

    A part whose reference failed, or whose id is not certain, has its problem already.
    """
    for part, element in places.items():
        if element is None or any(each.element is element for each in followed):
            continue
        if any(value in ids.duplicates for value in element.attrib.values()):
            continue
        elsewhere = [each.element for each in followed if each.element is not None and each.element.tag == element.tag]
        if elsewhere:
            text = f"The signature covers {path_of(elsewhere[0])} and not {path_of(element)}."
            yield Problem("signature/wrapped", text, path_of(elsewhere[0]))
        else:
            text = f"The signature does not cover {path_of(element)}."
            yield Problem(f"signature/{part}-not-signed", text, path_of(element))


def _algorithms(signature: Signature | None, token: Token | None) -> dict[str, str]:
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
