"""Revocation lists and cached OCSP answers: for each, what it says of a certificate, or why it is not believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st
from path_kit import DAY, LEAF, NOW, ROOT, Spec, authority, issue, key, path, revocation_list, scope

from harness.errors import ConfigurationFault
from harness.security.certificate import find_path
from harness.security.keys import load_ocsp
from harness.security.model import SecurityProfile, Trust
from harness.security.problems import PROBLEMS

PROFILE = SecurityProfile("wss")
ISSUING = authority(0)
SERIAL, OTHER = 4711, 815
POINT = "http://crl.example.org/a.crl"
WITH_POINT = x509.CRLDistributionPoints([
    x509.DistributionPoint([x509.UniformResourceIdentifier(POINT)], None, None, None)
])  # fmt: skip
REASONS = [each for each in x509.ReasonFlags if each.name not in ("unspecified", "remove_from_crl")]
OF_ROOT = revocation_list(ROOT)
UNKNOWN = (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), True)
DELTA = (x509.DeltaCRLIndicator(1), True)


def judged(*, crls=(), answers=(), leaf=LEAF, issuing=ISSUING, at=NOW, known=(), required=False):
    root, middle, end = path(ROOT, issuing, replace(leaf, serial=SERIAL))
    trust = Trust((root,), (OF_ROOT, *crls), (middle, *known), ocsp=tuple(answers))
    profile = replace(PROFILE, revocation_required=required)
    found = find_path(end, (), trust, at, profile)
    return [problem.code.removeprefix("certificate/") for problem in found.problems], found.revocation


def listed(*serials, **changes):
    return revocation_list(ISSUING, serials, **changes)


GOOD, UNCHECKED, REVOKED = ([], "good"), ([], "not checked"), (["revoked"], "revoked")


def refused(code):
    return [code], "not checked"


LISTS = {
    "clean": ([listed()], GOOD),
    "of another certificate": ([listed(OTHER)], GOOD),
    "revoked": ([listed(SERIAL)], REVOKED),
    "revoked later than the message": ([listed(SERIAL, since=NOW + timedelta(hours=1))], GOOD),
    "revoked at that moment": ([listed(SERIAL, since=NOW)], REVOKED),
    "taken off again": ([listed(SERIAL, reason=x509.ReasonFlags.remove_from_crl)], GOOD),
    "on hold": ([listed(SERIAL, reason=x509.ReasonFlags.certificate_hold)], REVOKED),
    "stale": ([listed(end=NOW)], refused("crl-stale")),
    "stale, and one in date": ([listed(end=NOW), listed()], GOOD),
    "not yet in force": ([listed(begin=NOW + DAY, end=NOW + 2 * DAY)], refused("crl-stale")),
    "stale and revoking": ([listed(SERIAL, end=NOW)], refused("crl-stale")),
    "signed by a stranger": ([listed(signer=key("stranger"))], refused("crl-untrusted")),
    "of another issuer": ([revocation_list(authority(1), (SERIAL,))], UNCHECKED),
    "of the root only": ([], UNCHECKED),
    "indirect": ([listed(SERIAL, extensions=scope(indirect=True))], refused("crl-scope")),
    "delta, clean": ([listed(extensions=(DELTA,))], refused("crl-scope")),
    "delta that revokes": ([listed(SERIAL, extensions=(DELTA,))], REVOKED),
    "unknown critical extension": ([listed(SERIAL, extensions=(UNKNOWN,))], refused("crl-scope")),
    "for users": ([listed(SERIAL, extensions=scope(users=True))], REVOKED),
    "for authorities": ([listed(SERIAL, extensions=scope(authorities=True))], UNCHECKED),
    "for attribute certificates": ([listed(SERIAL, extensions=scope(attributes=True))], UNCHECKED),
    "for some reasons": ([listed(extensions=scope(reasons=frozenset(REASONS[:2])))], refused("crl-scope")),
    "for some reasons, revoking": ([listed(SERIAL, extensions=scope(reasons=frozenset(REASONS[:2])))], REVOKED),
    "two for all reasons": (
        [listed(extensions=scope(reasons=frozenset(each))) for each in (REASONS[:3], REASONS[3:])],
        GOOD,
    ),
    "of another distribution point": ([listed(SERIAL, extensions=scope(full_name="http://other/"))], UNCHECKED),
    "of its distribution point": ([listed(SERIAL, extensions=scope(full_name=POINT))], REVOKED),
}


@pytest.mark.parametrize("label", LISTS)
def test_lists(label):
    crls, expected = LISTS[label]
    assert judged(crls=crls, leaf=replace(LEAF, extensions=((WITH_POINT, False),))) == expected
    if expected == UNCHECKED:
        found, _ = judged(crls=crls, leaf=replace(LEAF, extensions=((WITH_POINT, False),)), required=True)
        assert found == ["revocation-missing"]


def test_distribution_point_of_a_certificate_that_names_none():
    assert judged(crls=[listed(SERIAL, extensions=scope(full_name=POINT))]) == UNCHECKED


def test_issuer_whose_key_may_not_sign_lists():
    issuing = replace(ISSUING, usages=("key_cert_sign",))
    assert judged(crls=[listed()], issuing=issuing) == refused("crl-untrusted")


def test_lists_signed_with_another_key_of_the_issuer():
    """The issuer may certify a key for its lists under its own name; a namesake whom nobody certified may not."""
    other = Spec("authority 0", ca=False, usages=("crl_sign",), kind="p384")
    certified, namesake = issue(other, ROOT), issue(other, replace(ROOT, signer="stranger", common="stranger"))
    crl = revocation_list(ISSUING, (SERIAL,), signer=other.key)
    assert judged(crls=[crl], known=[certified]) == REVOKED
    assert judged(crls=[crl], known=[namesake]) == refused("crl-untrusted")
    gone = revocation_list(ROOT, (certified.serial_number,))
    assert judged(crls=[crl, gone], known=[certified]) == refused("crl-untrusted")


# --- OCSP


def answer(status="good", *, signer=None, by=None, certificates=None, begin=NOW - DAY, end=NOW + DAY, serial=SERIAL,
           issuer=ISSUING, algorithm=None, since=NOW - DAY, forged=False):  # fmt: skip
    _, middle = path(ROOT, issuer)
    about = issue(replace(LEAF, serial=serial), issuer)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=about, issuer=middle, algorithm=algorithm or hashes.SHA256(),
        cert_status=ocsp.OCSPCertStatus[status.upper()], this_update=begin, next_update=end,
        revocation_time=since if status == "revoked" else None, revocation_reason=None,
    )  # fmt: skip
    named = ocsp.OCSPResponderEncoding.NAME if forged else ocsp.OCSPResponderEncoding.HASH
    builder = builder.responder_id(named, by or middle)
    if certificates:
        builder = builder.certificates(certificates)
    return builder.sign(signer or issuer.key, hashes.SHA256())


def responder(*, purposes=(ExtendedKeyUsageOID.OCSP_SIGNING,), by=ISSUING, **changes):
    extensions = ((x509.ExtendedKeyUsage(list(purposes)), False),) if purposes else ()
    spec = Spec("responder", ca=False, usages=("digital_signature",), extensions=extensions, **changes)
    return issue(spec, by), spec.key


NAMESAKE = replace(ISSUING, kind="p384")
"""An authority of the same name with another key."""


def delegated(**changes):
    certificate, secret = responder(**changes)
    return answer(signer=secret, by=certificate, certificates=[certificate])


ANSWERS = {
    "good": ([answer()], GOOD),
    "good, hashed with SHA-1": ([answer(algorithm=hashes.SHA1())], GOOD),
    "revoked": ([answer("revoked")], REVOKED),
    "revoked later than the message": ([answer("revoked", since=NOW + timedelta(hours=1))], GOOD),
    "unknown": ([answer("unknown")], refused("ocsp-unknown")),
    "unknown, and a good one": ([answer("unknown"), answer()], GOOD),
    "good, and a revoked one": ([answer(), answer("revoked")], REVOKED),
    "stale": ([answer(end=NOW)], refused("ocsp-stale")),
    "not yet in force": ([answer(begin=NOW + DAY, end=NOW + 2 * DAY)], refused("ocsp-stale")),
    "without an end, fresh": ([answer(begin=NOW - timedelta(hours=23), end=None)], GOOD),
    "without an end, old": ([answer(begin=NOW - timedelta(hours=25), end=None)], refused("ocsp-stale")),
    "of another certificate": ([answer(serial=OTHER)], UNCHECKED),
    "of another issuer": ([answer(issuer=authority(1))], UNCHECKED),
    "signed by a stranger": ([answer(signer=NAMESAKE.key, by=issue(NAMESAKE, ROOT), forged=True)],
                             refused("ocsp-untrusted")),
    "signed by a responder": ([delegated()], GOOD),
    "by a responder without the purpose": ([delegated(purposes=())], refused("ocsp-untrusted")),
    "by a responder for something else": ([delegated(purposes=[ExtendedKeyUsageOID.SERVER_AUTH])],
                                          refused("ocsp-untrusted")),
    "by a responder of the root": ([delegated(by=ROOT)], refused("ocsp-untrusted")),
    "by a responder out of date": ([delegated(end=NOW - DAY)], refused("ocsp-untrusted")),
    "by a responder that is not there": ([answer(signer=responder()[1], by=responder()[0])],
                                         refused("ocsp-untrusted")),
}  # fmt: skip


@pytest.mark.parametrize("label", ANSWERS)
def test_answers(label):
    answers, expected = ANSWERS[label]
    assert judged(answers=answers) == expected


def test_list_and_answer_together():
    """Either can revoke, and either can acquit; a useless one beside a good one does not matter."""
    assert judged(crls=[listed(SERIAL)], answers=[answer()]) == REVOKED
    assert judged(crls=[listed()], answers=[answer("revoked")]) == REVOKED
    assert judged(crls=[listed(end=NOW)], answers=[answer()]) == GOOD
    assert judged(crls=[listed()], answers=[answer(end=NOW)]) == GOOD


def test_nothing_at_hand_where_it_must_be_checked():
    assert judged(required=True) == refused("revocation-missing")
    assert judged(required=True, answers=[answer()]) == GOOD


@settings(max_examples=60)
@given(st.integers(-30, 30), st.integers(-30, 30))
def test_answers_are_remembered_by_the_hour_and_never_wrongly(first, second):
    answers = [answer("revoked", since=NOW + timedelta(hours=2))]
    crls = [listed(SERIAL, since=NOW + timedelta(hours=3))]
    for hours in (first, second):
        at = NOW + timedelta(hours=hours)
        codes, _ = judged(answers=answers, crls=crls, at=at)
        assert ("revoked" in codes) == (2 <= hours < 24)


def test_answer_from_a_file(tmp_path):
    file = tmp_path / "answer.der"
    file.write_bytes(answer().public_bytes(Encoding.DER))
    assert judged(answers=[load_ocsp(file)]) == GOOD
    unsuccessful = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    for data, said in ((b"nothing", "no readable OCSP"), (unsuccessful.public_bytes(Encoding.DER), "try later")):
        file.write_bytes(data)
        with pytest.raises(ConfigurationFault, match=said):
            load_ocsp(file)


def test_every_code_of_certificates_has_a_vector():
    here = {code for _, (codes, _) in (*LISTS.values(), *ANSWERS.values()) for code in codes}
    codes = {code.removeprefix("certificate/") for code in PROBLEMS}
    assert {code for code in codes if code.startswith(("crl-", "ocsp-"))} <= here
