"""The two doors of this room: protect a message before it is sent, inspect one that came. They hide the style.

``wss`` is WS-Security in SOAP, ``jws`` a detached JWS in an HTTP header, ``none`` no protection at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from harness.errors import ConfigurationFault
from harness.message.document import parse
from harness.message.envelope import SoapFault, open_envelope, wrap
from harness.message.model import DEFAULT_LIMITS, Document, Limits
from harness.security import jws, wss, wss_write
from harness.security.defect import DEFECTS, SecurityDefect
from harness.security.model import Identity, Problem, SecurityProfile, SignatureReport, Trust
from harness.security.problems import Record
from harness.security.profile import check_profile
from harness.security.signing import Protected, Signing, plan_signing

_NO_SPARES: Mapping[str, Identity] = MappingProxyType({})
_RIGHT = SecurityDefect("", "", {})


@dataclass(frozen=True)
class Inspected:
    """A message that came, opened.

    Parameters:
        document: the payload, whether it is signed or not: *report* says that. ``None`` when there is none.
        fault: the SOAP fault in its place.
        report: what was signed by whom, and what is wrong with it.
    """

    document: Document | None
    fault: SoapFault | None
    report: SignatureReport


def protect(
    body: Document,
    identity: Identity,
    profile: SecurityProfile,
    now: datetime,
    defect: str | None = None,
    *,
    spares: Mapping[str, Identity] = _NO_SPARES,
) -> Protected:
    """Put a payload into its envelope and sign it, as the profile says.

    Parameters:
        body: the payload.
        identity: who signs.
        profile: style and algorithms.
        now: the time to claim.
        defect: name of a defect that is put into the protection, out of :data:`harness.security.defect.DEFECTS`.
        spares: identities that are wrong in one way, by what is wrong with them, for the defects that need one.

    Raises:
        ConfigurationFault: the profile wants what cannot be written, the key fits none of its algorithms, the defect
            is unknown or not possible in this style, or its spare is missing.
        MalformedInput: the payload has no canonical form.
    """
    check_profile(profile)
    chosen = _find_defect(defect, profile.style)
    if profile.style == "none":
        return Protected(_plain(body, profile), {})
    if chosen.spare is not None:
        identity = _find_spare(chosen.name, chosen.spare, spares)
    signing = chosen.prepare(_plan(identity, profile, now), profile)
    if profile.style == "wss":
        protected = Protected(wss_write.write(body.to_bytes(), profile.soap or "1.2", signing), {})
    else:
        data = _plain(body, profile)
        protected = Protected(data, {profile.header: jws.write(data, signing)} if signing.parts else {})
    edit = chosen.edit.get(profile.style)
    return edit(protected) if edit else protected


def inspect(
    data: bytes,
    headers: Mapping[str, str],
    profile: SecurityProfile,
    trust: Trust,
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
) -> Inspected:
    """Open a message and say what exactly was signed, by whom, at which time, under which trust.

    The bytes are parsed once: the payload that is handed out belongs to the very tree that was verified.

    Parameters:
        data: the body of the HTTP message, exactly as it came.
        headers: its headers; the case of their names does not matter.
        profile: what is allowed and what must be signed.
        trust: anchors and revocation lists.
        now: the time of receipt.
        limits: bounds of the parser.

    Raises:
        ConfigurationFault: the profile has a name that is not known.
        MalformedInput: the bytes are not a readable message.
    """
    check_profile(profile)
    if profile.style == "wss":
        envelope = open_envelope(data, profile.soap, limits)
        return Inspected(envelope.body, envelope.fault, wss.verify(envelope, profile, trust, now))
    document, fault, problems = _open(data, profile, limits)
    if profile.style == "none":
        return Inspected(document, fault, SignatureReport())
    record = Record(jws.STEPS)
    record.note("structure", problems)
    field = next((value for name, value in headers.items() if name.lower() == profile.header.lower()), None)
    return Inspected(document, fault, jws.verify(data, field, profile, trust, now, record))


def _open(
    data: bytes, profile: SecurityProfile, limits: Limits
) -> tuple[Document | None, SoapFault | None, list[Problem]]:
    if profile.soap is not None:
        envelope = open_envelope(data, profile.soap, limits)
        return envelope.body, envelope.fault, [Problem(code, text) for code, text in envelope.problems]
    is_xml = data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    return parse("xml" if is_xml else "json", data, limits), None, []


def _plain(body: Document, profile: SecurityProfile) -> bytes:
    return body.to_bytes() if profile.soap is None else wrap(body, profile.soap)


def _plan(identity: Identity, profile: SecurityProfile, now: datetime) -> Signing:
    if profile.style == "jws":
        return plan_signing(identity, profile, now, jws.fits)
    if "exc-c14n" not in profile.canonicalisations:
        raise ConfigurationFault(
            "The security profile of the pack wants signatures that cannot be written",
            expected="exc-c14n among its canonicalisations",
            remedy="Correct security.yaml.",
        )
    return plan_signing(identity, profile, now, wss_write.fits)


def _find_defect(name: str | None, style: str) -> SecurityDefect:
    if name is None:
        return _RIGHT
    if name not in DEFECTS or style not in DEFECTS[name].problems:
        possible = sorted(each.name for each in DEFECTS.values() if style in each.problems)
        raise ConfigurationFault(
            f"There is no defect {name!r} for messages of the style {style}",
            expected=", ".join(possible) or "no defect at all: nothing is protected",
            remedy="Correct the name of the defect.",
        )
    return DEFECTS[name]


def _find_spare(defect: str, spare: str, spares: Mapping[str, Identity]) -> Identity:
    if spare not in spares:
        raise ConfigurationFault(
            f"The defect {defect} needs an identity that is wrong in this way, and there is none",
            expected=f"a spare identity {spare!r}",
            remedy="Let the test PKI make the spare identities of this party.",
        )
    return spares[spare]
