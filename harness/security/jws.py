"""JSON Web Signatures, written and verified: detached in an HTTP header, compact, and in JSON.

The protected header holds ``alg``, the certificate chain ``x5c`` and the signing time ``iat`` (seconds since 1970, as
in ETSI TS 119 182-1). Members by which a message would choose its own key are refused; critical members must be
understood and allowed.

Sources: RFC 7515 (JWS); RFC 7518 (algorithms); RFC 7797 (b64).
"""

from __future__ import annotations

import binascii
import hmac
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from harness.security.certificate import FoundPath, find_path
from harness.security.jws_read import Jws, Part, decode_url, encode_url, read_compact
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

FORMS = ("detached", "compact", "flattened", "general")
"""How a JWS travels: beside the body in an HTTP header, or as the body itself."""

CRITICAL = ("b64", "iat")
"""Critical members that are understood."""

_REFUSED_MEMBERS = ("jwk", "jku", "x5u")
_SIGNED_MEMBERS = ("alg", "crit", "b64", "iat")
_MOST_CERTIFICATES = 10


# --- writing ----------------------------------------------------------------------------------------------------------


def fits(name: str, key: PrivateKey) -> bool:
    """Whether an algorithm can be used with a key."""
    return name in ALGORITHMS and ALGORITHMS[name] == _kind_of(key)


def write(payload: bytes, signing: Signing, form: str = "detached") -> str:
    """Sign a payload.

    Parameters:
        payload: the bytes as they will travel, or are in the JWS.
        signing: how; with cosigners only in the form ``general``.
        form: one of :data:`FORMS`.
    """
    if form == "compact":
        signing = replace(signing, unencoded=False)  # a dot in the payload would end it (RFC 7797, section 5.2)
    signed = [_sign(payload, each) for each in (signing, *signing.cosigners)]
    header, value = signed[0]
    if form == "detached":
        return f"{header}..{value}"
    text = payload.decode() if signing.unencoded else encode_url(payload)
    if form == "compact":
        return f"{header}.{text}.{value}"
    parts = [{"protected": header, "signature": value} for header, value in signed]
    return json.dumps({"payload": text, **(parts[0] if form == "flattened" else {"signatures": parts})})


def _sign(payload: bytes, signing: Signing) -> tuple[str, str]:
    chain = (signing.identity.certificate, *signing.identity.chain)
    hashed = signing.algorithm == "hmac-sha256"
    header: dict[str, Any] = {
        "alg": "HS256" if hashed else signing.algorithm,
        "x5c": [b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain],
    }
    if signing.created is not None:
        header["iat"] = int(signing.created.timestamp())
    if signing.unencoded:
        header |= {"b64": False, "crit": ["b64"]}
    header |= {**signing.members, "crit": [*header.get("crit", ()), *signing.members.get("crit", ())]}
    if not header["crit"]:
        del header["crit"]
    text = encode_header(header)
    data = Part(text, header, b"").signing_input(payload)
    if hashed:
        public = signing.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return text, encode_url(hmac.digest(public, data, "sha256"))
    return text, encode_url(JWSRegistry.algorithms[signing.algorithm].sign(data, _key(signing.key)))


def encode_header(header: Mapping[str, Any]) -> str:
    """A protected header as it travels."""
    return encode_url(json.dumps(header).encode())


# --- verifying --------------------------------------------------------------------------------------------------------


