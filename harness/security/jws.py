"""Detached JWS over the body of a message, in an HTTP header: written and verified.

The payload is the body exactly as it travels; the HTTP header carries ``<protected>..<signature>`` (RFC 7515,
appendix F). The protected header holds ``alg``, the certificate chain ``x5c`` and the signing time ``iat`` (seconds
since 1970, as in ETSI TS 119 182-1). Members by which a message would choose its own key or change the processing are
refused.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry, deserialize_compact, detach_content, serialize_compact

from harness.security.certificate import FoundPath, find_path
from harness.security.markup import decode
from harness.security.model import PrivateKey, Problem, SecurityProfile, SignatureReport, Trust
from harness.security.problems import Record
from harness.security.signing import Signing
from harness.security.timestamp import Times, freshness_problems
from harness.security.x509 import name_of, public_key_of, read_certificate

STEPS = ("structure", "algorithms", "key", "value", "certificate", "timestamp")
"""The steps of a verification, in order."""

ALGORITHMS: Mapping[str, str] = {
    **{f"{family}{bits}": "RSA" for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": "secp256r1",
    "ES384": "secp384r1",
    "ES512": "secp521r1",
}
"""Algorithm to kind of key: RSA, or the one curve that goes with it (RFC 7518, section 3.4)."""

_REFUSED_MEMBERS = ("crit", "b64", "jwk", "jku", "x5u")
_MOST_CERTIFICATES = 10
_MOST_CHARACTERS = 100_000
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True)
class Jws:
    """The parts of a detached JWS.

    Parameters:
        text: the header field as it came.
        header: the protected header.
    """

    text: str
    header: Mapping[str, Any]


# --- writing ----------------------------------------------------------------------------------------------------------


def fits(name: str, key: PrivateKey) -> bool:
    """Whether an algorithm can be used with a key."""
    return name in ALGORITHMS and ALGORITHMS[name] == _kind_of(key)


def write(body: bytes, signing: Signing) -> str:
    """Sign a body.

    Parameters:
        body: the bytes as they will travel.
        signing: how.
    """
    chain = (signing.identity.certificate, *signing.identity.chain)
    header: dict[str, Any] = {
        "alg": signing.algorithm,
        "x5c": [b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain],
    }
    if signing.created is not None:
        header["iat"] = int(signing.created.timestamp())
    registry = _registry(signing.algorithm, body)
    return detach_content(serialize_compact(header, body, _key(signing.key), registry=registry))


def encode_header(header: Mapping[str, Any]) -> str:
    """A protected header as it travels."""
    return urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")


# --- verifying --------------------------------------------------------------------------------------------------------


def verify(
    body: bytes, text: str | None, profile: SecurityProfile, trust: Trust, now: datetime, record: Record
) -> SignatureReport:
    """Verify a detached JWS; every step is taken that can be taken.

    Parameters:
        body: the bytes as they came.
        text: the header field, ``None`` when there is none.
        profile: what is allowed.
        trust: anchors and revocation lists.
        now: the time of receipt.
        record: with :data:`STEPS`; it may hold problems of the body already.
    """
    if not text:
        missing = Problem("signature/missing", f"There is no HTTP header {profile.header}.")
        record.note("structure", [missing])
        return SignatureReport(problems=tuple(record.problems), steps=record.steps)
    try:
        jws = read(text)
    except ValueError as error:
        record.note("structure", [Problem("signature/malformed", f"The JWS cannot be read: {error}.")])
        return SignatureReport(problems=tuple(record.problems), steps=record.steps)
    plain = record.note("structure", _member_problems(jws))
    runnable = record.note("algorithms", _algorithm_problems(jws, profile)) and plain
    chain = _read_chain(jws, record)
    authentic, path = False, FoundPath((), (), "not checked")
    if chain:
        authentic = runnable and record.note("value", _value_problems(jws, body, chain[0]))
        path = find_path(chain[0], chain[1:], trust, now, profile)
        record.note("certificate", path.problems)
    times = _read_times(jws, record)
    record.note("timestamp", freshness_problems(times, now, profile, "/"))
    return SignatureReport(
        signed=("body",) if authentic else (),
        signer=name_of(chain[0]) if chain else None,
        certificate=chain[0].public_bytes(Encoding.DER) if chain else None,
        algorithms={"signature": str(jws.header.get("alg"))[:40], "token": "x5c"},
        created=times.created,
        path=path.subjects,
        revocation=path.revocation,
        problems=tuple(record.problems),
        steps=record.steps,
    )


def read(text: str) -> Jws:
    """Take a detached JWS apart.

    Raises:
        ValueError: it has not three parts, its payload is not left out, a part is not strictly base64url, or the
            header is not a JSON object with each member once.
    """
    parts = text.split(".")
    if len(text) > _MOST_CHARACTERS or len(parts) != 3 or parts[1]:
        raise ValueError("it is not of the form header..signature")
    _decode_url(parts[2])
    try:
        header = json.loads(_decode_url(parts[0]), object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("the header is nested too deep") from None
    if not isinstance(header, dict):
        raise ValueError("the header is not a JSON object")
    return Jws(text, header)


def _decode_url(text: str) -> bytes:
    """Base64url as RFC 7515 writes it: its alphabet, no padding, no line breaks, no loose bits at the end."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("a part is not base64url")
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise ValueError("a part is not base64url: it has loose bits at its end")
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member of the header stands there twice")
    return members


