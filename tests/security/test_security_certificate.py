"""Certificates at a moment: each reason is its own problem, and remembering paths never changes an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.security import certificate as certificates
from harness.security.certificate import find_path
from harness.security.issue import Draft, make_certificate, make_crl, new_key, subject_name
from harness.security.model import SecurityProfile, Trust
from harness.security.pki import TestPki
from harness.security.x509 import read_certificate

PROFILE = SecurityProfile(style="wss")


def codes(found):
    return [problem.code for problem in found.problems]


def judge(world, certificate, at=None, *, intermediates=(), trust=None, profile=PROFILE):
    return find_path(certificate, intermediates, trust or world.trust, at or world.now, profile)


def issue(world, by=None, **changes):
    """A certificate that is right but for the changes of its draft."""
    key = changes.pop("key", None) or new_key()
    signer = by or world.pki.issuing
    valid = (world.now - timedelta(days=1), world.now + timedelta(days=30))
    draft = replace(Draft(subject_name("leaf"), valid), **changes)
    return make_certificate(draft, key.public_key(), signer.certificate.subject, signer.key), key


def test_good_certificate(world):
    found = judge(world, world.ec.certificate)
    assert codes(found) == []
    assert [subject.split(",")[0] for subject in found.subjects] == [
        "CN=customs.departure",
        "CN=TEST issuing authority",
        "CN=TEST root authority",
    ]
    assert found.revocation == "good"


def test_issuer_may_come_with_the_message_or_be_the_anchor(world):
    root, issuing = world.pki.root.certificate, world.pki.issuing.certificate
    leaf = world.ec.certificate
    assert len(judge(world, leaf, intermediates=[issuing], trust=Trust((root,))).subjects) == 3
    assert len(judge(world, leaf, trust=Trust((issuing,))).subjects) == 2
    assert codes(judge(world, leaf, trust=Trust((root,)))) == ["certificate/untrusted"]


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize(
    ("spare", "code"),
    [
        ("foreign-ca", "untrusted"),
        ("expired", "expired"),
        ("not-yet-valid", "not-yet-valid"),
        ("self-signed", "self-signed"),
        ("revoked", "revoked"),
        ("key-usage", "key-usage"),
        ("is-ca", "is-ca"),
        ("weak-key", "weak-key"),
    ],
)
def test_each_spare_has_exactly_its_problem(world, kind, spare, code):
    identity = world.spares[kind][spare]
    found = judge(world, identity.certificate, intermediates=identity.chain)
    assert codes(found) == [f"certificate/{code}"]
    assert (found.revocation == "revoked") == (spare == "revoked")


def test_untrusted_says_whether_the_issuer_is_unknown_or_a_namesake(world, tmp_path):
    foreign = world.spares["ec"]["foreign-ca"].certificate
    assert "another key of the same name" in judge(world, foreign).problems[0].text
    other = make_certificate(
        Draft(subject_name("x"), (world.now, world.now)), new_key().public_key(), subject_name("nobody"), new_key()
    )
    assert "not known here" in judge(world, other).problems[0].text


def test_no_anchor_trusts_nobody(world):
    found = judge(world, world.ec.certificate, trust=Trust(()))
    assert codes(found) == ["certificate/untrusted"]
    assert found.subjects == ()
    assert found.revocation == "not checked"


def test_validity_is_inclusive_at_both_ends(world):
    leaf = world.ec.certificate
    second = timedelta(seconds=1)
    for at, expected in (
        (leaf.not_valid_before_utc - second, ["certificate/not-yet-valid"]),
        (leaf.not_valid_before_utc, []),
        (leaf.not_valid_after_utc + timedelta(microseconds=999_999), []),
        (leaf.not_valid_after_utc + second, ["certificate/expired"]),
    ):
        assert codes(judge(world, leaf, at, trust=replace(world.trust, crls=()))) == expected


def test_issuer_out_of_date(world):
    key = new_key()
    signer = issue(
        world,
        world.pki.root,
        subject=subject_name("short-lived"),
        valid=(world.now - timedelta(days=9), world.now - timedelta(days=1)),
        usages=("key_cert_sign",),
        authority=True,
        key=key,
    )[0]
    leaf = make_certificate(
        Draft(subject_name("leaf"), (world.now - timedelta(days=5), world.now + timedelta(days=5))),
        new_key().public_key(),
        signer.subject,
        key,
    )
    found = judge(world, leaf, intermediates=[signer])
    assert codes(found) == ["certificate/issuer-out-of-date"]
    assert codes(judge(world, leaf, world.now - timedelta(days=2), intermediates=[signer], trust=Trust(
        world.trust.anchors
    ))) == []  # fmt: skip


@pytest.mark.parametrize(
    ("authority", "usages", "code"),
    [(False, ("key_cert_sign",), "issuer-no-authority"), (True, ("digital_signature",), "issuer-key-usage")],
)
def test_issuer_that_may_not_issue(world, authority, usages, code):
    fake, key = issue(world, subject=subject_name("fake"), authority=authority, usages=usages)
    draft = Draft(subject_name("leaf"), (world.now, world.now + timedelta(days=1)))
    leaf = make_certificate(draft, new_key().public_key(), fake.subject, key)
    assert codes(judge(world, leaf, intermediates=[fake])) == [f"certificate/{code}"]


def test_curve_and_kind_of_key(world):
    leaf, _ = issue(world, key=ec.generate_private_key(ec.SECP521R1()))
    assert codes(judge(world, leaf)) == ["certificate/curve"]
    strict = replace(PROFILE, rsa_bits=3072)
    assert codes(judge(world, world.rsa.certificate, profile=strict)) == ["certificate/weak-key"]
    weak = world.spares["rsa"]["weak-key"]
    lax = replace(PROFILE, rsa_bits=1024)
    assert codes(judge(world, weak.certificate, intermediates=weak.chain, profile=lax)) == ["certificate/weak-key"]
    leaf, _ = issue(world, key=Ed25519PrivateKey.generate())
    assert codes(judge(world, leaf)) == ["certificate/key-kind"]


def test_any_of_the_key_usages_will_do(world):
    leaf, _ = issue(world, usages=("content_commitment",))
    assert codes(judge(world, leaf)) == []
    assert codes(judge(world, leaf, profile=replace(PROFILE, key_usages=("digital_signature",)))) == [
        "certificate/key-usage"
    ]


# --- revocation


def revocation(world, crls, certificate=None, at=None):
    found = judge(world, certificate or world.ec.certificate, at, trust=replace(world.trust, crls=tuple(crls)))
    return codes(found), found.revocation


def test_without_a_list_of_its_issuer_nothing_is_checked(world):
    _, of_root = world.trust.crls
    of_others = make_crl(subject_name("others"), new_key(), world.now, {})
    assert revocation(world, []) == ([], "not checked")
    assert revocation(world, [of_root, of_others]) == ([], "not checked")


def test_list_with_a_signature_of_somebody_else(world):
    _, of_root = world.trust.crls
    forged = make_crl(world.pki.issuing.certificate.subject, new_key(), world.now, {})
    assert revocation(world, [forged, of_root]) == (["certificate/crl-untrusted"], "not checked")
    assert revocation(world, [forged, *world.trust.crls]) == ([], "good")


@pytest.mark.parametrize("days", [-1, 366])
def test_list_outside_its_window(world, days):
    of_issuer, of_root = world.trust.crls
    leaf, _ = issue(world, valid=(world.now - timedelta(days=9), world.now + timedelta(days=999)))
    found = revocation(world, [of_issuer, of_root], leaf, world.now + timedelta(days=days))
    assert found == (["certificate/crl-stale"] * 2, "not checked")


def test_list_with_a_critical_extension_that_we_do_not_understand(world):
    issuing = world.pki.issuing
    scope = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuing.certificate.subject)
        .last_update(world.now)
        .next_update(world.now + timedelta(days=1))
        .add_extension(scope, critical=True)
        .sign(issuing.key, hashes.SHA256())
    )
    found = judge(world, world.ec.certificate, trust=replace(world.trust, crls=(crl,)))
    assert codes(found) == ["certificate/crl-scope"]
    assert "1.2.3.4" in found.problems[0].text


def test_entry_that_was_removed_again(world):
    issuing = world.pki.issuing
    for reason, expected in ((x509.ReasonFlags.remove_from_crl, "good"), (x509.ReasonFlags.superseded, "revoked")):
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(world.ec.certificate.serial_number)
            .revocation_date(world.now)
            .add_extension(x509.CRLReason(reason), critical=False)
            .build()
        )
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuing.certificate.subject)
            .last_update(world.now)
            .next_update(world.now + timedelta(days=1))
            .add_revoked_certificate(entry)
            .sign(issuing.key, hashes.SHA256())
        )
        assert revocation(world, [crl, world.trust.crls[1]])[1] == expected


def test_revoked_authority(world, tmp_path):
    pki = TestPki.create(tmp_path, world.now)
    identity = pki.issue("leaf")
    serial = pki.issuing.certificate.serial_number
    of_root = make_crl(pki.root.certificate.subject, pki.root.key, world.now, {serial: world.now})
    found = find_path(identity.certificate, (), replace(pki.trust, crls=(of_root,)), world.now, PROFILE)
    assert codes(found) == ["certificate/revoked"]
    assert "issuing" in found.problems[0].text


def test_issuer_key_that_may_not_sign_lists(world):
    key = new_key()
    authority, _ = issue(
        world, world.pki.root, subject=subject_name("ca"), usages=("key_cert_sign",), authority=True, key=key
    )
    draft = Draft(subject_name("leaf"), (world.now, world.now + timedelta(days=1)))
    leaf = make_certificate(draft, new_key().public_key(), authority.subject, key)
    crl = make_crl(authority.subject, key, world.now, {})
    trust = replace(world.trust, crls=(crl,), intermediates=(authority,))
    assert codes(judge(world, leaf, trust=trust)) == ["certificate/crl-untrusted"]


# --- remembering


@settings(deadline=None)
@given(st.lists(st.integers(-500, 4500), min_size=2, max_size=6), st.sampled_from(["expired", "not-yet-valid", None]))
def test_remembered_paths_never_change_an_answer(world, days, spare):
    identity = world.spares["ec"][spare] if spare else world.ec
    for day in days:
        at = world.now + timedelta(days=day)
        remembered = judge(world, identity.certificate, at)
        certificates._judge.cache_clear()
        assert judge(world, identity.certificate, at) == remembered
        fresh = Trust(world.trust.anchors, world.trust.crls, world.trust.intermediates)
        assert judge(world, identity.certificate, at + timedelta(microseconds=1), trust=fresh) == remembered


def test_a_path_is_looked_for_once(world):
    certificates._judge.cache_clear()
    for minutes in range(5):
        judge(world, world.ec.certificate, world.now + timedelta(minutes=minutes))
    assert certificates._judge.cache_info().misses == 1


def test_unreadable_certificates_are_refused():
    for der in (b"", b"\x30\x00", b"nothing"):
        with pytest.raises(ValueError, match=r"[a-z]"):
            read_certificate(der)


def test_certificate_with_an_extension_twice_is_refused(world):
    der = world.ec.certificate.public_bytes(Encoding.DER)
    usage, subject_key = b"\x55\x1d\x0f", b"\x55\x1d\x0e"
    assert der.count(usage) == der.count(subject_key) == 1
    with pytest.raises(ValueError, match=r"[a-z]"):
        read_certificate(der.replace(subject_key, usage))
