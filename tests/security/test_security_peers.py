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
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from lxml import etree
from wss_kit import codes, good, verify

from harness.message.envelope import NAMESPACES
from harness.security.algorithm import C14N, DS_MORE, EXC_C14N, XENC
from harness.security.defect import DEFECTS
from harness.security.keys import to_pem
from harness.security.markup import WSU
from harness.security.model import SecurityProfile
from harness.security.pki import TestPki
from harness.security.spares import make_spares
from harness.security.tokens import TOKENS

PROFILES = {soap: SecurityProfile("wss", soap=soap) for soap in ("1.2", "1.1")}
SIGNED_DEFECTS = [each.name for each in DEFECTS.values() if "wss" in each.problems and each.name != "signature/missing"]
BROKEN = {
    "signature/body-altered",
    "signature/timestamp-altered",
    "signature/value-corrupt",
    "signature/digest-corrupt",
    "signature/foreign-key",
}
BOTH = "/Envelope/Body /Envelope/Header/Security/Timestamp"


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    """A PKI of this moment: some peers look at the clock."""
    now = datetime.now(UTC)
    pki = TestPki.create(tmp_path_factory.mktemp("today"), now)
    ec, rsa = pki.issue("ec"), pki.issue("rsa", key="rsa")
    spares = {"ec": make_spares(pki, ec), "rsa": make_spares(pki, rsa)}
    return SimpleNamespace(now=now, pki=pki, ec=ec, rsa=rsa, spares=spares, trust=pki.trust)


def leaf_pem(data):
    der = b64decode(re.search(rb"BinarySecurityToken [^>]*>([^<]*)", data)[1])
    return load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def intact(today, data, soap="1.2"):
    steps = verify(today, data, profile=PROFILES[soap]).steps
    return steps["value"] == steps["digests"] == "ok"


def test_our_own_verdict_on_the_signature_alone(today):
    for name in SIGNED_DEFECTS:
        assert intact(today, good(today, defect=name)) == (
            name not in BROKEN | {"signature/sha1"}
        ), name


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
    """It allows SHA-1, takes the first of two ids, and does not look at certificates, times and places."""
    assert by_xmlsec(good(today, kind, defect=defect)) == (defect not in BROKEN)


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
    """It sees ambiguous ids and SHA-1, and looks at the dates of a given certificate."""
    sees_more = {"signature/sha1", "signature/duplicate-id", "certificate/expired", "certificate/not-yet-valid"}
    assert by_signxml(good(today, kind, defect=defect)) == (defect not in BROKEN | sees_more)


# --- xmlsec1


XMLSEC1 = shutil.which("xmlsec1")
needs_xmlsec1 = pytest.mark.skipif(XMLSEC1 is None, reason="the command xmlsec1 is not installed")


def run_xmlsec1(*arguments, soap="1.2"):
    ids = ["--id-attr:Id", f"{NAMESPACES[soap]}:Body", "--id-attr:Id", f"{WSU}:Timestamp"]
    command = [XMLSEC1, arguments[0], *ids, *map(str, arguments[1:])]
    return subprocess.run(command, capture_output=True, check=False, timeout=30)


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
    run_xmlsec1(
        "--sign", "--privkey-pem", today.rsa.key_file, "--output", target, tmp_path / "template", soap="1.1"
    )
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


# --- Apache WSS4J


LIBRARIES = ("wss4j", "xmlsec", "commons-logging", "slf4j-api", "slf4j-nop")
JARS = [Path("/usr/share/java") / f"{name}.jar" for name in LIBRARIES]
needs_wss4j = pytest.mark.skipif(
    not (shutil.which("javac") and all(jar.exists() for jar in JARS)),
    reason="javac and the Debian packages libwss4j-java and libxml-security-java are not installed",
)
WSS4J_TOKENS = ("x509v3", "pkipath", "ski", "thumbprint", "x509v3-identifier", "issuer-serial")
WSS4J_BLIND = {
    "certificate/is-ca": BOTH,
    "certificate/key-usage": BOTH,
    "certificate/weak-key": BOTH,
    "certificate/revoked": BOTH,
    "signature/sha1": BOTH,
    "signature/wrapped-body": "/Envelope/Header/Security/Timestamp /Envelope/Header/Wrapper/Body",
    "signature/body-not-signed": "/Envelope/Header/Security/Timestamp",
    "signature/timestamp-not-signed": "/Envelope/Body",
    "timestamp/missing": "/Envelope/Body",
}
"""What WSS4J accepts, with what it says was signed: it leaves these to its caller."""