def _member_problems(jws: Jws) -> Iterator[Problem]:
    for name in _REFUSED_MEMBERS:
        if name in jws.header:
            yield Problem("signature/header-not-allowed", f"The JWS header has the member {name}, which is refused.")


def _algorithm_problems(jws: Jws, profile: SecurityProfile) -> Iterator[Problem]:
    name = jws.header.get("alg")
    shown, allowed = repr(name)[:40], ", ".join(profile.signatures)
    if not isinstance(name, str) or (name not in ALGORITHMS and name.lower() != "none" and name[:2] != "HS"):
        yield Problem("algorithm/unknown", f"The algorithm {shown} is not known.")
    elif name.lower() == "none":
        yield Problem("algorithm/none", "The JWS says that it is not signed (algorithm none).")
    elif name[:2] == "HS":
        yield Problem("algorithm/hmac", f"{shown} is a message authentication code; a certificate cannot be its key.")
    elif name not in profile.signatures:
        yield Problem("algorithm/not-allowed", f"{shown} is not allowed; allowed: {allowed}.")


def _read_chain(jws: Jws, record: Record) -> tuple[Certificate, ...]:
    listed = jws.header.get("x5c")
    if not listed:
        record.note("key", [Problem("signature/token-missing", "The JWS header has no certificate chain (x5c).")])
        return ()
    try:
        if not isinstance(listed, list) or len(listed) > _MOST_CERTIFICATES:
            raise ValueError(f"x5c is not a list of up to {_MOST_CERTIFICATES} certificates")
        chain = tuple(read_certificate(decode(_text(each))) for each in listed)
    except (ValueError, binascii.Error) as error:
        record.note("key", [Problem("signature/token-malformed", f"The certificate chain cannot be read: {error}.")])
        return ()
    record.note("key", [])
    return chain


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("x5c holds something else than texts")
    return value


def _value_problems(jws: Jws, body: bytes, leaf: Certificate) -> Iterator[Problem]:
    name, key = str(jws.header["alg"]), public_key_of(leaf)
    if key is None or ALGORITHMS[name] != _kind_of(key):
        yield Problem("signature/key-mismatch", f"{name} cannot be made with the key of the certificate.")
        return
    try:
        deserialize_compact(jws.text, _key(key), registry=_registry(name, body), payload=body)
    except BadSignatureError:
        yield Problem("signature/value-invalid", "The signature value is not that of this key over this body.")
    except JoseError as error:
        yield Problem("signature/malformed", f"The JWS cannot be verified: {error}.")


def _read_times(jws: Jws, record: Record) -> Times:
    claimed = jws.header.get("iat")
    if claimed is None:
        record.note("timestamp", [Problem("timestamp/missing", "The JWS header has no signing time (iat).")])
        return Times()
    try:
        if isinstance(claimed, bool) or not isinstance(claimed, (int, float)):
            raise ValueError("it is not a number")
        return Times(datetime.fromtimestamp(claimed, UTC))
    except (ValueError, OverflowError, OSError) as error:
        text = f"The signing time iat cannot be read: {error}."
        record.note("timestamp", [Problem("timestamp/malformed", text)])
        return Times()


def _kind_of(key: PrivateKey | RSAPublicKey | EllipticCurvePublicKey) -> str:
    return "RSA" if isinstance(key, (RSAPrivateKey, RSAPublicKey)) else key.curve.name


def _key(key: PrivateKey | RSAPublicKey | EllipticCurvePublicKey) -> RSAKey | ECKey:
    """The key for joserfc; its ``import_key`` would warn of short keys, which are found by the certificate."""
    if isinstance(key, (EllipticCurvePrivateKey, EllipticCurvePublicKey)):
        return ECKey(key, key)
    return RSAKey(key, key)


def _registry(algorithm: str, body: bytes) -> JWSRegistry:
    """One allowed algorithm; members that we do not use are ignored, as RFC 7515 wants it."""
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length, registry.max_payload_length = _MOST_CHARACTERS, len(body) * 2
    return registry
