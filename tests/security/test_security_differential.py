"""Our verdict beside that of xmlsec on signed messages with seeded mutations; every kind of disagreement is explained.

xmlsec says whether the first signature is valid. We say more, so only two of our steps are compared: whether the value
is right, and whether each digest is. ``docs/signatures.md`` explains the kinds; the test fails on one that is new.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections import Counter

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from wss_kit import PROFILE, codes, good

from harness.errors import MalformedInput
from harness.message.envelope import NAMESPACES
from harness.security.algorithm import C14N, DS, DS_MORE, EXC_C14N, XENC
from harness.security.markup import WSU
from harness.security.model import SecurityProfile
from harness.security.protect import inspect

ALL = ("exc-c14n", "exc-c14n-with-comments", "c14n", "c14n-with-comments")
LOOSE = SecurityProfile(
    "wss", canonicalisations=ALL, digests=("sha256", "sha384", "sha512"), most_signatures=5,
    signatures=tuple(f"{kind}-sha{bits}" for kind in ("rsa", "rsa-pss", "ecdsa") for bits in (256, 384, 512)),
)  # fmt: skip
WORDS = (
    b" ", b"\n", b"<!-- x -->", b"<?p i?>", b"<x/>", b"&#x41;", b"<![CDATA[y]]>", b' xmlns:q="urn:q"', b' xmlns=""',
    b' Id="z"', b' xml:lang="en"', b"A", b"=", EXC_C14N.encode(), C14N.encode(), f"{XENC}sha256".encode(),
    f"{XENC}sha512".encode(), f"{DS}sha1".encode(), f"{DS}enveloped-signature".encode(), b"#WithComments",
    f"{DS_MORE}ecdsa-sha256".encode(), b"ds:Transform", b"ds:Object", b'URI=""', b"env:Body", b"wsu:Id",
)  # fmt: skip
COUNT = int(os.environ.get("C2C_DIFFERENTIAL", "1500"))
"""Mutations of one run; more on demand."""


def mutate(data, chance):
    """A message that is mostly still XML: tokens are moved, taken out, doubled or replaced."""
    tokens = re.findall(rb"<[^>]*>|[^<]+", data)
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(tokens))
        match chance.randrange(7):
            case 0:
                tokens[at] = b""
            case 1:
                tokens[at] *= 2
            case 2:
                tokens.insert(at, chance.choice(WORDS))
            case 3:
                place = chance.randint(0, len(tokens[at]))
                tokens[at] = tokens[at][:place] + chance.choice(WORDS) + tokens[at][place:]
            case 4:
                other = chance.randrange(len(tokens))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 5 if tokens[at]:
                place = chance.randrange(len(tokens[at]))
                tokens[at] = tokens[at][:place] + bytes([chance.choice(b'Aa0/<>"= ')]) + tokens[at][place + 1 :]
            case _:
                words = re.findall(rb'"[^"]*"', tokens[at])
                if words:
                    tokens[at] = tokens[at].replace(chance.choice(words), b'"' + chance.choice(WORDS).strip() + b'"')
    return b"".join(tokens)


def ours(world, data):
    """``valid``, or the codes that speak against the signature itself."""
    try:
        report = inspect(data, {}, LOOSE, world.trust, world.now).report
    except MalformedInput as error:
        return {error.code}
    if report.steps["value"] == report.steps["digests"] == report.steps["algorithms"] == "ok":
        return {"valid"}
    return set(codes(report))


def by_xmlsec(world, data):
    xmlsec = pytest.importorskip("xmlsec")
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
        node = next(root.iter(f"{{{DS}}}Signature"))
    except (etree.XMLSyntaxError, StopIteration):
        return False
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    pem = world.ec.certificate.public_bytes(Encoding.PEM)
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(node)
    except xmlsec.Error:
        return False
    return True


STRUCTURE = {"signature/malformed", "too-deep"}
KEY = {
    f"signature/token-{word}"
    for word in ("missing", "unknown", "malformed", "mismatch", "not-allowed", "unresolved", "bare-key")
}  # fmt: skip


def explain(found, data):
    """Why we refuse what xmlsec takes for valid; ``None`` is a disagreement that nobody has explained."""
    if found & {"algorithm/sha1", "algorithm/md5"}:
        return "weak digest"
    if "structure/duplicate-id" in found:
        return "id twice"
    if found & KEY:
        return "certificate in the message"
    if found & {"signature/missing", "not-soap", "signature/reference-unresolved", "structure/second-signature"}:
        return "place in the envelope"
    if found & STRUCTURE:
        return "strict reading"
    if found & {"signature/value-invalid", "signature/key-mismatch"} and b"BinarySecurityToken" in data:
        return "certificate in the message"
    if found & {"algorithm/transform-not-allowed", "signature/reference-not-allowed"}:
        return "other transforms and references"
    return None


def test_mutated_messages(world):
    """What we take for valid, xmlsec does too; what only xmlsec takes is of a kind that is explained."""
    chance = random.Random(20261123)
    seeds = [good(world), good(world, payload=b'<m:Doc xmlns:m="urn:m" xmlns="urn:d" m:a="1"><b>c</b><d/></m:Doc>')]
    tally, unexplained = Counter(), []
    for _ in range(COUNT):
        data = mutate(chance.choice(seeds), chance)
        found, theirs = ours(world, data), by_xmlsec(world, data)
        kind = "agree" if ("valid" in found) == theirs else explain(found, data) if theirs else "only we"
        tally[kind] += 1
        if kind in (None, "only we"):
            unexplained.append((kind, sorted(found), data))
    assert unexplained == []
    assert tally["agree"] > COUNT * 0.8
    assert sum(tally.values()) == COUNT


XMLSEC1 = shutil.which("xmlsec1")


@pytest.mark.skipif(XMLSEC1 is None, reason="the command xmlsec1 is not installed")
def test_mutated_messages_with_the_command(world, tmp_path):
    """A few of them with the command as well, which is another version of the same engine."""
    chance, (leaf, message) = random.Random(8), (tmp_path / "leaf.pem", tmp_path / "message.xml")
    leaf.write_bytes(world.ec.certificate.public_bytes(Encoding.PEM))
    ids = [part for name in (f"{NAMESPACES['1.2']}:Body", f"{WSU}:Timestamp") for part in ("--id-attr:Id", name)]
    for _ in range(60):
        data = mutate(good(world), chance)
        message.write_bytes(data)
        command = [XMLSEC1, "--verify", *ids, "--pubkey-cert-pem", leaf, message]
        done = subprocess.run(command, capture_output=True, check=False, timeout=300)
        found = ours(world, data)
        if ("valid" in found) != (done.returncode == 0):
            assert done.returncode == 0, sorted(found)
            assert explain(found, data) is not None, sorted(found)


def test_the_mutator_changes_what_matters(world):
    """A comparison of messages that nobody harmed would prove nothing."""
    chance = random.Random(1)
    verdicts = Counter("valid" in ours(world, mutate(good(world), chance)) for _ in range(200))
    assert verdicts[True] > 10
    assert verdicts[False] > 50
    assert PROFILE.soap == "1.2"