@pytest.fixture(scope="module")
def wss4j(tmp_path_factory):
    classes = tmp_path_factory.mktemp("classes")
    path = ":".join(map(str, JARS))
    source = Path(__file__).parent / "peers" / "Wss4jPeer.java"
    subprocess.run(["javac", "-cp", path, "-d", classes, source], check=True, timeout=60, capture_output=True)

    def run(*arguments):
        command = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{path}", "Wss4jPeer"]
        done = subprocess.run([*command, *map(str, arguments)], check=False, timeout=60, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    return run


@needs_wss4j
def test_verdicts_of_wss4j(today, wss4j, tmp_path):
    expected = {}
    for soap, profile in PROFILES.items():
        for kind in ("ec", "rsa"):
            for defect in (None, "signature/missing", *SIGNED_DEFECTS):
                name = f"{soap} {kind} {(defect or 'good').replace('/', ' ')}"
                (tmp_path / name).write_bytes(good(today, kind, profile=profile, defect=defect))
                expected[name] = (
                    ["valid", BOTH] if defect is None
                    else ["unsigned"] if defect == "signature/missing"
                    else ["valid", WSS4J_BLIND[defect]] if defect in WSS4J_BLIND
                    else ["invalid"]
                )  # fmt: skip
    trust = tmp_path.parent / "trust.pem"
    trust.write_bytes(to_pem((*today.trust.anchors, *today.trust.intermediates)))
    found = {name: verdict for name, *verdict in wss4j("verify", trust, tmp_path)}
    assert {name: verdict[: len(expected[name])] for name, verdict in found.items()} == expected


PAYLOADS = {
    "prefixed": '<m:Doc xmlns:m="urn:m" xmlns:t="urn:t" m:type="t:Kind"><m:Name>Zürich</m:Name></m:Doc>',
    "default": '<Doc xmlns="urn:m"><Name xmlns="urn:n">a</Name><Plain xmlns="">b</Plain></Doc>',
    "plain": "<Doc><Name>a &amp; b</Name></Doc>",
}
ENVELOPES = {
    "prefixed": '<s:Envelope xmlns:s="{soap}" xmlns:u="urn:unused"><s:Header/><s:Body>{payload}</s:Body></s:Envelope>',
    "default": '<Envelope xmlns="{soap}" xmlns:m="urn:m"><Header/><Body>{payload}</Body></Envelope>',
    "mixed": '<s:Envelope xmlns:s="{soap}" xmlns="urn:d"><s:Header/><s:Body>{payload}</s:Body></s:Envelope>',
}


@needs_wss4j
def test_we_verify_what_wss4j_signs(today, wss4j, tmp_path):
    """With and without PrefixList (``#default`` included), every algorithm, and namespaces in all positions."""
    jobs = []
    for (kind, algorithm, bits), prefixes, soap, envelope, payload in product(
        (("ec", "ecdsa-sha256", 256), ("rsa", "rsa-sha512", 512)), ("true", "false"), NAMESPACES, ENVELOPES, PAYLOADS
    ):
        identity = getattr(today, kind)
        source = tmp_path / f"{soap}-{envelope}-{payload}.in"
        text = ENVELOPES[envelope].format(soap=NAMESPACES[soap], payload=PAYLOADS[payload])
        source.write_text(text, encoding="utf-8")
        target = tmp_path / f"{algorithm}-{prefixes}-{source.stem}.out"
        files = identity.certificate_file, identity.key_file
        jobs.append((soap, bits, [*files, DS_MORE + algorithm, f"{XENC}sha{bits}", prefixes, source, target]))
    listed = tmp_path / "jobs"
    listed.write_text("\n".join("\t".join(map(str, job)) for _, _, job in jobs), encoding="utf-8")
    wss4j("sign", listed)
    prefix_lists = 0
    for soap, bits, job in jobs:
        data = job[-1].read_bytes()
        prefix_lists += b"#default" in data
        algorithms = (f"rsa-sha{bits}", f"ecdsa-sha{bits}")
        profile = SecurityProfile("wss", soap=soap, signatures=algorithms, digests=(f"sha{bits}",))
        report = verify(today, data, profile=profile, now=datetime.now(UTC))
        assert codes(report) == [], job[-1].name
        assert set(report.signed) == set(BOTH.split())
    assert prefix_lists


@needs_wss4j
def test_we_verify_every_token_of_wss4j(today, wss4j, tmp_path):
    """All kinds it can write, plain, with the token signed, and with the reference signed (STR transform)."""
    known = replace(today.trust, known=(today.ec.certificate, today.rsa.certificate))
    jobs = []
    for kind, token, prefixes, (soap, envelope), part in product(
        ("ec", "rsa"),
        WSS4J_TOKENS,
        ("true", "false"),
        (("1.1", "default"), ("1.2", "mixed")),
        ("", "token", "reference"),
    ):
        if part == "token" and token not in ("x509v3", "pkipath"):
            continue
        identity = getattr(today, kind)
        source, target = (tmp_path / f"{kind}-{token}-{prefixes}-{soap}-{part}.{end}" for end in "io")
        source.write_text(ENVELOPES[envelope].format(soap=NAMESPACES[soap], payload=PAYLOADS["default"]), "utf-8")
        algorithm = f"{DS_MORE}{'ecdsa' if kind == 'ec' else 'rsa'}-sha256"
        files = identity.certificate_file, identity.key_file
        jobs.append((*files, algorithm, f"{XENC}sha256", prefixes, source, target, token, *([part] if part else [])))
    listed = tmp_path / "jobs"
    listed.write_text("\n".join("\t".join(map(str, job)) for job in jobs), encoding="utf-8")
    wss4j("sign", listed)
    for *_, target, token, part in (job if len(job) == 9 else (*job, "") for job in jobs):
        data = target.read_bytes()
        profile = SecurityProfile("wss", tokens=(token,), signed=("body", "timestamp", *(["token"] if part else [])))
        report = verify(today, data, profile=profile, trust=known, now=datetime.now(UTC))
        assert codes(report) == [], target.name
        assert report.algorithms["token"] == token
        assert len(report.signed) == (3 if part else 2)


@needs_wss4j
def test_wss4j_verifies_every_token_of_ours(today, wss4j, tmp_path):
    expected = {}
    for soap, kind, token in product(NAMESPACES, ("ec", "rsa"), TOKENS):
        for signed in (("body", "timestamp"), ("body", "timestamp", "token")):
            for defect in (None, "signature/body-altered", "signature/foreign-key"):
                profile = SecurityProfile("wss", soap=soap, tokens=(token,), signed=signed)
                name = f"{soap} {kind} {token} {len(signed)} {(defect or 'good').replace('/', ' ')}"
                (tmp_path / name).write_bytes(good(today, kind, profile=profile, defect=defect))
                expected[name] = "invalid" if defect else "valid"
    trust = tmp_path.parent / "known.pem"
    certificates = (*today.trust.anchors, *today.trust.intermediates, today.ec.certificate, today.rsa.certificate)
    trust.write_bytes(to_pem(certificates))
    found = {name: verdict for name, *verdict in wss4j("verify", trust, tmp_path)}
    assert {name: verdict[0] for name, verdict in found.items()} == expected
    assert {len(verdict[1].split()) for verdict in found.values() if verdict[0] == "valid"} == {2, 3}


# --- node-soap and xml-crypto


def run_node(*arguments):
    peer = Path(__file__).parent / "peers" / "node_peer.js"
    return subprocess.run(["node", peer, *map(str, arguments)], capture_output=True, check=False, timeout=60, text=True)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """The peer, where node finds its packages (also through NODE_PATH)."""
    if shutil.which("node") is None or run_node("verify", tmp_path_factory.mktemp("nothing")).returncode != 0:
        pytest.skip("node with the packages soap and xml-crypto is not installed")

    def run(*arguments):
        done = run_node(*arguments)
        assert done.returncode == 0, done.stderr
        return dict(line.split("\t") for line in done.stdout.splitlines())

    return run


def test_we_verify_what_node_soap_signs(today, node, tmp_path):
    """Its time stamps live for ten minutes, and its references name a transform that changes nothing."""
    for soap, (name, payload), ids in product(NAMESPACES, PAYLOADS.items(), ("wsu", "plain")):
        source = tmp_path / f"{ids}-{soap}-{name}.in"
        text = ENVELOPES["prefixed"].format(soap=NAMESPACES[soap], payload=payload)
        source.write_text(text.replace("<s:Header/>", "<s:Header></s:Header>"), encoding="utf-8")
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(to_pem((today.rsa.certificate,)))
    node("sign", tmp_path, today.rsa.key_file, leaf)
    outputs = sorted(tmp_path.glob("*.out"))
    assert len(outputs) == len(NAMESPACES) * len(PAYLOADS) * 2
    profile = SecurityProfile("wss", lifetime=timedelta(minutes=10))
    for output in outputs:
        report = verify(today, output.read_bytes(), profile=profile, now=datetime.now(UTC))
        assert codes(report) == [], output.name
        assert set(report.signed) == set(BOTH.split())


def test_verdict_of_xml_crypto(today, node, tmp_path):
    """It knows no ECDSA and no STR transform; certificates, times and places are left to its caller."""
    expected = {}
    defects = (None, "signature/body-altered", "signature/foreign-key", "signature/wrapped-body")
    for soap, token, defect in product(NAMESPACES, TOKENS, defects):
        profile = SecurityProfile("wss", soap=soap, tokens=(token,))
        name = f"{soap} {token} {(defect or 'good').replace('/', ' ')}"
        (tmp_path / f"{name}.xml").write_bytes(good(today, "rsa", profile=profile, defect=defect))
        (tmp_path / f"{name}.pem").write_bytes(to_pem((today.rsa.certificate,)))
        expected[f"{name}.xml"] = "invalid" if defect in BROKEN else "valid"
    assert node("verify", tmp_path) == expected
