"""The two doors of this room: protect a message before it is sent, inspect one that came. They hide the style.

``wss`` is WS-Security in SOAP, ``jws`` a JSON Web Signature, ``xmldsig`` an XML signature without an envelope, ``none``
no protection at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from harness.errors import ConfigurationFault, MalformedInput
from harness.message.document import parse
from harness.message.envelope import SoapFault, open_envelope, wrap
from harness.message.json import parse_json
from harness.message.model import DEFAULT_LIMITS, Document, Limits
from harness.message.xml import XmlDocument, parse_xml
from harness.security import jws, wss, wss_write, xmldsig_document
from harness.security.defect import DEFECTS, SecurityDefect
from harness.security.jws_read import Jws, read_compact, read_json
from harness.security.model import Identity, Problem, SecurityProfile, SignatureReport, Trust
from harness.security.problems import Record
from harness.security.profile import check_profile
from harness.security.signing import Protected, Signing, plan_signing

_NO_SPARES: Mapping[str, Identity] = MappingProxyType({})
_BLANK = b"\xef\xbb\xbf \t\r\n"
_RIGHT = SecurityDefect("", "", {})


class Inspected(NamedTuple):
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
    cosigners: Sequence[Identity] = (),
) -> Protected:
    """Put a payload into its envelope and sign it, as the profile says.

    Parameters:
        body: the payload.
        identity: who signs.
        profile: style and algorithms.
        now: the time to claim.
        defect: name of a defect that is put into the protection, out of :data:`harness.security.defect.DEFECTS`.
        spares: identities that are wrong in one way, by what is wrong with them, for the defects that need one.
        cosigners: who else signs; each covers the same parts and the first signature.

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
    signing = chosen.prepare(_plan(identity, profile, now, cosigners), profile)
    protected = _write(body, profile, signing)
    edit = chosen.edit.get(profile.style)
    return replace(edit(protected), payload=None) if edit else protected


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
    if profile.style == "xmldsig":
        return inspect_document(data, {}, profile, trust, now, limits)
    if profile.style == "jws" and profile.form not in ("", "detached"):
        return inspect_jws(data, None, profile, trust, now, limits)
    document, fault, problems = _open(data, profile, limits)
    if profile.style == "none":
        return Inspected(document, fault, SignatureReport())
    record = Record(jws.STEPS)
    record.note("structure", problems)
    field = next((value for name, value in headers.items() if name.lower() == profile.header.lower()), None)
    return Inspected(document, fault, jws.verify_header(data, field, profile, trust, now, record))


def inspect_document(
    data: bytes,
    outside: Mapping[str, bytes],
    profile: SecurityProfile,
    trust: Trust,
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
) -> Inspected:
    """Open an XML document that is signed without an envelope.

    Parameters:
        outside: content that detached signatures are about, by the URI of its reference.

    The others and the errors are those of :func:`inspect`.
    """
    root = parse_xml(data, limits).element
    report = xmldsig_document.verify(root, outside, profile, trust, now, Record(xmldsig_document.STEPS))
    content = xmldsig_document.content_element(root)
    return Inspected(None if content is None else XmlDocument(content), None, report)


def inspect_jws(
    data: bytes,
    payload: bytes | None,
    profile: SecurityProfile,
    trust: Trust,
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
) -> Inspected:
    """Open a JWS in any serialisation.

    Parameters:
        payload: what a detached JWS is about; ``None`` for one that holds its payload.

    The others and the errors are those of :func:`inspect`; a payload that is no JSON and no XML is no document.
    """
    record = Record(jws.STEPS)
    try:
        read = _read_jws(data, limits)
        content = read.content(payload)
    except ValueError as error:
        document = _payload(data, limits)
        bare = document is not None and not any(document.texts(each) for each in ("signature", "signatures"))
        code, text = ("missing", "The message is no JWS") if bare else ("malformed", "The JWS cannot be read")
        record.note("structure", [Problem(f"signature/{code}", f"{text}: {error}.")])
        return Inspected(document, None, SignatureReport(problems=tuple(record.problems), steps=record.steps))
    return Inspected(_payload(content, limits), None, jws.verify(read, content, profile, trust, now, record))


def open_unsigned(
    data: bytes, profile: SecurityProfile, limits: Limits = DEFAULT_LIMITS
) -> tuple[Document | None, SoapFault | None]:
    """Open a message and leave its signature alone: one that we made ourselves.

    Raises:
        MalformedInput: the bytes are not a readable message.
    """
    if profile.style == "xmldsig":
        content = xmldsig_document.content_element(parse_xml(data, limits).element)
        return None if content is None else XmlDocument(content), None
    if profile.style == "jws" and profile.form not in ("", "detached"):
        try:
            return _payload(_read_jws(data, limits).content(None), limits), None
        except ValueError as error:
            raise MalformedInput("not-jws", f"the message is not a readable JWS: {error}") from error
    document, fault, _problems = _open(data, profile, limits)
    return document, fault


def _read_jws(data: bytes, limits: Limits) -> Jws:
    """Read a JWS of any form; :class:`ValueError` says why it is none, MalformedInput that it is beyond the bounds."""
    if len(data) > limits.size:
        raise MalformedInput("too-large", f"the message has {len(data)} bytes, more than {limits.size}")
    if data.lstrip(_BLANK).startswith(b"{"):
        parse_json(data, limits)
        return read_json(data)
    return read_compact(data.decode("ascii").strip())


def _payload(data: bytes, limits: Limits) -> Document | None:
    return _parse(data, limits) if data.lstrip(_BLANK)[:1] in (b"<", b"{", b"[") else None


def _open(
    data: bytes, profile: SecurityProfile, limits: Limits
) -> tuple[Document | None, SoapFault | None, list[Problem]]:
    if profile.soap is not None:
        envelope = open_envelope(data, profile.soap, limits)
        return envelope.body, envelope.fault, [Problem(code, text) for code, text in envelope.problems]
    return _parse(data, limits), None, []


def _parse(data: bytes, limits: Limits) -> Document:
    return parse("xml" if data.lstrip(_BLANK).startswith(b"<") else "json", data, limits)


def _write(body: Document, profile: SecurityProfile, signing: Signing) -> Protected:
    if profile.style == "wss":
        return wss_write.write(body, profile.soap or "1.2", signing)
    data = _plain(body, profile)
    if not signing.parts:
        return Protected(data, {})
    if profile.style == "xmldsig":
        return Protected(xmldsig_document.write(data, signing, profile.form or xmldsig_document.FORMS[0]), {})
    form = profile.form or jws.FORMS[0]
    written = jws.write(data, signing, form)
    return Protected(data, {profile.header: written}) if form == "detached" else Protected(written.encode(), {})


def _plain(body: Document, profile: SecurityProfile) -> bytes:
    return body.to_bytes() if profile.soap is None else wrap(body, profile.soap)


def _plan(identity: Identity, profile: SecurityProfile, now: datetime, cosigners: Sequence[Identity]) -> Signing:
    fits = jws.fits if profile.style == "jws" else wss_write.fits
    if cosigners and not (profile.style == "wss" or profile.form == "general"):
        raise ConfigurationFault(
            f"A message of the style {profile.style} has one signature",
            expected="one signer; several with wss, or jws in the form general",
            remedy="Leave the other signers out.",
        )
    plan = plan_signing(identity, profile, now, fits)
    others = tuple(plan_signing(each, profile, now, fits) for each in cosigners)
    return replace(plan, cosigners=others) if others else plan


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