def verify_header(
    body: bytes, text: str | None, profile: SecurityProfile, trust: Trust, now: datetime, record: Record
) -> SignatureReport:
    """Verify a detached JWS in an HTTP header.

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
        jws = read_compact(text)
        jws.content(body)
    except ValueError as error:
        record.note("structure", [Problem("signature/malformed", f"The JWS cannot be read: {error}.")])
        return SignatureReport(problems=tuple(record.problems), steps=record.steps)
    return verify(jws, body, profile, trust, now, record)


@dataclass(frozen=True)
class _Judged:
    """One signature: its chain, what it claims, and whether its value is that of this key over this payload."""

    part: Part
    chain: Sequence[Certificate]
    times: Times
    authentic: bool
    path: FoundPath


def verify(
    jws: Jws, payload: bytes, profile: SecurityProfile, trust: Trust, now: datetime, record: Record
) -> SignatureReport:
    """Verify every signature of a JWS; every step is taken that can be taken.

    Parameters:
        jws: as it was read.
        payload: what it is over.
        profile: what is allowed.
        trust: anchors and revocation lists.
        now: the time of receipt.
        record: with :data:`STEPS`; it may hold problems of the payload already.
    """
    most = max(profile.most_signatures, 1)
    if len(jws.parts) > most:
        text = f"There are {len(jws.parts)} signatures, and {most} may be there."
        record.note("structure", [Problem("structure/second-signature", text)])
    main, *more = (_judge(part, payload, profile, trust, now, record) for part in jws.parts[:most])
    leaf = main.chain[0] if main.chain else None
    return SignatureReport(
        signed=("body",) if main.authentic else (),
        signer=name_of(leaf) if leaf else None,
        certificate=leaf.public_bytes(Encoding.DER) if leaf else None,
        algorithms={"signature": str(main.part.header.get("alg"))[:40], "token": _token_kind(main.part)},
        created=main.times.created,
        path=main.path.subjects,
        revocation=main.path.revocation,
        problems=tuple(record.problems),
        steps=record.steps,
        also=tuple(name_of(each.chain[0]) for each in more if each.chain),
    )


def _judge(
    part: Part, payload: bytes, profile: SecurityProfile, trust: Trust, now: datetime, record: Record
) -> _Judged:
    plain = record.note("structure", (*_member_problems(part), *_critical_problems(part, profile)))
    runnable = record.note("algorithms", _algorithm_problems(part, profile)) and plain
    chain = _read_chain(part, trust, record)
    authentic, path = False, FoundPath((), (), "not checked")
    if chain:
        authentic = runnable and record.note("value", _value_problems(part, payload, chain[0]))
        path = find_path(chain[0], chain[1:], trust, now, profile)
        record.note("certificate", path.problems)
    times = _read_times(part, record)
    record.note("timestamp", freshness_problems(times, now, profile, "/"))
    return _Judged(part, chain, times, authentic, path)


def _member_problems(part: Part) -> Iterator[Problem]:
    for name in _REFUSED_MEMBERS:
        if name in part.header or name in part.unprotected:
            yield Problem("signature/header-not-allowed", f"The JWS header has the member {name}, which is refused.")
    for name in _SIGNED_MEMBERS:
        if name in part.unprotected:
            yield Problem("signature/header-unprotected", f"The member {name} is not in the protected header.")


def _critical_problems(part: Part, profile: SecurityProfile) -> Iterator[Problem]:
    listed = part.header.get("crit", [])
    names = listed if isinstance(listed, list) and all(isinstance(each, str) for each in listed) else None
    if names is None or ("crit" in part.header and not names) or len(set(names)) < len(names):
        yield Problem("signature/critical-malformed", "The member crit is not a list of names, each once.")
        return
    if isinstance(part.header.get("b64", True), bool) is False or ("b64" in part.header and "b64" not in names):
        yield Problem("signature/critical-malformed", "The member b64 is no boolean, or crit does not list it.")
        return
    for name in names:
        if name not in part.header:
            text = f"crit lists {name[:80]!r}, which is not in the protected header."
            yield Problem("signature/critical-malformed", text)
        elif name not in CRITICAL:
            yield Problem("signature/critical-unknown", f"The critical member {name[:80]!r} is not known.")
        elif name not in profile.critical:
            text = f"The critical member {name} is not allowed; allowed: {', '.join(profile.critical) or 'none'}."
            yield Problem("signature/header-not-allowed", text)


def _algorithm_problems(part: Part, profile: SecurityProfile) -> Iterator[Problem]:
    name = part.header.get("alg")
    shown, allowed = repr(name)[:40], ", ".join(profile.signatures)
    if not isinstance(name, str):
        yield Problem("algorithm/unknown", f"The algorithm {shown} is not known.")
    elif name.lower() == "none":
        yield Problem("algorithm/none", "The JWS says that it is not signed (algorithm none).")
    elif name[:2] == "HS":
        yield Problem("algorithm/hmac", f"{shown} is a message authentication code; a certificate cannot be its key.")
    elif name == "RS1":
        yield Problem("algorithm/sha1", "RS1 is refused, whatever a profile says.")
    elif name not in ALGORITHMS:
        yield Problem("algorithm/unknown", f"The algorithm {shown} is not known.")
    elif name not in profile.signatures:
        yield Problem("algorithm/not-allowed", f"{shown} is not allowed; allowed: {allowed}.")


# --- key and value ----------------------------------------------------------------------------------------------------


def _token_kind(part: Part) -> str:
    return "x5t#S256" if "x5c" not in (*part.header, *part.unprotected) and "x5t#S256" in part.header else "x5c"


def _read_chain(part: Part, trust: Trust, record: Record) -> tuple[Certificate, ...]:
    """The chain that came along, or the certificate at hand whose digest is named."""
    listed = part.header.get("x5c") or part.unprotected.get("x5c")
    digest = part.header.get("x5t#S256")
    if not listed and digest is None:
        record.note("key", [Problem("signature/token-missing", "The JWS header has no certificate chain (x5c).")])
        return ()
    try:
        named = None if digest is None else decode_url(_text(digest, "x5t#S256"))
        if listed and (not isinstance(listed, list) or len(listed) > _MOST_CERTIFICATES):
            raise ValueError(f"x5c is not a list of up to {_MOST_CERTIFICATES} certificates")
        chain = tuple(read_certificate(decode(_text(each, "x5c"))) for each in listed or ())
    except (ValueError, binascii.Error) as error:
        record.note("key", [Problem("signature/token-malformed", f"The certificate chain cannot be read: {error}.")])
        return ()
    if not chain:
        chain = tuple(each for each in trust.known if each.fingerprint(hashes.SHA256()) == named)[:1]
        if not chain:
            text = "The JWS names its certificate by x5t#S256; it is not among those at hand."
            record.note("key", [Problem("signature/token-unresolved", text)])
            return ()
    elif named is not None and chain[0].fingerprint(hashes.SHA256()) != named:
        record.note("key", [Problem("signature/token-mismatch", "x5t#S256 and x5c name different certificates.")])
        return ()
    record.note("key", [])
    return chain


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} holds something else than text")
    return value


def _value_problems(part: Part, payload: bytes, leaf: Certificate) -> Iterator[Problem]:
    name, key = str(part.header["alg"]), public_key_of(leaf)
    if key is None or ALGORITHMS[name] != _kind_of(key):
        yield Problem("signature/key-mismatch", f"{name} cannot be made with the key of the certificate.")
    elif not JWSRegistry.algorithms[name].verify(part.signing_input(payload), part.value, _key(key)):
        yield Problem("signature/value-invalid", "The signature value is not that of this key over this body.")


def _read_times(part: Part, record: Record) -> Times:
    claimed = part.header.get("iat")
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
