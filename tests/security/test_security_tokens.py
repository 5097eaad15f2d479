"""Every way to name the certificate of a signature: right, wrong, and turned into a token by the STR transform."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from wss_kit import PROFILE, codes, edit, good, sign_again, verify

from harness.errors import MalformedInput
from harness.security.algorithm import C14N, EXC_C14N, STR_TRANSFORM
from harness.security.c14n import canonical
from harness.security.defect import DEFECTS
from harness.security.issue import Draft, make_certificate, subject_name
from harness.security.markup import WSSE
from harness.security.model import Identity
from harness.security.names import comparable, read_name
from harness.security.pkipath import read_pki_path, write_pki_path
from harness.security.problems import PROBLEMS
from harness.security.strtransform import token_form
from harness.security.tokens import TOKENS
from harness.security.trust import make_trust

POINTING = ("ski", "thumbprint", "issuer-serial")
CARRYING = [kind for kind in TOKENS if kind not in POINTING]
EVERY_PART = ("body", "timestamp", "token")
BOTH = ("/Envelope/Header/Security/Timestamp", "/Envelope/Body")


def profile_of(kind, **changes):
    return replace(PROFILE, tokens=(kind,), **changes)


@pytest.fixture(scope="module")
def at_hand(world):
    """The same trust, with the certificates of all signers."""
    identities = [world.ec, world.rsa, *world.spares["ec"].values(), *world.spares["rsa"].values()]
    trust = replace(world.trust, known=tuple(each.certificate for each in identities))
    return SimpleNamespace(**{**vars(world), "trust": trust})


def der(identity):
    return identity.certificate.public_bytes(Encoding.DER)


# --- what we write, we read


@pytest.mark.parametrize("signed", [PROFILE.signed, EVERY_PART])
@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("key", ["ec", "rsa"])
@pytest.mark.parametrize("kind", TOKENS)
def test_every_kind_of_token(at_hand, kind, key, soap, signed):
    profile = profile_of(kind, soap=soap, signed=signed)
    report = verify(at_hand, good(at_hand, key, profile=profile), profile=profile)
    assert codes(report) == []
    assert report.trusted
    assert report.algorithms["token"] == kind
    assert report.certificate == der(getattr(at_hand, key))
    assert set(BOTH) < set(report.signed) if "token" in signed else set(BOTH) == set(report.signed)


@pytest.mark.parametrize("kind", ["pkipath", "thumbprint", "x509-data"])
@pytest.mark.parametrize("defect", [name for name, each in DEFECTS.items() if "wss" in each.problems])
def test_defects_work_with_every_kind(at_hand, kind, defect):
    profile = profile_of(kind, signed=EVERY_PART)
    data = good(at_hand, profile=profile, defect=defect)
    assert set(codes(verify(at_hand, data, profile=profile))) == set(DEFECTS[defect].problems["wss"])


@pytest.mark.parametrize("kind", TOKENS)
def test_only_kinds_that_the_profile_names_are_taken(at_hand, kind):
    others = tuple(each for each in TOKENS if each != kind)
    report = verify(at_hand, good(at_hand, profile=profile_of(kind)), profile=replace(PROFILE, tokens=others))
    assert codes(report) == ["signature/token-not-allowed"]


@pytest.mark.parametrize("kind", CARRYING)
@pytest.mark.parametrize(("size", "expected"), [(20_000, "critical-extension"), (64 * 1024, "token-malformed")])
def test_a_certificate_has_a_largest_size(world, kind, size, expected):
    its = world.ec.certificate
    blown_up = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.999.1"), b"\x04\x83" + size.to_bytes(3) + bytes(size)
    )
    valid = (its.not_valid_before_utc, its.not_valid_after_utc)
    issuer = world.pki.issuing
    draft = Draft(its.subject, valid, critical=(blown_up,))
    certificate = make_certificate(draft, its.public_key(), issuer.certificate.subject, issuer.key)
    signer = replace(world.ec, certificate=certificate)
    data = good(SimpleNamespace(**{**vars(world), "ec": signer}), profile=profile_of(kind))
    for _ in range(2):  # also when it is remembered
        found = codes(verify(world, data, profile=profile_of(kind)))
        assert any(code.endswith(expected) for code in found), found


@pytest.mark.parametrize("kind", POINTING)
def test_certificate_that_is_not_at_hand(world, kind):
    profile = profile_of(kind)
    data = good(world, profile=profile)
    assert codes(verify(world, data, profile=profile)) == ["signature/token-unresolved"]
    other = replace(world.trust, known=(world.rsa.certificate,))
    assert codes(verify(world, data, profile=profile, trust=other)) == ["signature/token-unresolved"]


@pytest.mark.parametrize("kind", POINTING)
def test_certificate_at_hand_is_not_believed_for_that(world, kind):
    profile = profile_of(kind)
    stranger = world.spares["ec"]["foreign-ca"]
    data = good(world, profile=profile, defect="certificate/foreign-ca")
    trust = replace(world.trust, known=(stranger.certificate,))
    assert codes(verify(world, data, profile=profile, trust=trust)) == ["certificate/untrusted"]


@pytest.mark.parametrize("kind", POINTING)
def test_token_in_the_header_is_at_hand(world, kind):
    profile = profile_of(kind)
    token = re.search(rb"<wsse:BinarySecurityToken .*?</wsse:BinarySecurityToken>", good(world))[0]
    data = edit(good(world, profile=profile), "<wsu:Timestamp ", token + b"<wsu:Timestamp ")
    assert codes(verify(world, data, profile=profile)) == []


def test_of_two_certificates_with_one_key_the_valid_one_is_taken(world):
    key = world.ec.key
    now = world.now
    old, new = (
        make_certificate(
            Draft(subject_name("x"), window), key.public_key(),
            world.pki.issuing.certificate.subject, world.pki.issuing.key,
        )
        for window in ((now.replace(year=year), now.replace(year=year + 1)) for year in (2024, 2026))
    )  # fmt: skip
    profile = profile_of("ski")
    data = good(world, profile=profile)
    for known in ((old, new), (new, old)):
        report = verify(world, data, profile=profile, trust=replace(world.trust, known=known))
        assert codes(report) == []
        assert report.certificate == new.public_bytes(Encoding.DER)
    assert codes(verify(world, data, profile=profile, trust=replace(world.trust, known=(old,)))) == [
        "certificate/expired"
    ]


# --- tokens that contradict themselves


def test_announced_kind_and_token_differ(world):
    data = re.sub(rb"(<wsse:Reference [^>]*)#X509v3", rb"\1#X509PKIPathv1", good(world))
    assert codes(verify(world, data)) == ["signature/token-mismatch"]


def test_x509_data_whose_parts_differ(world):
    profile = profile_of("x509-data")
    data = re.sub(rb"(<ds:X509SerialNumber>)", rb"\g<1>1", good(world, profile=profile))
    assert codes(verify(world, data, profile=profile)) == ["signature/token-mismatch"]


def x509_data(world, certificates, extra=""):
    """KeyInfo of plain XML Signature: X509Data without a security token reference."""
    carried = "".join(
        f"<ds:X509Certificate>{b64encode(each.public_bytes(Encoding.DER)).decode()}</ds:X509Certificate>"
        for each in certificates
    )
    inner = f"<ds:KeyInfo><ds:X509Data>{carried}{extra}</ds:X509Data></ds:KeyInfo>"
    return re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", inner.encode(), good(world))


def test_x509_data_without_a_security_token_reference(world):
    profile = profile_of("x509-data")
    issuing, root = world.pki.issuing.certificate, world.pki.root.certificate
    bare = replace(world.trust, intermediates=())
    for certificates in ([world.ec.certificate, issuing], [root, issuing, world.ec.certificate]):
        assert codes(verify(world, x509_data(world, certificates), profile=profile, trust=bare)) == []
    assert codes(verify(world, x509_data(world, [world.ec.certificate]), profile=profile, trust=bare)) == [
        "certificate/untrusted"
    ]
    two = x509_data(world, [world.ec.certificate, world.rsa.certificate])
    assert codes(verify(world, two, profile=profile)) == ["signature/token-mismatch"]
    many = x509_data(world, [world.ec.certificate] * 11)
    assert codes(verify(world, many, profile=profile)) == ["signature/token-malformed"]


def test_key_identifier_in_x509_data(at_hand):
    ski = re.search(rb"<wsse:KeyIdentifier [^>]*>([^<]*)", good(at_hand, profile=profile_of("ski")))[1].decode()
    data = x509_data(at_hand, [], f"<ds:X509SKI>{ski}</ds:X509SKI>")
    assert codes(verify(at_hand, data, profile=profile_of("ski"))) == []


def test_bare_key_is_no_certificate(world):
    value = "<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue/></ds:KeyValue></ds:KeyInfo>"
    data = re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", value.encode(), good(world))
    assert codes(verify(world, data)) == ["signature/token-bare-key"]


@pytest.mark.parametrize(
    ("kind", "old", "new", "code"),
    [
        ("pkipath", rb"(<wsse:BinarySecurityToken [^>]*>)[^<]*", rb"\1MAA=", "token-malformed"),
        ("pkipath", rb"(<wsse:BinarySecurityToken [^>]*>)[^<]*", rb"\1MIA=", "token-malformed"),
        ("ski", rb"#X509SubjectKeyIdentifier", b"#Other", "token-unknown"),
        ("ski", rb"(<wsse:KeyIdentifier [^>]*>)[^<]*", rb"\1***", "token-malformed"),
        ("ski", rb"(<wsse:KeyIdentifier [^>]*>)[^<]*", rb"\1AAAA", "token-unresolved"),
        ("thumbprint", rb"#Base64Binary", b"#HexBinary", "token-malformed"),
        ("thumbprint", rb"(<wsse:KeyIdentifier [^>]*>)[^<]*", rb"\1AAAA", "token-unresolved"),
        ("x509v3-identifier", rb"(<wsse:KeyIdentifier [^>]*>)[^<]*", rb"\1AAAA", "token-malformed"),
        ("issuer-serial", rb"(<ds:X509SerialNumber>)[^<]*", rb"\1x", "token-malformed"),
        ("issuer-serial", rb"(<ds:X509SerialNumber>)[^<]*", rb"\g<1>7", "token-unresolved"),
        ("issuer-serial", rb"(<ds:X509IssuerName>)[^<]*", rb"\1nobody", "token-malformed"),
        ("issuer-serial", rb"(<ds:X509IssuerName>)[^<]*", rb"\1CN=nobody", "token-unresolved"),
        ("issuer-serial", rb"<ds:X509SerialNumber>[^<]*</ds:X509SerialNumber>", b"", "token-malformed"),
        ("issuer-serial", rb"<ds:X509IssuerSerial>.*</ds:X509IssuerSerial>", b"", "token-unknown"),
        ("x509-data", rb"(<ds:X509Certificate>)[^<]*", rb"\1AAAA", "token-malformed"),
    ],
)
def test_token_that_leads_nowhere(at_hand, kind, old, new, code):
    profile = profile_of(kind)
    data = re.sub(old, new, good(at_hand, profile=profile))
    assert codes(verify(at_hand, data, profile=profile)) == [f"signature/{code}"]


def test_path_in_the_wrong_order(world):
    profile = profile_of("pkipath")
    wrong = b64encode(write_pki_path((world.ec.certificate, world.pki.issuing.certificate)))
    data = re.sub(rb"(<wsse:BinarySecurityToken [^>]*>)[^<]*", rb"\g<1>" + wrong, good(world, profile=profile))
    report = verify(world, data, profile=profile)
    assert codes(report) == ["signature/token-malformed"]
    assert "order" in report.problems[0].text


def test_path_brings_the_intermediates_along(world):
    profile = profile_of("pkipath")
    bare = replace(world.trust, intermediates=())
    assert codes(verify(world, good(world, profile=profile), profile=profile, trust=bare)) == []
    assert codes(verify(world, good(world), trust=bare)) == ["certificate/untrusted"]


@given(st.binary(max_size=40))
def test_path_of_a_stranger(data):
    for each in (data, b"0" + bytes([len(data)]) + data):
        with pytest.raises(ValueError, match=r"."):
            read_pki_path(each)


# --- names of issuers


@pytest.mark.parametrize(
    "text",
    [
        "CN=Issuing,O=TEST ONLY\\, no authority,C=CH",
        "CN=Issuing, O=TEST ONLY\\, no authority, C=CH",
        'cn=issuing ; O="TEST ONLY, no authority" ; C=ch',
        "2.5.4.3=Issuing,O=TEST  ONLY\\2C no authority,C=CH",
        "2.5.4.3=#0C0749737375696E67,O=TEST ONLY\\, no authority,C=CH",
    ],
)
def test_spellings_of_one_name(text):
    assert read_name(text) == read_name("CN=Issuing,O=TEST ONLY\\, no authority,C=CH")


def test_names_that_are_not_the_same(world):
    issuer = world.ec.certificate.issuer
    assert read_name(issuer.rfc4514_string()) == comparable(issuer)
    assert read_name("C=CH,CN=x") != read_name("CN=x,C=CH")
    assert read_name("CN=x+OU=y") == read_name("OU=y+CN=x") != read_name("CN=x,OU=y")
    assert comparable(subject_name("x", "CH")) != comparable(subject_name("y", "CH"))


@pytest.mark.parametrize("text", ["", "x", "CN", "CN=a,", "CN=a=b\\", '"', "CN=" + "a" * 3000, "FOO=bar", "CN=#zz"])
def test_name_that_cannot_be_read(text):
    with pytest.raises(ValueError, match=r"."):
        read_name(text)


@given(st.text(max_size=50))
def test_name_of_a_stranger(text):
    try:
        read_name("CN=" + text)
    except ValueError:
        return


# --- what is signed


def test_token_that_must_be_signed(at_hand):
    for kind in TOKENS:
        profile = profile_of(kind)
        report = verify(at_hand, good(at_hand, profile=profile), profile=replace(profile, signed=EVERY_PART))
        assert codes(report) == ["signature/token-not-signed"], kind


@pytest.mark.parametrize("kind", CARRYING)
def test_signed_token_that_was_exchanged(at_hand, kind):
    """Another certificate of the same key: the value is right, and the token is not what was signed."""
    now = at_hand.now
    issuing = at_hand.pki.issuing
    draft = Draft(subject_name("somebody.else"), (now.replace(year=2025), now.replace(year=2027)))
    twin = make_certificate(draft, at_hand.ec.key.public_key(), issuing.certificate.subject, issuing.key)
    other = SimpleNamespace(**{**vars(at_hand), "ec": Identity("other", twin, at_hand.ec.key, at_hand.ec.chain)})
    profile = profile_of(kind, signed=EVERY_PART)
    name = rb"<(wsse:BinarySecurityToken|wsse:KeyIdentifier|ds:X509Data) .*?</\1>"
    data, theirs = good(at_hand, profile=profile), good(other, profile=profile)
    mark = re.search(rb'"token-([^"]*)"', data)
    exchanged = re.sub(name, re.search(name, theirs)[0], data, count=1)
    assert mark is None or mark[0] in exchanged
    report = verify(at_hand, exchanged, profile=profile)
    assert codes(report) == ["signature/digest-mismatch"]
    assert report.steps["value"] == "ok"


def test_str_transform_over_a_token_in_the_header(world):
    """Then the token is signed, not the reference."""
    profile = replace(PROFILE, signed=EVERY_PART)
    data = good(world, profile=profile)
    root = etree.fromstring(data)
    token = next(root.iter(f"{{{WSSE}}}BinarySecurityToken"))
    assert token_form(token) == canonical(token).replace(b"Token ", b'Token xmlns="" ', 1)
    reference = "reference"
    data = edit(data, "<wsse:SecurityTokenReference>", '<wsse:SecurityTokenReference wsu:Id="reference">')
    data = as_str_transform(data, reference, re.search(rb'URI="#(token-[^"]*)"', data)[1].decode())
    data = with_digest(data, reference, token_form(token))
    report = verify(world, sign_again(data, world.ec.key), profile=profile)
    assert codes(report) == []
    assert "/Envelope/Header/Security/BinarySecurityToken" in report.signed


def as_str_transform(data, reference, target, method=EXC_C14N):
    """Let the reference with that target name another element and a STR transform."""
    transform = (
        f'<ds:Transform Algorithm="{STR_TRANSFORM}"><wsse:TransformationParameters>'
        f'<ds:CanonicalizationMethod Algorithm="{method}"/></wsse:TransformationParameters></ds:Transform>'
    )
    pattern = rf'<ds:Reference URI="#{target}"><ds:Transforms>.*?</ds:Transforms>'.encode()
    new = f'<ds:Reference URI="#{reference}"><ds:Transforms>{transform}</ds:Transforms>'.encode()
    assert re.search(pattern, data)
    return re.sub(pattern, new, data)


def with_digest(data, identifier, form):
    value = b64encode(sha256(form).digest())
    pattern = rf'(<ds:Reference URI="#{identifier}">.*?<ds:DigestValue>)[^<]*'.encode()
    return re.sub(pattern, rb"\g<1>" + value, data, count=1)


def test_str_transform_is_only_for_references(world):
    data = good(world)
    body = re.search(rb'URI="#(body-[^"]*)"', data)[1].decode()
    report = verify(world, sign_again(as_str_transform(data, body, body), world.ec.key))
    assert codes(report) == ["signature/transform-misplaced"]
    assert "/Envelope/Body" not in report.signed


def test_str_transform_names_an_allowed_canonicalisation(at_hand):
    profile = profile_of("thumbprint", signed=EVERY_PART)
    data = good(at_hand, profile=profile)
    reference = re.search(rb'URI="#(reference-[^"]*)"', data)[1].decode()
    inclusive = sign_again(as_str_transform(data, reference, reference, C14N), at_hand.ec.key)
    assert codes(verify(at_hand, inclusive, profile=profile)) == ["algorithm/not-allowed"]
    both = replace(profile, canonicalisations=("exc-c14n", "c14n"))
    assert codes(verify(at_hand, inclusive, profile=both)) == []
    without = re.sub(rb"<wsse:TransformationParameters.*?</wsse:TransformationParameters>", b"", data)
    assert codes(verify(at_hand, without, profile=profile)) == ["signature/malformed"]


def test_str_transform_that_leads_nowhere(world):
    profile = profile_of("x509v3", signed=EVERY_PART)
    data = good(world, profile=profile)
    token = re.search(rb'URI="#(token-[^"]*)"', data)[1].decode()
    other = '<wsse:SecurityTokenReference wsu:Id="other"><wsse:Reference URI="#body"/></wsse:SecurityTokenReference>'
    data = edit(as_str_transform(data, "other", token), "<wsu:Timestamp ", f"{other}<wsu:Timestamp ")
    report = verify(world, sign_again(data, world.ec.key), profile=profile)
    assert codes(report) == ["signature/token-missing", "signature/token-not-signed"]


@settings(max_examples=150)
@given(st.sampled_from(TOKENS), st.data())
def test_no_edit_of_the_bytes_goes_unnoticed_or_makes_it_crash(at_hand, kind, data):
    profile = profile_of(kind, signed=EVERY_PART)
    original = good(at_hand, profile=profile)
    start, end = original.index(b"<wsse:Security "), original.index(b"</wsse:Security>")
    at = data.draw(st.integers(start, end))
    changed = original[:at] + bytes([data.draw(st.integers(0, 255))]) + original[at + 1 :]
    try:
        report = verify(at_hand, changed, profile=profile)
    except MalformedInput:
        return
    assert set(codes(report)) <= set(PROBLEMS)
    if report.trusted:
        assert report.certificate == der(at_hand.ec)
        assert report.created == at_hand.now


# --- what an operator hands over


def test_certificates_that_are_no_authorities_are_those_that_are_pointed_at(world):
    root, issuing = world.pki.root.certificate, world.pki.issuing.certificate
    trust = make_trust((root, issuing, world.ec.certificate))
    assert (trust.anchors, trust.intermediates, trust.known) == ((root,), (issuing,), (world.ec.certificate,))
    for kind in POINTING:
        profile = profile_of(kind)
        assert codes(verify(world, good(world, profile=profile), profile=profile, trust=trust)) == []
    alone = make_trust((world.ec.certificate,))
    assert alone.anchors == alone.known == (world.ec.certificate,)
    assert codes(verify(world, good(world), trust=alone)) == []
