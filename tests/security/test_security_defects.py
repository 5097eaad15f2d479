"""Every defect, in every style: our verification reports exactly what was meant, and its good twin is clean."""

from __future__ import annotations

import pytest

from harness.errors import ConfigurationFault
from harness.message.document import parse
from harness.message.json import parse_json
from harness.security.defect import DEFECTS
from harness.security.model import SecurityProfile
from harness.security.problems import PROBLEMS
from harness.security.protect import inspect, protect

XML = '<m:Doc xmlns:m="urn:m" m:a="1"><m:Name>Zürich transit office</m:Name><m:Mass>12.50</m:Mass><Plain/></m:Doc>'
JSON = '{"id": "A-1", "name": "Transit of goods", "mass": 12.50, "items": ["x"]}'
PROFILES = {
    "soap-1.2": SecurityProfile("wss", soap="1.2"),
    "soap-1.1": SecurityProfile("wss", soap="1.1", signatures=("rsa-pss-sha384", "ecdsa-sha512"), digests=("sha512",)),
    "json": SecurityProfile("jws", signatures=("RS256", "ES256")),
    "xml": SecurityProfile("jws", signatures=("PS384", "ES256"), header="X-Signature"),
    "xml-compact": SecurityProfile("jws", signatures=("RS512", "ES256"), form="compact"),
    "json-flattened": SecurityProfile("jws", signatures=("RS256", "ES256"), form="flattened", critical=("b64",)),
    "json-general": SecurityProfile("jws", signatures=("RS256", "ES256"), form="general"),
    "enveloped": SecurityProfile("xmldsig", tokens=("x509-data",)),
    "enveloping": SecurityProfile("xmldsig", tokens=("x509-data",), form="enveloping", canonicalisations=("c14n",)),
}
CASES = [
    pytest.param(name, kind, defect.name, id=f"{name}-{kind}-{defect.name}")
    for name, profile in PROFILES.items()
    for kind in ("ec", "rsa")
    for defect in DEFECTS.values()
    if profile.style in defect.problems
]


def send(world, name, kind, defect=None):
    profile = PROFILES[name]
    body = parse("json", JSON.encode()) if name.startswith("json") else parse("xml", XML.encode())
    identity = getattr(world, kind)
    protected = protect(body, identity, profile, world.now, defect, spares=world.spares[kind])
    return profile, protected


def receive(world, profile, protected):
    return inspect(protected.data, protected.headers, profile, world.trust, world.now)


@pytest.mark.parametrize(("name", "kind", "defect"), CASES)
def test_defect_is_reported_exactly(world, name, kind, defect):
    profile, protected = send(world, name, kind, defect)
    found = receive(world, profile, protected)
    assert {problem.code for problem in found.report.problems} == set(DEFECTS[defect].problems[profile.style])
    assert not found.report.trusted
    assert found.document is not None
    assert "failed" in found.report.steps.values()


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_good_twin_is_clean(world, name, kind):
    profile, protected = send(world, name, kind)
    found = receive(world, profile, protected)
    assert found.report.problems == ()
    assert found.report.trusted
    assert set(found.report.steps.values()) == {"ok"}
    assert (
        found.report.signed
        == {
            "wss": ("/Envelope/Header/Security/Timestamp", "/Envelope/Body"),
            "jws": ("body",),
            "xmldsig": ("body", "/Signature/Object" if name == "enveloping" else "/Doc"),
        }[profile.style]
    )
    assert found.report.covers_body()
    assert found.report.signer == getattr(world, kind).certificate.subject.rfc4514_string()
    assert found.report.revocation == "good"
    assert found.report.created == (None if profile.style == "xmldsig" else world.now)
    sent = parse("json", JSON.encode()) if name.startswith("json") else parse("xml", XML.encode())
    assert found.document.to_bytes().split() == sent.to_bytes().split() or profile.style in ("wss", "xmldsig")
    assert found.document.texts("name") == sent.texts("name")


@pytest.mark.parametrize("name", PROFILES)
def test_only_what_is_meant_is_changed(world, name):
    """A defect of certificate or time leaves the signature itself valid."""
    for defect in DEFECTS.values():
        if PROFILES[name].style in defect.problems and not defect.name.startswith("signature/"):
            report = receive(world, *send(world, name, "ec", defect.name)).report
            assert report.steps["value"] == "ok"
            assert report.covers_body()


@pytest.mark.parametrize("text", ["<a/>", "<a b='c'/>", "<a> <b/> </a>"])
def test_body_without_text_can_be_altered(world, text):
    profile = PROFILES["soap-1.2"]
    protected = protect(parse("xml", text.encode()), world.ec, profile, world.now, "signature/body-altered")
    report = receive(world, profile, protected).report
    assert [problem.code for problem in report.problems] == ["signature/digest-mismatch"]


def test_empty_json_can_be_altered(world):
    protected = protect(parse_json(b"{}"), world.ec, PROFILES["json"], world.now, "signature/body-altered")
    report = receive(world, PROFILES["json"], protected).report
    assert [problem.code for problem in report.problems] == ["signature/value-invalid"]


def test_every_reported_code_is_in_the_table():
    reported = [codes for defect in DEFECTS.values() for codes in defect.problems.values()]
    assert {code for codes in reported for code in codes} <= set(PROBLEMS)
    assert all(defect.text.endswith(".") for defect in DEFECTS.values())


@pytest.mark.parametrize(
    ("style", "defect", "said"),
    [
        ("wss", "signature/alg-none", "no defect 'signature/alg-none'"),
        ("none", "signature/missing", "no defect 'signature/missing'"),
        ("wss", "signature/mising", "no defect 'signature/mising'"),
        ("wss", "certificate/expired", "needs an identity"),
    ],
)
def test_defect_that_is_not_possible(world, style, defect, said):
    profile = SecurityProfile(style, soap="1.2")
    with pytest.raises(ConfigurationFault, match=said):
        protect(parse("xml", XML.encode()), world.ec, profile, world.now, defect)
