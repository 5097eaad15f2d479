"""Second opinions of whole SOAP stacks: Apache WSS4J, node-soap with xml-crypto; they sign for us, and we for them.

They judge whether a signature is valid, and mostly nothing else: where a peer is known to see less, its table says so.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from wss_kit import BOTH, BROKEN, PROFILES, SIGNED_DEFECTS, codes, good, verify

from harness.message.envelope import NAMESPACES
from harness.security.algorithm import DS_MORE, XENC
from harness.security.keys import to_pem
from harness.security.model import SecurityProfile
from harness.security.tokens import TOKENS

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
    "signature/digest-sha1": BOTH,
    "signature/comment-in-digest": BOTH,
    "signature/second-signature": BOTH,
    "signature/nested-body": "/Envelope/Body/Body /Envelope/Header/Security/Timestamp",
    "signature/wrapped-timestamp": "/Envelope/Body /Envelope/Header/Wrapper/Timestamp",
    "timestamp/lifetime": BOTH,
    "timestamp/without-zone": BOTH,
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
    subprocess.run(["javac", "-cp", path, "-d", classes, source], check=True, timeout=300, capture_output=True)

    def run(*arguments):
        command = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{path}", "Wss4jPeer"]
        done = subprocess.run(
            [*command, *map(str, arguments)], check=False, timeout=300, capture_output=True, text=True
        )
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
                    else ["unsigned"] if defect in ("signature/missing", "signature/other-actor")
                    else ["valid", WSS4J_BLIND[defect]] if defect in WSS4J_BLIND
                    else ["invalid"]
                )  # fmt: skip
    trust = tmp_path.parent / "trust.pem"
    trust.write_bytes(to_pem((*today.trust.anchors, *today.trust.intermediates)))
    found = {name: verdict for name, *verdict in wss4j("verify", trust, tmp_path)}
    assert found.keys() == expected.keys()
    assert {name: found[name] for name in found if found[name][: len(expected[name])] != expected[name]} == {}


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
    return subprocess.run(
        ["node", peer, *map(str, arguments)], capture_output=True, check=False, timeout=300, text=True
    )


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
