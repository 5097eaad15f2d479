"""Helpers to make odd envelopes: edit the text of a good one, and sign its SignedInfo or a Body again."""

from __future__ import annotations

import re
from base64 import b64encode

from lxml import etree

from harness.message.document import parse
from harness.security.algorithm import DIGESTS, DS, SIGNATURES, sign
from harness.security.c14n import canonical
from harness.security.defect import DEFECTS
from harness.security.markup import index_ids
from harness.security.model import SecurityProfile
from harness.security.protect import inspect, protect

PROFILE = SecurityProfile("wss", soap="1.2")
XML = b'<m:Doc xmlns:m="urn:m"><m:Name>Transit office</m:Name><m:Mass>12.50</m:Mass></m:Doc>'

PROFILES = {soap: SecurityProfile("wss", soap=soap) for soap in ("1.2", "1.1")}
WITHOUT_CERTIFICATE = {"signature/missing", "signature/bare-key"}
SIGNED_DEFECTS = [name for name, each in DEFECTS.items() if "wss" in each.problems and name not in WITHOUT_CERTIFICATE]
"""Those that peers can judge: they are given the certificate that comes with the message."""


def _signature(*names):
    return {f"signature/{name}" for name in names}


BROKEN = _signature("body-altered", "timestamp-altered", "value-corrupt", "digest-corrupt", "foreign-key")
"""What no verifier can take for valid."""

UNUSABLE = _signature("hmac", "unknown-algorithm", "external-reference", "dangling-reference")
"""What engines cannot follow; by the way that they are given the key, also HMAC."""

FORBIDDEN = _signature(
    "sha1", "digest-sha1", "digest-md5", "hidden-by-xpath", "replaced-by-xslt", "no-references", "second-signed-info",
    "comment-in-digest", "key-info-missing", "other-actor",
)  # fmt: skip
"""What can be verified by an engine that allows it, and we refuse."""
BOTH = "/Envelope/Body /Envelope/Header/Security/Timestamp"
"""What is signed in a good message, as WSS4J lists it."""


def good(world, kind="ec", *, profile=PROFILE, payload=XML, now=None, defect=None):
    identity = getattr(world, kind)
    body = parse("xml", payload)
    return protect(body, identity, profile, now or world.now, defect, spares=world.spares[kind]).data


def verify(world, data, *, profile=PROFILE, trust=None, now=None):
    return inspect(data, {}, profile, trust or world.trust, now or world.now).report


def codes(report):
    return [problem.code for problem in report.problems]


def edit(data, old, new, count=1):
    old, new = (each if isinstance(each, bytes) else each.encode() for each in (old, new))
    assert old in data, old
    return data.replace(old, new, count)


def digest_again(data):
    """Write every digest anew, as its reference says; what cannot be digested keeps its digest."""
    root = etree.fromstring(data)
    ids = index_ids(root).elements
    values = []
    for reference in root.iter(f"{{{DS}}}Reference"):
        digest = DIGESTS.get(reference.find(f"{{{DS}}}DigestMethod").get("Algorithm"))
        element = ids.get(reference.get("URI", "")[1:])
        old = reference.find(f"{{{DS}}}DigestValue").text
        new = b64encode(digest.of(canonical(element))).decode() if digest and element is not None else old
        values.append(new)
    found = iter(values)
    return re.sub(rb"<ds:DigestValue>[^<]*", lambda _match: b"<ds:DigestValue>" + next(found).encode(), data)


def sign_again(data, key, *, value=None):
    """Write the signature value anew over SignedInfo as it stands; *value* turns r||s into something else."""
    signed_info = etree.fromstring(data).find(f".//{{{DS}}}SignedInfo")
    algorithm = SIGNATURES[signed_info.find(f"{{{DS}}}SignatureMethod").get("Algorithm")]
    made = sign(algorithm, key, canonical(signed_info))
    text = b64encode(value(made) if value else made)
    return re.sub(rb"<ds:SignatureValue>[^<]*", b"<ds:SignatureValue>" + text, data)
