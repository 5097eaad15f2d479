"""Second opinions: what other implementations say of our messages, and what we say of theirs.

They judge whether a signature is valid, and mostly nothing else: so each verdict is compared with our steps ``value``
and ``digests``, and where a peer is known to see more or less, the table of that peer says so.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64decode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from lxml import etree
from wss_kit import BROKEN, FORBIDDEN, PROFILES, SIGNED_DEFECTS, UNUSABLE, codes, good, verify

from harness.message.envelope import NAMESPACES
from harness.security.algorithm import C14N, EXC_C14N
from harness.security.keys import to_pem
from harness.security.markup import WSU
from harness.security.model import SecurityProfile
from harness.security.tokens import TOKENS


def leaf_pem(data):
    der = b64decode(re.search(rb"BinarySecurityToken [^>]*>([^<]*)", data)[1])
    return load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def intact(today, data, soap="1.2"):
    steps = verify(today, data, profile=PROFILES[soap]).steps
    return steps["value"] == steps["digests"] == "ok"


def test_our_own_verdict_on_the_signature_alone(today):
    for name in SIGNED_DEFECTS:
        assert intact(today, good(today, defect=name)) == (name not in BROKEN | UNUSABLE | FORBIDDEN), name


# --- python-xmlsec


def by_xmlsec(data):
    xmlsec = pytest.importorskip("xmlsec")
    root = etree.fromstring(data)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(leaf_pem(data), xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(xmlsec.tree.find_node(root, xmlsec.constants.NodeSignature))
    except xmlsec.Error:
        return False
    return True


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize("defect", [None, *SIGNED_DEFECTS])
def test_verdict_of_xmlsec(today, kind, defect):
    """It allows SHA-1, MD5, XPath, XSLT and comments in digests, takes the first of two ids, and does not look at
    certificates, times and places."""
    sees_more = {"signature/no-references", "signature/second-signed-info"}
    assert by_xmlsec(good(today, kind, defect=defect)) == (defect not in BROKEN | UNUSABLE | sees_more)


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize(
    ("kind", "algorithm", "digest"),
    [
        ("ec", "ecdsa-sha256", "sha256"),
        ("ec", "ecdsa-sha512", "sha384"),
        ("rsa", "rsa-sha384", "sha512"),
        ("rsa", "rsa-pss-sha256", "sha256"),
    ],
)
def test_xmlsec_verifies_every_algorithm(today, soap, kind, algorithm, digest):
    profile = SecurityProfile("wss", soap=soap, signatures=(algorithm,), digests=(digest,))
    data = good(today, kind, profile=profile)
    assert verify(today, data, profile=profile).trusted
    assert by_xmlsec(data)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_we_verify_what_xmlsec_signs(today, kind):
    assert verify(today, signed_by_xmlsec(as_template(good(today, kind)), getattr(today, kind))).trusted


def signed_by_xmlsec(template, identity):
    xmlsec = pytest.importorskip("xmlsec")
    root = etree.fromstring(template)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(identity.key_file.read_bytes(), xmlsec.constants.KeyDataFormatPem)
    context.sign(xmlsec.tree.find_node(root, xmlsec.constants.NodeSignature))
    return etree.tostring(root)


def as_template(data):
    """A signed message with everything that was computed taken out."""
    return re.sub(rb"(<ds:(DigestValue|SignatureValue)>)[^<]*", rb"\1", data)


# --- signxml


def by_signxml(data):
    signxml = pytest.importorskip("signxml")
    try:
        signxml.XMLVerifier().verify(
            data,
            x509_cert=leaf_pem(data).decode(),
            expect_references=data.count(b"<ds:Reference "),
            validate_schema=False,
            expect_config=signxml.SignatureConfiguration(location=".//"),
        )
    except (signxml.InvalidSignature, signxml.InvalidCertificate, signxml.InvalidInput, signxml.InvalidDigest):
        return False
    return True


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize("defect", [None, *SIGNED_DEFECTS])
def test_verdict_of_signxml(today, kind, defect):
    """It sees ambiguous ids and signatures and weak digests, and looks at the dates of a given certificate."""
    sees_more = {
        "signature/sha1", "signature/digest-sha1", "signature/digest-md5", "signature/hidden-by-xpath",
        "signature/replaced-by-xslt", "signature/second-signature", "signature/second-signed-info",
        "signature/duplicate-id", "certificate/expired", "certificate/not-yet-valid",
    }  # fmt: skip
    assert by_signxml(good(today, kind, defect=defect)) == (defect not in BROKEN | UNUSABLE | sees_more)


# --- xmlsec1


XMLSEC1 = shutil.which("xmlsec1")
needs_xmlsec1 = pytest.mark.skipif(XMLSEC1 is None, reason="the command xmlsec1 is not installed")


def run_xmlsec1(*arguments, soap="1.2"):
    ids = ["--id-attr:Id", f"{NAMESPACES[soap]}:Body", "--id-attr:Id", f"{WSU}:Timestamp"]
    command = [XMLSEC1, arguments[0], *ids, *map(str, arguments[1:])]
    return subprocess.run(command, capture_output=True, check=False, timeout=300)


@needs_xmlsec1
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_verdict_of_xmlsec1(today, kind, tmp_path):
    for soap, profile in PROFILES.items():
        for defect in (None, *BROKEN, "signature/duplicate-id", "signature/wrapped-body"):
            data = good(today, kind, profile=profile, defect=defect)
            (tmp_path / "message").write_bytes(data)
            (tmp_path / "leaf").write_bytes(leaf_pem(data))
            found = run_xmlsec1("--verify", "--pubkey-cert-pem", tmp_path / "leaf", tmp_path / "message", soap=soap)
            assert (found.returncode == 0) == (defect not in BROKEN | {"signature/duplicate-id"}), (soap, defect)


@needs_xmlsec1
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_we_verify_what_xmlsec1_signs(today, kind, tmp_path):
    (tmp_path / "template").write_bytes(as_template(good(today, kind)))
    run_xmlsec1(
        "--sign", "--privkey-pem", getattr(today, kind).key_file, "--output", tmp_path / "out", tmp_path / "template"
    )
    assert verify(today, (tmp_path / "out").read_bytes()).trusted


@needs_xmlsec1
@pytest.mark.parametrize("token", TOKENS)
def test_xmlsec1_verifies_and_signs_with_every_token(today, token, tmp_path):
    profile = SecurityProfile("wss", soap="1.1", tokens=(token,))
    data = good(today, "rsa", profile=profile)
    (tmp_path / "message").write_bytes(data)
    (tmp_path / "leaf").write_bytes(to_pem((today.rsa.certificate,)))
    done = run_xmlsec1("--verify", "--pubkey-cert-pem", tmp_path / "leaf", tmp_path / "message", soap="1.1")
    assert done.returncode == 0, done.stderr
    (tmp_path / "template").write_bytes(as_template(data))
    target = tmp_path / "out"
    run_xmlsec1("--sign", "--privkey-pem", today.rsa.key_file, "--output", target, tmp_path / "template", soap="1.1")
    known = replace(today.trust, known=(today.rsa.certificate,))
    assert verify(today, target.read_bytes(), profile=profile, trust=known).trusted


METHODS = {
    "exc-c14n": EXC_C14N,
    "exc-c14n-with-comments": f"{EXC_C14N}WithComments",
    "c14n": C14N,
    "c14n-with-comments": f"{C14N}#WithComments",
}
FULL_PAYLOAD = (
    b'<m:Doc xmlns:m="urn:m" xmlns="urn:d" xmlns:t="urn:t" m:type="t:Kind" xml:lang="en"><!-- aside -->'
    b'<Name xmlns:u="urn:u">a <!-- inside --> b</Name><Plain xmlns=""/></m:Doc>'
)


@pytest.mark.parametrize("inside", METHODS)
@pytest.mark.parametrize("outside", METHODS)
def test_every_canonicalisation_with_xmlsec(today, outside, inside):
    """Of SignedInfo and of what is signed, with a PrefixList where there can be one; comments are never signed."""
    listed = b'><ec:InclusiveNamespaces xmlns:ec="%b" PrefixList="env #default m"/></ds:Transform>' % EXC_C14N.encode()
    data = as_template(good(today, "rsa", payload=FULL_PAYLOAD)).replace(EXC_C14N.encode(), METHODS[inside].encode())
    data = data.replace(METHODS[inside].encode(), METHODS[outside].encode(), 1)
    data = data.replace(b"></ds:Transform>", listed) if inside.startswith("exc") else data
    made = signed_by_xmlsec(data, today.rsa)
    profile = SecurityProfile("wss", soap="1.2", canonicalisations=tuple(METHODS))
    assert codes(verify(today, made, profile=profile)) == []
    assert codes(verify(today, made.replace(b" aside ", b" changed "), profile=profile)) == []
    assert codes(verify(today, made.replace(b">a <", b">A <"), profile=profile)) == ["signature/digest-mismatch"]
    narrow = SecurityProfile("wss", soap="1.2")
    expected = set() if {outside, inside} == {"exc-c14n"} else {"algorithm/not-allowed"}
    assert set(codes(verify(today, made, profile=narrow))) == expected


def test_reference_without_a_canonicalisation_means_the_inclusive_one(today):
    data = re.sub(rb"<ds:Transforms>.*?</ds:Transforms>", b"", as_template(good(today, "rsa", payload=FULL_PAYLOAD)))
    made = signed_by_xmlsec(data, today.rsa)
    allowed = SecurityProfile("wss", soap="1.2", canonicalisations=("exc-c14n", "c14n"))
    assert codes(verify(today, made, profile=allowed)) == []
    assert set(codes(verify(today, made))) == {"algorithm/transform-not-allowed"}
