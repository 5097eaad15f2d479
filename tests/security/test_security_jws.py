"""Detached JWS: what strangers can write into the header, and what is said about it."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey, RSAKey

from harness.errors import ConfigurationFault, MalformedInput
from harness.message.json import parse_json
from harness.security.model import SecurityProfile
from harness.security.problems import PROBLEMS
from harness.security.protect import inspect, protect

PROFILE = SecurityProfile("jws", signatures=("ES256", "RS256", "PS256"))
BODY = b'{"reference":"A-1","goods":[{"mass":"12.50"}]}'


def good(world, kind="ec", profile=PROFILE):
    return protect(parse_json(BODY), getattr(world, kind), profile, world.now)


def verify(world, jws, body=BODY, profile=PROFILE):
    return inspect(body, {"X-JWS-Signature": jws}, profile, world.trust, world.now).report


def codes(report):
    return [problem.code for problem in report.problems]


def b64(data):
    return urlsafe_b64encode(data).decode().rstrip("=")


def header_of(protected):
    return json.loads(urlsafe_b64decode(protected.headers["x-jws-signature"].split(".")[0] + "=="))


def make(world, header, *, key=None, raw=None):
    """A JWS with any header, rightly signed with ES256."""
    encoded = b64(raw if raw is not None else json.dumps(header).encode())
    signing_input = f"{encoded}.{b64(BODY)}".encode()
    algorithm = joserfc_jws.JWSRegistry.algorithms["ES256"]
    return f"{encoded}..{b64(algorithm.sign(signing_input, ECKey.import_key(key or world.ec.key)))}"


def changed(world, **members):
    header = {**header_of(good(world)), **members}
    return {name: value for name, value in header.items() if value is not None}


@pytest.mark.parametrize(("kind", "algorithm", "key"), [("ec", "ES256", ECKey), ("rsa", "RS256", RSAKey)])
def test_joserfc_verifies_what_we_sign(world, kind, algorithm, key):
    protected = good(world, kind)
    assert protected.data == BODY
    text = protected.headers["x-jws-signature"]
    identity = getattr(world, kind)
    registry = joserfc_jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = 10_000
    public = key.import_key(identity.certificate.public_key())
    joserfc_jws.deserialize_compact(text, public, registry=registry, payload=BODY)
    header = header_of(protected)
    assert header["alg"] == algorithm
    assert header["iat"] == int(world.now.timestamp())
    assert header["x5c"] == [
        b64encode(each.public_bytes(Encoding.DER)).decode() for each in (identity.certificate, *identity.chain)
    ]


def test_own_signature_in_another_way(world):
    report = verify(world, make(world, changed(world)))
    assert report.trusted
    assert report.signed == ("body",)
    assert report.algorithms == {"signature": "ES256", "token": "x5c"}


def test_chain_comes_with_the_message(world):
    trust = replace(world.trust, intermediates=())
    protected = good(world)
    assert inspect(BODY, protected.headers, PROFILE, trust, world.now).report.trusted
    alone = make(world, changed(world, x5c=header_of(protected)["x5c"][:1]))
    report = inspect(BODY, {"x-jws-signature": alone}, PROFILE, trust, world.now).report
    assert codes(report) == ["certificate/untrusted"]


@pytest.mark.parametrize("headers", [{}, {"x-jws-signature": ""}, {"other": "a..b"}])
def test_no_signature(world, headers):
    report = inspect(BODY, headers, PROFILE, world.trust, world.now).report
    assert codes(report) == ["signature/missing"]
    assert report.signed == ()


def test_every_byte_of_the_body_counts(world):
    text = good(world).headers["x-jws-signature"]
    for body in (BODY + b" ", BODY.replace(b"12.50", b"12.5"), b"{}"):
        report = verify(world, text, body)
        assert codes(report) == ["signature/value-invalid"]
        assert report.signed == ()


def attached(text):
    header, _, signature = text.split(".")
    return f"{header}.{b64(BODY)}.{signature}"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + "=",
        lambda text: text + " ",
        lambda text: text.replace("..", "=.."),
        lambda text: text.replace("..", "."),
        lambda text: text + ".",
        lambda text: text[:-3] + "+/x",
        lambda text: text[:-1] + "é",
        lambda text: text + "\n",
        attached,
        lambda text: "e30" + "A" * 100_001 + "..AA",
        lambda text: "AA..AA",
        lambda text: b64(b"[]") + "..AA",
        lambda text: b64(b'{"alg":"ES256","alg":"none"}') + "..AA",
        lambda text: b64(b"[" * 50_000) + "..AA",
        lambda text: b64(b"\xff") + "..AA",
    ],
)
def test_jws_that_cannot_be_read(world, spoil):
    report = verify(world, spoil(good(world).headers["x-jws-signature"]))
    assert codes(report) == ["signature/malformed"]


def test_loose_bits_at_the_end_are_refused(world):
    """The last character of 64 bytes in base64url carries four bits that mean nothing."""
    text = good(world).headers["x-jws-signature"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    loose = text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]
    assert codes(verify(world, loose)) == ["signature/malformed"]


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ({"crit": ["iat"]}, "header-not-allowed"),
        ({"crit": ["b64"], "b64": False}, "header-not-allowed"),
        ({"jwk": {}}, "header-not-allowed"),
        ({"jku": "http://x"}, "header-not-allowed"),
        ({"x5u": "http://x"}, "header-not-allowed"),
        ({"crit": ["urn:x"], "urn:x": 1}, "critical-unknown"),
        ({"crit": ["alg"]}, "critical-unknown"),
        ({"crit": ["x5t"]}, "critical-malformed"),
        ({"crit": []}, "critical-malformed"),
        ({"crit": "b64"}, "critical-malformed"),
        ({"crit": [1]}, "critical-malformed"),
        ({"crit": ["iat", "iat"]}, "critical-malformed"),
        ({"b64": False}, "critical-malformed"),
        ({"b64": "no", "crit": ["b64"]}, "critical-malformed"),
    ],
)
def test_members_that_decide_on_keys_or_processing_are_refused(world, member, code):
    report = verify(world, make(world, changed(world, **member)))
    assert codes(report) == [f"signature/{code}"]
    assert report.steps["value"] == "not done"
    assert report.signed == ()


def test_other_members_are_ignored(world):
    assert verify(world, make(world, changed(world, kid="1", typ="JOSE", cty="json", other=[1]))).trusted


@pytest.mark.parametrize(
    ("algorithm", "code"),
    [
        ("none", "none"),
        ("NONE", "none"),
        ("HS256", "hmac"),
        ("ES384", "not-allowed"),
        ("EdDSA", "unknown"),
        (None, "unknown"),
        (256, "unknown"),
        ([], "unknown"),
    ],
)
def test_algorithm_that_is_refused_never_runs(world, algorithm, code):
    report = verify(world, make(world, changed(world, alg=algorithm)))
    assert codes(report) == [f"algorithm/{code}"]
    assert report.steps["value"] == "not done"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_key_of_another_kind(world, algorithm):
    assert codes(verify(world, make(world, changed(world, alg=algorithm)))) == ["signature/key-mismatch"]


def test_curve_goes_with_the_algorithm(world):
    key = ec.generate_private_key(ec.SECP384R1())
    identity = replace(world.ec, key=key)
    with pytest.raises(ConfigurationFault, match="fits none"):
        protect(parse_json(BODY), identity, PROFILE, world.now)


@pytest.mark.parametrize(
    ("chain", "code"),
    [
        (None, "token-missing"),
        ([], "token-missing"),
        ("text", "token-malformed"),
        ([1], "token-malformed"),
        (["AAAA"], "token-malformed"),
        (["%"], "token-malformed"),
        (["AAAA"] * 11, "token-malformed"),
        ({"a": "b"}, "token-malformed"),
    ],
)
def test_chain_that_leads_nowhere(world, chain, code):
    report = verify(world, make(world, changed(world, x5c=chain)))
    assert codes(report) == [f"signature/{code}"]
    assert report.signer is None


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (None, ["timestamp/missing"]),
        (0, ["timestamp/stale"]),
        (10**12, ["timestamp/malformed"]),
        ("2026-11-23T10:00:00Z", ["timestamp/malformed"]),
        (True, ["timestamp/malformed"]),
        (1795428000.5, []),
    ],
)
def test_signing_time(world, claimed, expected):
    assert codes(verify(world, make(world, changed(world, iat=claimed)))) == expected


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "-1e400"])
def test_signing_time_that_is_no_number(world, number):
    raw = json.dumps(changed(world, iat="@")).replace('"@"', number).encode()
    assert codes(verify(world, make(world, None, raw=raw))) == ["timestamp/malformed"]


@settings(max_examples=100)
@given(st.one_of(st.text(max_size=40), st.from_regex(r"[A-Za-z0-9_-]{0,30}\.\.[A-Za-z0-9_-]{0,10}", fullmatch=True)))
def test_whatever_stands_in_the_header_is_a_problem_and_never_a_crash(world, text):
    report = verify(world, text)
    assert report.problems
    assert set(codes(report)) <= set(PROBLEMS)


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["alg", "x5c", "iat", "crit", "typ", "kid", "cty", "jwk"]),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
            max_leaves=5,
        ),
    )
)
def test_any_header_is_judged(world, members):
    header = {**header_of(good(world)), **members}
    assert set(codes(verify(world, make(world, header)))) <= set(PROBLEMS)


def test_body_that_cannot_be_read_is_malformed(world):
    text = good(world).headers["x-jws-signature"]
    for body in (b"", b"{", b"<a>"):
        with pytest.raises(MalformedInput):
            verify(world, text, body)
