"""One message from a file, judged by itself: no exchange, no conversation, only what its bytes say.

Who asks for the signature alone wants to know whether it is valid. So every SOAP envelope is taken then, whatever it
carries, every signed XML document without an envelope, and every JWS; and what is only narrower in the pack than in the
standards becomes a warning. Algorithms, the parts that must be signed and certificates stay those of the pack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from harness.check.model import Finding, Subject
from harness.check.registry import findings
from harness.errors import MalformedInput
from harness.evidence.message import Opened, open_message
from harness.message.binding import read
from harness.message.document import parse
from harness.message.envelope import NAMESPACES
from harness.pack.identify import identify
from harness.pack.model import Pack
from harness.security.algorithm import DS
from harness.security.jws import CRITICAL
from harness.security.model import Problem, SecurityProfile, SignatureReport, Trust
from harness.security.protect import Inspected, inspect, inspect_document, inspect_jws
from harness.security.tokens import TOKENS

PARTS: Mapping[str, str] = {"schema": "schema", "signature": "signature", "rules": "rule", "codelists": "codelist"}
"""What can be looked at: the word of the user to the name of the check."""

NO_PATH = ("untrusted", "self-signed")
"""Codes of findings that only say that no path to an anchor was found."""

NARROWER = ("structure/soap-version", "structure/no-payload", "structure/second-payload", "timestamp/lifetime")
"""Problems that are the pack's taste, when nothing but the signature is asked for."""

JWS_NAMES: Mapping[str, str] = {
    **{f"rsa-sha{bits}": f"RS{bits}" for bits in (256, 384, 512)},
    **{f"rsa-pss-sha{bits}": f"PS{bits}" for bits in (256, 384, 512)},
    **{f"ecdsa-sha{bits}": f"ES{bits}" for bits in (256, 384, 512)},
}
"""Signature algorithms of XML signatures, and what JSON Web Signatures call them."""

JWS_BODIES = ("compact", "flattened", "general")
COMPACT_JWS = re.compile(rb"[A-Za-z0-9_-]+\.[^.]*\.[A-Za-z0-9_-]*\s*$")
XML_SIGNATURE = DS.encode()

ENVELOPES = frozenset(f"{{{namespace}}}Envelope" for namespace in NAMESPACES.values())


@dataclass(frozen=True)
class Examined:
    """What is to be said about one message.

    Parameters:
        findings: of the checks that were asked for.
        report: what the signature says; ``None`` when it was not looked at.
    """

    findings: tuple[Finding, ...]
    report: SignatureReport | None

    @property
    def passed(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)


def examine(
    pack: Pack,
    data: bytes,
    *,
    trust: Trust,
    at: datetime,
    only: Sequence[str] = (),
    name: str | None = None,
    headers: Mapping[str, str] | None = None,
    content: Mapping[str, bytes] | None = None,
) -> Examined:
    """Judge one message.

    A message without its envelope, or without the header that carries its signature, is judged by its content;
    a missing signature is a finding only when *only* names the signature, or when an envelope should hold one.
    Without trust anchors everything about the signature is checked but whose it is: that is then a warning.
    When *only* names nothing but the signature, any SOAP envelope is judged, with any token that is understood.

    Parameters:
        pack: the profile.
        data: the envelope, or the bare message.
        trust: what the signature is believed on.
        at: time at which certificates and time stamps are judged.
        only: words of :data:`PARTS`; empty means all.
        name: name of the message, where the pack does not tell it from the content.
        headers: HTTP headers that came with it, names in lower case.
        content: what a detached signature is about, by the URI that it gives; only when the signature alone is judged.
    """
    headers = dict(headers or {})
    parts = tuple(only) or tuple(PARTS)
    beside = pack.security.header.lower() in headers
    if parts == ("signature",) and not beside and (kind := _kind(pack, data)):
        return _examine_signature(pack, kind, data, trust, at, name, content or {})
    enveloped = pack.envelope != "none" and _root(pack, data) in ENVELOPES
    signable = enveloped or beside or pack.security.style == "xmldsig" or pack.security.form in JWS_BODIES
    if "signature" in parts and (signable or only):
        opened = open_message(pack, {"headers": list(headers.items())}, data, at=at, trust=trust, name=name)
    elif enveloped:
        opened = open_message(pack, {}, data, at=at, trust=None, name=name)
    else:
        opened = _open_bare(pack, data, name)
    checks = [PARTS[part] for part in parts]
    if parts != ("signature",) or opened.malformed is not None:
        checks.insert(0, "envelope")
    return Examined(_findings(pack, opened, headers, checks, trust), opened.report)


