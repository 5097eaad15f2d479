"""One message from a file, judged by itself: no exchange, no conversation, only what its bytes say."""

from __future__ import annotations

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
from harness.security.model import SignatureReport, Trust

PARTS: Mapping[str, str] = {"schema": "schema", "signature": "signature", "rules": "rule", "codelists": "codelist"}
"""What can be looked at: the word of the user to the name of the check."""

NO_PATH = ("untrusted", "self-signed", "issuer-out-of-date", "path-invalid")
"""Codes of findings that only say that no path to an anchor was found."""

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
) -> Examined:
    """Judge one message.

    A message without its envelope, or without the header that carries its signature, is judged by its content;
    a missing signature is a finding only when *only* names the signature, or when an envelope should hold one.
    Without trust anchors everything about the signature is checked but whose it is: that is then a warning.

    Parameters:
        pack: the profile.
        data: the envelope, or the bare message.
        trust: what the signature is believed on.
        at: time at which certificates and time stamps are judged.
        only: words of :data:`PARTS`; empty means all.
        name: name of the message, where the pack does not tell it from the content.
        headers: HTTP headers that came with it, names in lower case.
    """
    headers = dict(headers or {})
    parts = tuple(only) or tuple(PARTS)
    enveloped = pack.envelope != "none" and _root(pack, data) in ENVELOPES
    signable = enveloped or pack.security.header.lower() in headers
    if "signature" in parts and (signable or only):
        opened = open_message(pack, {"headers": list(headers.items())}, data, at=at, trust=trust, name=name)
    elif enveloped:
        opened = open_message(pack, {}, data, at=at, trust=None, name=name)
    else:
        opened = _open_bare(pack, data, name)
    checks = [PARTS[part] for part in parts]
    if parts != ("signature",) or opened.malformed is not None:
        checks.insert(0, "envelope")
    sender = pack.messages[opened.name].sender if opened.name else None
    found = findings(Subject(pack, opened, (), headers), sender, tuple(checks))
    return Examined(found if trust.anchors else tuple(map(_without_anchors, found)), opened.report)


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
