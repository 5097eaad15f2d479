"""WS-Security on SOAP, the verifying side: what exactly was signed, by whom, at which time, under which trust.

The order of the steps and what each of them asks stands in ``docs/signatures.md``; all codes are in
:mod:`harness.security.problems`.

Sources: WS-Security SOAP Message Security 1.1.1; X.509 Certificate Token Profile 1.1.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cryptography.x509 import Certificate
from lxml import etree

from harness.errors import MalformedInput
from harness.message.envelope import NAMESPACES, Envelope
from harness.security.algorithm import DS
from harness.security.certificate import FoundPath, find_path
from harness.security.markup import WSSE, WSU, Ids, first_child, index_ids, path_of
from harness.security.model import Problem, SecurityProfile, SignatureReport, Trust
from harness.security.problems import Record
from harness.security.strtransform import signed_token
from harness.security.timestamp import freshness_problems, read_timestamp
from harness.security.tokens import REFERENCE, Place, Token, find_token
from harness.security.x509 import der_of, name_of
from harness.security.xmldsig import (
    Followed,
    algorithms_of,
    bound_problems,
    follow,
    method_problems,
    signed_paths,
    value_problems,
)
from harness.security.xmldsig_read import Signature, read_signature

STEPS = ("structure", "ids", "algorithms", "key", "value", "digests", "coverage", "certificate", "timestamp")
"""The steps of a verification, in order."""

_ROLES = (f"{{{NAMESPACES['1.2']}}}role", f"{{{NAMESPACES['1.1']}}}actor")
_SECURITY, _TIMESTAMP, _SIGNATURE = f"{{{WSSE}}}Security", f"{{{WSU}}}Timestamp", f"{{{DS}}}Signature"
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
    record.note("structure", [Problem(code, text) for code, text in envelope.problems])
    ours, others = _security_headers(envelope, profile)
    security, signatures = _find_signatures(ours, others, profile, record)
    ids = index_ids(envelope.tree)
    record.note("ids", _id_problems(ids, security, signatures))
    timestamps = [] if security is None else [child for child in security[:] if child.tag == _TIMESTAMP]
    body = first_child(envelope.tree, f"{{{NAMESPACES[envelope.soap]}}}Body")
    judged: list[_Judged] = []
    if security is not None:
        place = Place(security, ids.elements, trust.known, now)
        judged = [_judge(each, ids, profile, place, record) for each in signatures]
    main = next((each for each in judged if each.covers(body)), judged[0] if judged else _NOTHING)
    own = [each for each in judged if each is main or each.leaf == main.leaf]
    if main.signature is not None and main.signature.references:
        places = {
            "body": body,
            "timestamp": timestamps[0] if timestamps else None,
            "token": _token_place(main.token, main.signature) if main.token else None,
        }
        followed = [found for each in own for found in each.followed]
        record.note("coverage", _coverage_problems(followed, ids, {part: places[part] for part in profile.signed}))
    paths = [
        find_path(each.token.leaf, each.token.intermediates, trust, now, profile)
        for each in (main, *(each for each in judged if each not in own))
        if each.token is not None
    ]
    for found in paths:
        record.note("certificate", found.problems)
    path = paths[0] if main.token is not None else FoundPath((), (), "not checked")
    times, problems = read_timestamp(timestamps, required=security is not None and "timestamp" in profile.signed)
    if security is not None:
        record.note("timestamp", problems)
        record.note("timestamp", freshness_problems(times, now, profile, "/Envelope/Header/Security/Timestamp"))
    return SignatureReport(
        signed=signed_paths((found for each in own if each.authentic for found in each.followed), ids),
        signer=name_of(main.leaf) if main.leaf else None,
        certificate=der_of(main.leaf) if main.leaf else None,
        algorithms=algorithms_of(main.signature, main.token),
        created=times.created,
        expires=times.expires,
        path=path.subjects,
        revocation=path.revocation,
        problems=tuple(record.problems),
        steps=record.steps,
        others=others,
        also=tuple(name_of(each.leaf) for each in judged if each.leaf and each is not main),
    )


# --- what is ours -----------------------------------------------------------------------------------------------------


def _security_headers(envelope: Envelope, profile: SecurityProfile) -> tuple[list[etree._Element], tuple[str, ...]]:
    """Security headers for us, and the role or actor of those for others.

    Those for us have the actor of the profile; without one, none at all or that of the ultimate receiver.
    """
    wanted = {profile.actor} if profile.actor else {"", _ULTIMATE_RECEIVER}
    ours, others = [], []
    for security in [] if envelope.header is None else envelope.header[:]:
        if security.tag != _SECURITY:
            continue
        named = {security.get(attribute, "") for attribute in _ROLES} - {""} or {""}
        if named <= wanted:
            ours.append(security)
        else:
            others.append(" ".join(sorted(named))[:200])
    return ours, tuple(others)


def _find_signatures(
    ours: Sequence[etree._Element], others: Sequence[str], profile: SecurityProfile, record: Record
) -> tuple[etree._Element | None, list[Signature]]:
    """The Security header for the receiver, and its signatures, as far as there are any."""
    if not ours:
        text = "The envelope has no Security header for its receiver"
        text += f"; it has one for {', '.join(others)}." if others else "."
        record.note("structure", [Problem("signature/missing", text)])
        return None, []
    security = ours[0]
    signatures = [child for child in security[:] if child.tag == _SIGNATURE]
    for found, code, most in (
        (ours, "structure/second-security-header", 1),
        (signatures, "structure/second-signature", profile.most_signatures),
    ):
        if len(found) > most:
            text = f"There are {len(found)} elements {etree.QName(found[0]).localname}, and {most} may be there."
            record.note("structure", [Problem(code, text, path_of(found[most]))])
    if not signatures:
        text = "The Security header has no Signature."
        record.note("structure", [Problem("signature/missing", text, path_of(security))])
    read = []
    for element in signatures[: profile.most_signatures]:
        try:
            read.append(read_signature(element))
        except MalformedInput as error:
            record.note("structure", [Problem("signature/malformed", error.what, path_of(element))])
    return security, read


def _named(security: etree._Element | None, signatures: Sequence[Signature]) -> set[str]:
    """Every id that the Security header refers to."""
    named = {reference.target for signature in signatures for reference in signature.references}
    tokens = [] if security is None else security.iter(f"{{{WSSE}}}Reference")
    return named | {token.get("URI", "")[1:] for token in tokens}


def _id_problems(ids: Ids, security: etree._Element | None, signatures: Sequence[Signature]) -> Iterator[Problem]:
    for identifier in ids.clashes(_named(security, signatures)) if ids.duplicates else ():
        yield Problem("structure/duplicate-id", f"The id {identifier[:200]!r} stands on more than one element.")


# --- one signature ----------------------------------------------------------------------------------------------------


class _Judged(NamedTuple):
    """One signature: its certificate, whether its value is that of this key, and where its references led."""

    signature: Signature | None
    token: Token | None
    authentic: bool
    followed: Sequence[Followed]

    @property
    def leaf(self) -> Certificate | None:
        return self.token.leaf if self.token else None

    def covers(self, element: etree._Element | None) -> bool:
        return any(each.element is element for each in self.followed)


_NOTHING = _Judged(None, None, False, ())


def _judge(signature: Signature, ids: Ids, profile: SecurityProfile, place: Place, record: Record) -> _Judged:
    runnable = record.note("algorithms", method_problems(signature, profile))
    token = _find_token(signature, place, profile, record)
    authentic = runnable and token is not None and record.note("value", value_problems(signature, token.leaf))
    return _Judged(signature, token, authentic, _follow(signature, ids, profile, place, record))


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
    signed = [each.element for each in followed]
    for part, element in places.items():
        if element is None or element in signed:
            continue
        if any(value in ids.duplicates for value in element.attrib.values()):
            continue
        elsewhere = [each for each in signed if each is not None and each.tag == element.tag]
        if elsewhere:
            text = f"The signature covers {path_of(elsewhere[0])} and not {path_of(element)}."
            yield Problem("signature/wrapped", text, path_of(elsewhere[0]))
        else:
            text = f"The signature does not cover {path_of(element)}."
            yield Problem(f"signature/{part}-not-signed", text, path_of(element))