def _kind(pack: Pack, data: bytes) -> str | None:
    """The style of a signature, as far as a look at the bytes tells it; ``None`` leaves it to the pack."""
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<"):
        if pack.security.style == "wss" and (_root(pack, data) in ENVELOPES or XML_SIGNATURE not in data):
            return "wss"
        return "xmldsig" if XML_SIGNATURE in data else None
    if COMPACT_JWS.match(text) or (text.startswith(b"{") and b'"signature' in text):
        return "jws"
    return "wss" if pack.security.style == "wss" else None


def _profile(pack: Pack, kind: str) -> SecurityProfile:
    """What the pack allows, for a signature of some style: any token, several signatures, algorithms by their names."""
    security = pack.security
    signatures = security.signatures
    if (kind == "jws") != (security.style == "jws"):
        pairs = [(name, jws) if kind == "jws" else (jws, name) for name, jws in JWS_NAMES.items()]
        signatures = tuple(theirs for ours, theirs in pairs if ours in security.signatures)
    if kind == "wss":
        return replace(security, style=kind, tokens=TOKENS, signatures=signatures)
    return replace(
        security, style=kind, soap=None, tokens=TOKENS, signatures=signatures, most_signatures=5, critical=CRITICAL
    )


def _inspect(
    profile: SecurityProfile, data: bytes, content: Mapping[str, bytes], trust: Trust, at: datetime
) -> Inspected:
    if profile.style == "xmldsig":
        return inspect_document(data, content, profile, trust, at)
    if profile.style == "jws":
        return inspect_jws(data, next(iter(content.values()), None), profile, trust, at)
    return inspect(data, {}, profile, trust, at)


def _examine_signature(
    pack: Pack,
    kind: str,
    data: bytes,
    trust: Trust,
    at: datetime,
    name: str | None,
    content: Mapping[str, bytes],
) -> Examined:
    """Judge the signature of any SOAP envelope, also that of a fault, of any XML document, and of any JWS."""
    try:
        inspected = _inspect(_profile(pack, kind), data, content, trust, at)
    except MalformedInput as malformed:
        opened = Opened(None, "none", malformed=malformed)
        return Examined(_findings(pack, opened, {}, ["envelope"], trust), None)
    document, report = inspected.document, inspected.report
    name = name or (identify(pack, root=document.root) if document is not None else None)
    token = report.algorithms.get("token")
    taste = [problem for problem in report.problems if problem.code in NARROWER]
    if kind == "jws" and pack.security.style != "jws":  # what the pack says of time stamps is said of its own style
        taste += [problem for problem in report.problems if problem.code in ("timestamp/missing", "timestamp/stale")]
    if kind == pack.security.style == "wss" and token and token not in pack.security.tokens:
        text = f"The certificate is named by {token}; the pack wants {', '.join(pack.security.tokens)}."
        taste.append(Problem("signature/token-not-allowed", text))
    report = replace(report, problems=tuple(each for each in report.problems if each not in taste))
    found, warned = (
        _findings(pack, Opened(name, "none", report=replace(report, problems=problems)), {}, ["signature"], trust)
        for problems in (report.problems, tuple(taste))
    )
    return Examined((*found, *(replace(each, severity="warning") for each in warned)), report)


def _findings(
    pack: Pack, opened: Opened, headers: Mapping[str, str], checks: Sequence[str], trust: Trust
) -> tuple[Finding, ...]:
    sender = pack.messages[opened.name].sender if opened.name else None
    found = findings(Subject(pack, opened, (), headers), sender, tuple(checks))
    return found if trust.anchors else tuple(map(_without_anchors, found))


def _without_anchors(finding: Finding) -> Finding:
    if finding.check != "certificate" or finding.code not in NO_PATH:
        return finding
    return replace(finding, severity="warning", message="No trust anchor was given: the signer was not checked.")


def _root(pack: Pack, data: bytes) -> str | None:
    try:
        return parse(pack.format, data).root
    except MalformedInput:
        return None


def _open_bare(pack: Pack, data: bytes, name: str | None) -> Opened:
    try:
        document = parse(pack.format, data)
    except MalformedInput as malformed:
        return Opened(None, "none", malformed=malformed)
    name = name or identify(pack, root=document.root)
    values = read(document, pack.messages[name].bindings) if name else {}
    return Opened(name, "request", document, values)
