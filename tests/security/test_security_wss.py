"""Verification of WS-Security: what strangers can write, and what is said about it."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from wss_kit import PROFILE, codes, digest_again, edit, good, sign_again, verify

from harness.errors import ConfigurationFault, MalformedInput
from harness.message.document import parse
from harness.security.algorithm import C14N, DS, DS_2007, DS_MORE, EXC_C14N, WRITABLE, sign
from harness.security.c14n import canonical
from harness.security.markup import WSSE, WSU
from harness.security.problems import PROBLEMS
from harness.security.protect import inspect, protect

XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
REFERENCE = rb"<ds:Reference .*?</ds:Reference>"


def signed(world, old, new, count=1, kind="ec"):
    """A message whose SignedInfo was edited and signed again."""
    return sign_again(edit(good(world, kind), old, new, count), getattr(world, kind).key)


# --- structure


def test_unsigned_envelope_without_security_header(world):
    data = re.sub(rb"<wsse:Security .*</wsse:Security>", b"", good(world))
    report = verify(world, data)
    assert codes(report) == ["signature/missing"]
    assert report.signed == ()
    assert report.steps["value"] == "not done"
    assert not report.trusted


def test_header_for_another_receiver_is_not_ours(world):
    role = 'env:role="http://www.w3.org/2003/05/soap-envelope/role/next" '
    data = edit(good(world), "<wsse:Security ", f"<wsse:Security {role}")
    assert codes(verify(world, data)) == ["signature/missing"]
    ultimate = role.replace("next", "ultimateReceiver")
    assert codes(verify(world, edit(good(world), "<wsse:Security ", f"<wsse:Security {ultimate}"))) == []


def test_second_security_header_and_second_signature(world):
    data = good(world)
    other = f'<wsse:Security xmlns:wsse="{WSSE}"/>'
    assert codes(verify(world, edit(data, "</env:Header>", f"{other}</env:Header>"))) == [
        "structure/second-security-header"
    ]
    signature = re.search(rb"<ds:Signature .*</ds:Signature>", data)[0]
    doubled = edit(data, signature, signature * 2)
    assert codes(verify(world, doubled)) == ["structure/second-signature"]


def test_problems_of_the_envelope_are_reported_beside_the_signature(world):
    data = good(world)
    second = edit(data, "</env:Envelope>", "<env:Body/></env:Envelope>")
    assert codes(verify(world, second)) == ["structure/second-body"]
    report = verify(world, data, profile=replace(PROFILE, soap="1.1"))
    assert codes(report) == ["structure/soap-version"]
    assert report.signed == ("/Envelope/Header/Security/Timestamp", "/Envelope/Body")


@pytest.mark.parametrize("data", [b"", b"<a/>", b"<!DOCTYPE a><a/>", b"{}", b"<env:Envelope"])
def test_what_is_no_envelope_is_malformed(world, data):
    with pytest.raises(MalformedInput):
        verify(world, data)


@pytest.mark.parametrize("attribute", ["wsu:Id", "Id", "xml:id"])
@pytest.mark.parametrize("part", ["body", "time", "token"])
def test_same_id_twice_whatever_the_attributes(world, attribute, part):
    data = good(world)
    identifier = re.search(rf'wsu:Id="({part}-[0-9a-f]+)"'.encode(), data)[1].decode()
    twin = f'<x:twin xmlns:x="urn:x" xmlns:wsu="{WSU}" {attribute}="{identifier}"/>'
    report = verify(world, edit(data, "</env:Header>", f"{twin}</env:Header>"))
    expected = ["structure/duplicate-id"] + (["signature/token-missing"] if part == "token" else [])
    assert codes(report) == expected
    assert not report.trusted
    if part == "body":
        assert "/Envelope/Body" not in report.signed


def test_attributes_of_the_payload_that_are_called_id_may_repeat(world):
    """They are data; only an id that the signature names, or one in an attribute that is surely an id, is unique."""
    payload = b'<m:Doc xmlns:m="urn:m"><a Id="n1"/><b Id="n1"/>%b</m:Doc>'
    assert codes(verify(world, good(world, payload=payload % b""))) == []
    for surely in (b'<c xml:id="n1"/>', f'<c xmlns:wsu="{WSU}" wsu:Id="n1"/>'.encode()):
        assert codes(verify(world, good(world, payload=payload % surely))) == ["structure/duplicate-id"]


def test_unqualified_id_is_understood(world):
    data = re.sub(rb'<env:Body ([^>]*)wsu:Id="', rb'<env:Body \1Id="', good(world))
    assert codes(verify(world, sign_again(digest_again(data), world.ec.key))) == []


# --- SignedInfo


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"<ds:SignatureValue>.*?</ds:SignatureValue>", b""),
        (rb"<ds:SignatureValue>[^<]*", b"<ds:SignatureValue>"),
        (rb"<ds:SignatureValue>[^<]*", b"<ds:SignatureValue>not base64!"),
        (rb"<ds:DigestValue>", b"<ds:DigestValue><!-- hidden -->"),
        (rb"<ds:DigestMethod [^>]*></ds:DigestMethod>", b""),
        (rb"<ds:DigestMethod [^>]*>", b"<ds:DigestMethod>"),
        (rb"<ds:SignedInfo.*</ds:SignedInfo>", b""),
        (rb"<ds:CanonicalizationMethod .*?</ds:CanonicalizationMethod>", b""),
        (rb"<ds:Transforms>", b"<ds:Transforms></ds:Transforms><ds:Transforms>"),
        (rb"<ds:Transform ", b"<ds:Other></ds:Other><ds:Transform "),
    ],
)
def test_signature_that_cannot_be_read(world, old, new):
    data = re.sub(old, new, good(world), count=1, flags=re.DOTALL)
    report = verify(world, data)
    assert codes(report) == ["signature/malformed"]
    assert report.signed == ()


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("http://example.org/body", "signature/external-reference"),
        ("file:///etc/passwd", "signature/external-reference"),
        ("cid:part", "signature/external-reference"),
        ("", "signature/reference-not-allowed"),
        ("#xpointer(/)", "signature/reference-not-allowed"),
        ("#nowhere", "signature/reference-unresolved"),
    ],
)
def test_reference_that_is_not_followed(world, uri, code):
    data = re.sub(rb'URI="#body-[^"]*"', f'URI="{uri}"'.encode(), good(world))
    report = verify(world, sign_again(data, world.ec.key))
    assert codes(report) == [code, "signature/body-not-signed"]
    assert report.signed == ("/Envelope/Header/Security/Timestamp",)


def test_reference_without_uri(world):
    data = re.sub(rb' URI="#body-[^"]*"', b"", good(world))
    assert codes(verify(world, sign_again(data, world.ec.key)))[0] == "signature/reference-not-allowed"


def test_signature_over_nothing(world):
    data = re.sub(REFERENCE, b"", good(world))
    report = verify(world, sign_again(data, world.ec.key))
    assert codes(report) == ["signature/no-references"]
    assert report.signed == ()


def test_number_of_references_and_transforms_is_bounded(world):
    data = good(world)
    reference = re.search(REFERENCE, data)[0]
    many = sign_again(edit(data, reference, reference * 31), world.ec.key)
    assert codes(verify(world, many))[0] == "structure/too-many-references"
    transform = re.search(rb"<ds:Transform .*?</ds:Transform>", data)[0]
    many = sign_again(edit(data, transform, transform * 6), world.ec.key)
    assert codes(verify(world, many))[0] == "structure/too-many-transforms"


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        (f"{DS}hmac-sha1", "algorithm/hmac"),
        (f"{DS_MORE}hmac-sha256", "algorithm/hmac"),
        (f"{DS}rsa-sha1", "algorithm/sha1"),
        (f"{DS_MORE}rsa-md5", "algorithm/md5"),
        (f"{DS}dsa-sha1", "algorithm/dsa"),
        ("http://www.w3.org/2009/xmldsig11#dsa-sha256", "algorithm/dsa"),
        (f"{DS_MORE}ecdsa-sha512", "algorithm/not-allowed"),
        ("urn:example:rot13", "algorithm/unknown"),
    ],
)
def test_signature_algorithm_that_is_refused_never_runs(world, uri, code):
    data = edit(good(world), f"{DS_MORE}ecdsa-sha256", uri)
    report = verify(world, data)
    assert codes(report) == [code]
    assert report.steps["value"] == "not done"
    assert report.signed == ()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", []),
        ("<p:SaltLength>32</p:SaltLength>", []),
        ("<ds:DigestMethod Algorithm='{X}sha256'/><p:TrailerField>1</p:TrailerField>", []),
        ("<p:MaskGenerationFunction><ds:DigestMethod Algorithm='{X}sha256'/></p:MaskGenerationFunction>", []),
        ("<p:SaltLength>20</p:SaltLength>", ["algorithm/unknown"]),
        ("<p:TrailerField>2</p:TrailerField>", ["algorithm/unknown"]),
        ("<ds:DigestMethod Algorithm='{X}sha512'/>", ["algorithm/unknown"]),
        ("<p:MaskGenerationFunction><ds:DigestMethod Algorithm='{X}sha512'/></p:MaskGenerationFunction>",
         ["algorithm/unknown"]),
    ],
)  # fmt: skip
def test_rsa_pss_with_parameters(world, parameters, expected):
    """The URI says nothing of the digest; the parameters do, and what is left out has its default."""
    profile = replace(PROFILE, signatures=("rsa-pss-sha256",))
    text = parameters.replace("{X}", "http://www.w3.org/2001/04/xmlenc#")
    params = f'<p:RSAPSSParams xmlns:p="{DS_2007}">{text}</p:RSAPSSParams>'
    method = f'<ds:SignatureMethod Algorithm="{DS_2007}rsa-pss">{params}</ds:SignatureMethod>'
    data = good(world, "rsa", profile=profile)
    data = re.sub(rb"<ds:SignatureMethod .*?</ds:SignatureMethod>", method.encode(), data)
    signed_info = etree.fromstring(data).find(f".//{{{DS}}}SignedInfo")
    value = b64encode(sign(WRITABLE["rsa-pss-sha256"], world.rsa.key, canonical(signed_info)))
    data = re.sub(rb"<ds:SignatureValue>[^<]*", b"<ds:SignatureValue>" + value, data)
    assert codes(verify(world, data, profile=profile)) == expected


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        (f"{DS}sha1", "algorithm/sha1"),
        ("http://www.w3.org/2001/04/xmlenc#sha512", "algorithm/not-allowed"),
        (f"{DS_MORE}md5", "algorithm/md5"),
    ],
)
def test_digest_that_is_refused(world, uri, code):
    report = verify(world, signed(world, "http://www.w3.org/2001/04/xmlenc#sha256", uri))
    assert codes(report) == [code]
    assert report.signed == ("/Envelope/Header/Security/Timestamp",)


@pytest.mark.parametrize(
    "transforms",
    [
        f'<ds:Transform Algorithm="{XSLT}"/><ds:Transform Algorithm="{EXC_C14N}"/>',
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>x</ds:XPath></ds:Transform>',
        f'<ds:Transform Algorithm="{EXC_C14N}"/><ds:Transform Algorithm="{EXC_C14N}"/>',
        f'<ds:Transform Algorithm="{EXC_C14N}"/><ds:Transform Algorithm="{DS}enveloped-signature"/>',
        f'<ds:Transform Algorithm="{DS}enveloped-signature"/>',
    ],
)
def test_other_transforms_are_refused(world, transforms):
    found = re.search(rb"<ds:Transforms>(.*?)</ds:Transforms>", good(world))[1]
    report = verify(world, signed(world, found, transforms))
    assert codes(report) == ["algorithm/transform-not-allowed"]


def test_reference_without_transforms_is_refused(world):
    found = re.search(rb"<ds:Transforms>(.*?)</ds:Transforms>", good(world))[0]
    assert codes(verify(world, signed(world, found, b""))) == ["algorithm/transform-not-allowed"]


def test_enveloped_signature_that_changes_nothing_is_tolerated(world):
    transform = re.search(rb"<ds:Transform .*?</ds:Transform>", good(world))[0]
    enveloped = f'<ds:Transform Algorithm="{DS}enveloped-signature"/>'.encode()
    assert codes(verify(world, signed(world, transform, enveloped + transform))) == []


def test_element_that_contains_its_own_signature(world):
    data = edit(good(world), "<wsse:Security ", '<wsse:Security wsu:Id="all" ')
    data = re.sub(rb'URI="#body-[^"]*"', b'URI="#all"', data)
    report = verify(world, sign_again(data, world.ec.key))
    assert codes(report) == ["algorithm/transform-not-allowed", "signature/body-not-signed"]


def test_inclusive_canonicalisation_only_where_the_profile_allows_it(world):
    data = sign_again(edit(good(world), EXC_C14N, C14N), world.ec.key)
    assert codes(verify(world, data)) == ["algorithm/not-allowed"]


def test_comment_in_what_is_signed_changes_nothing(world):
    data = edit(good(world), "Transit office", "Transit<!-- not signed --> office")
    found = inspect(data, {}, PROFILE, world.trust, world.now)
    assert codes(found.report) == []
    assert found.document.texts("Name") == ["Transit office"]


def test_element_without_canonical_form_is_told_from_an_altered_one(world):
    data = edit(good(world), b"<m:Mass>", b'<m:Mass xmlns:x="relative">')
    report = verify(world, data)
    assert codes(report) == ["signature/not-canonicalisable"]
    with pytest.raises(MalformedInput, match="canonical"):
        protect(parse("xml", b'<a xmlns:x="relative"/>'), world.ec, PROFILE, world.now)


# --- key and value


def test_ecdsa_value_in_der_is_its_own_problem(world):
    def to_der(value):
        half = len(value) // 2
        return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))

    report = verify(world, sign_again(good(world), world.ec.key, value=to_der))
    assert codes(report) == ["signature/ecdsa-der"]
    assert report.signed == ()
    shorter = verify(world, sign_again(good(world), world.ec.key, value=lambda value: value[:-1]))
    assert codes(shorter) == ["signature/value-invalid"]


def test_key_of_another_kind_than_the_algorithm(world):
    data = edit(good(world), f"{DS_MORE}ecdsa-sha256", f"{DS_MORE}rsa-sha256")
    assert codes(verify(world, data)) == ["signature/key-mismatch"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (rb"<ds:KeyInfo>.*</ds:KeyInfo>", b"", "token-missing"),
        (rb'<wsse:Reference URI="#[^"]*"', b'<wsse:Reference URI="#nothing"', "token-missing"),
        (rb'<wsse:Reference URI="#[^"]*"', b'<wsse:Reference URI="http://x/"', "token-missing"),
        (rb'<wsse:Reference URI="#token', b'<wsse:Reference URI="#body', "token-missing"),
        (rb"<wsse:Reference [^>]*>", b"<ds:X509Data/>", "token-unknown"),
        (rb"#X509v3", b"#X509PKIPathv1", "token-malformed"),
        (rb"#X509v3", b"#PKCS7", "token-unknown"),
        (rb"(<wsse:BinarySecurityToken [^>]*>)[^<]*", rb"\1AAAA", "token-malformed"),
        (rb"(<wsse:BinarySecurityToken [^>]*>)[^<]*", rb"\1%%%", "token-malformed"),
        (rb"#Base64Binary", b"#HexBinary", "token-malformed"),
    ],
)
def test_token_that_leads_nowhere(world, old, new, code):
    report = verify(world, re.sub(old, new, good(world)))
    assert codes(report) == [f"signature/{code}"]
    assert report.steps["value"] == report.steps["certificate"] == "not done"
    assert report.signer is None


def test_token_that_the_profile_does_not_allow(world):
    report = verify(world, good(world), profile=replace(PROFILE, tokens=()))
    assert codes(report) == ["signature/token-not-allowed"]


def test_token_outside_the_security_header_is_not_taken(world):
    data = good(world)
    token = re.search(rb"<wsse:BinarySecurityToken .*?</wsse:BinarySecurityToken>", data)[0]
    outside = edit(edit(data, token, b""), "</env:Header>", token.replace(
        b"<wsse:BinarySecurityToken ", f'<wsse:BinarySecurityToken xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" '.encode()
    ) + b"</env:Header>")  # fmt: skip
    assert codes(verify(world, outside)) == ["signature/token-missing"]


# --- coverage


def test_wrapped_timestamp(world):
    data = good(world)
    timestamp = re.search(rb"<wsu:Timestamp .*?</wsu:Timestamp>", data)[0]
    other = re.sub(rb'wsu:Id="[^"]*"', b'wsu:Id="other"', timestamp)
    data = edit(edit(data, timestamp, other), "</env:Header>", timestamp + b"</env:Header>")
    report = verify(world, data)
    assert codes(report) == ["signature/wrapped"]
    assert report.signed == ("/Envelope/Header/Timestamp", "/Envelope/Body")


def test_wrapped_body_is_named_with_both_places(world):
    report = verify(world, good(world, defect="signature/wrapped-body"))
    assert report.problems[0].pointer == "/Envelope/Header/Wrapper/Body"
    assert "/Envelope/Header/Wrapper/Body and not /Envelope/Body" in report.problems[0].text
    assert report.signed == ("/Envelope/Header/Security/Timestamp", "/Envelope/Header/Wrapper/Body")
    assert not report.covers_body()


def test_profile_decides_what_must_be_signed(world):
    profile = replace(PROFILE, signed=("body",))
    data = good(world, profile=profile)
    report = verify(world, data, profile=profile)
    assert report.problems == ()
    assert report.signed == ("/Envelope/Body",)
    assert codes(verify(world, data)) == ["signature/timestamp-not-signed"]


# --- time


def timed(world, created="", expires="", extra=""):
    """A message with a Timestamp of our own making, rightly signed."""
    text = "".join(
        f"<wsu:{name}>{value}</wsu:{name}>" for name, value in (("Created", created), ("Expires", expires)) if value
    )
    data = re.sub(rb"<wsu:Created>.*</wsu:Expires>", (text + extra).encode(), good(world))
    return verify(world, sign_again(digest_again(data), world.ec.key))


@pytest.mark.parametrize(
    ("created", "expires", "expected"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23T10:05:00Z", []),
        ("2026-11-23T10:00:00.123456789Z", "", []),
        ("2026-11-23T10:00:00+00:00", "", []),
        ("2026-11-23T10:05:00Z", "", []),
        ("2026-11-23T10:05:01Z", "", ["timestamp/future"]),
        ("2026-11-23T09:50:01Z", "2026-11-23T09:55:01Z", []),
        ("2026-11-23T09:50:00Z", "2026-11-23T09:55:00Z", ["timestamp/stale"]),
        ("2026-11-23T09:50:00Z", "", ["timestamp/stale"]),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:05:01Z", ["timestamp/lifetime"]),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z", ["timestamp/inverted"]),
        ("2026-11-23T10:00:00", "", ["timestamp/not-utc"]),
        ("2026-11-23T11:00:00+01:00", "", ["timestamp/not-utc"]),
        ("2026-11-31T10:00:00Z", "", ["timestamp/malformed"]),
        ("yesterday", "", ["timestamp/malformed"]),
        ("", "2026-11-23T10:05:00Z", ["timestamp/malformed"]),
    ],
)
def test_times(world, created, expires, expected):
    report = timed(world, created, expires)
    assert codes(report) == expected
    assert report.steps["digests"] == "ok"


def test_time_that_stands_there_twice(world):
    twice = "<wsu:Created>2026-11-23T10:00:00Z</wsu:Created>"
    assert codes(timed(world, "2026-11-23T10:00:00Z", extra=twice)) == ["timestamp/malformed"]
    assert codes(timed(world, "2026-11-23<!-- -->T10:00:00Z")) == ["timestamp/malformed"]


def test_second_timestamp(world):
    data = good(world)
    timestamp = re.search(rb"<wsu:Timestamp .*?</wsu:Timestamp>", data)[0]
    other = re.sub(rb'wsu:Id="[^"]*"', b"", timestamp)
    assert codes(verify(world, edit(data, timestamp, timestamp + other))) == ["timestamp/malformed"]


def test_freshness_is_judged_at_the_time_of_receipt(world):
    data = good(world)
    assert codes(verify(world, data, now=world.now + timedelta(minutes=9, seconds=59))) == []
    assert codes(verify(world, data, now=world.now + timedelta(minutes=10))) == ["timestamp/stale"]


# --- everything


def test_every_step_is_taken_whatever_the_others_say(world):
    """Altered body, expired certificate, stale: all three are reported at once."""
    data = good(world, defect="certificate/expired")
    data = edit(data, "Transit", "Tranzit")
    report = verify(world, data, now=world.now + timedelta(hours=1))
    assert codes(report) == ["signature/digest-mismatch", "certificate/expired", "timestamp/stale"]
    assert report.steps["value"] == "ok"
    assert len(report.path) == 3
    assert not report.trusted


@settings(max_examples=150)
@given(st.data())
def test_no_edit_of_the_bytes_goes_unnoticed_or_makes_it_crash(world, data):
    """Every single byte of Body, Timestamp and Signature counts; nothing but MalformedInput is ever raised."""
    original = good(world)
    at = data.draw(st.integers(0, len(original) - 1))
    new = bytes([data.draw(st.integers(0, 255))])
    changed = original[:at] + new + original[at + 1 :]
    try:
        found = inspect(changed, {}, PROFILE, world.trust, world.now)
    except MalformedInput:
        return
    assert set(codes(found.report)) <= set(PROBLEMS)
    if found.report.trusted:
        assert found.document.texts("Name") == ["Transit office"]
        assert found.document.texts("Mass") == ["12.50"]
        assert found.report.created == world.now


def test_profile_that_cannot_be_written(world):
    with pytest.raises(ConfigurationFault, match="fits none"):
        good(world, profile=replace(PROFILE, signatures=("rsa-sha256",)))


def test_same_input_is_written_as_the_same_bytes(world):
    assert good(world, "rsa") == good(world, "rsa")


def test_protected_envelope_keeps_prefixes_that_only_values_use(world):
    payload = b'<m:Doc xmlns:m="urn:m" xmlns:t="urn:t" m:type="t:Kind"><m:Name>x</m:Name></m:Doc>'
    data = good(world, payload=payload)
    assert payload in data
    assert codes(verify(world, data)) == []
