"""The signed statement: an in-toto Statement in a DSSE envelope.

The statement lists the digest of every file of the bundle, and says in its predicate what they show. The envelope may
carry several signatures, such as the country's and the operator's.

Sources: in-toto attestation framework, Statement v1; DSSE v1, protocol and envelope. Stricter than both: an envelope
is accepted in one spelling only, so that no byte of it can change unnoticed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator

from harness.errors import BundleFault
from harness.pack.data import published_schema
from harness.record.strict import loads
from harness.security.statement_key import PublicKey, Signer, key_id, public_key_from_der, signature_is_valid, spki

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:c2c-harness:predicate:conformance:1"
DETACHABLE = "evidence/"
"""The part of a bundle that may be sealed when it is shared: every file whose name begins so."""
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def make_statement(record: Mapping[str, Any], digests: Mapping[str, str], *, demo: bool) -> dict[str, Any]:
    """The statement about a bundle.

    Parameters:
        record: the record.
        digests: file name in the bundle to SHA-256, hexadecimal.
        demo: it will be signed with a demo key.
    """
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": value}} for name, value in sorted(digests.items())],
        "predicateType": PREDICATE_TYPE,
        "predicate": make_predicate(record, demo=demo),
    }


def make_predicate(record: Mapping[str, Any], *, demo: bool) -> dict[str, Any]:
    """What the statement says about the files, all of it taken from the record."""
    pack = record["pack"]
    return {
        "verdict": record["verdict"],
        "reason": record["reason"],
        "complete": record["complete"],
        "counts": dict(record["counts"]),
        "assurance": record["assurance"],
        "demo": demo,
        "sut": dict(record["sut"]),
        "role": record["role"],
        "positions": list(record["positions"]),
        "pack": {name: pack[name] for name in ("id", "version", "digest", "extends")},
        "plan": {name: record["plan"][name] for name in ("baseline", "environment", "seed", "challenge")},
        "cases": [{"id": case["id"], "version": case["version"]} for case in record["cases"]],
        "started": record["started"],
        "finished": record["finished"],
        "validity": dict(record["validity"]),
        "detachable": [DETACHABLE],
        "waivers": list(record["waivers"]),
        "tool": dict(record["tool"]),
    }


def sign(statement: Mapping[str, Any], keys: Sequence[Signer]) -> bytes:
    """Put a statement into an envelope and sign it with each of the keys."""
    payload = json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode()
    return _envelope(payload, (_signature(payload, key) for key in keys))


def countersign(data: bytes, key: Signer) -> bytes:
    """Add a signature to an envelope whose signatures are valid.

    Raises:
        BundleFault: it is no envelope, one of its signatures is not valid, or this key has signed already.
    """
    payload, _, signers = _open(data)
    if key_id(key.public) in map(key_id, signers):
        raise BundleFault("this key has signed the statement already")
    return _envelope(payload, [*json.loads(data)["signatures"], _signature(payload, key)])


def open_statement(data: bytes, schema: str = "statement") -> tuple[dict[str, Any], tuple[PublicKey, ...]]:
    """Read an envelope and check every signature in it against the key beside it.

    Parameters:
        data: the envelope.
        schema: name of the published schema of the statement in it.

    Returns:
        the statement, and the keys that signed it; whose they are, and whether they are trusted, is the caller's
        question.

    Raises:
        BundleFault: it is no such envelope, a signature is not valid, or the statement is not one of ours.
    """
    _, statement, signers = _open(data, schema)
    return statement, signers


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: DSSE v1, pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _envelope(payload: bytes, signatures: Iterable[Mapping[str, str]]) -> bytes:
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": list(signatures),
    }
    return json.dumps(envelope, indent=1).encode() + b"\n"


def _signature(payload: bytes, key: Signer) -> dict[str, str]:
    return {
        "keyid": key_id(key.public),
        "sig": base64.b64encode(key.sign(pae(PAYLOAD_TYPE, payload))).decode(),
        "publicKey": base64.b64encode(spki(key.public)).decode(),
    }


def _open(data: bytes, schema: str = "statement") -> tuple[bytes, dict[str, Any], tuple[PublicKey, ...]]:
    envelope = loads(data, "The statement's envelope")
    _validate("dsse", envelope)
    payload = _decoded(envelope["payload"])
    if data != _envelope(payload, envelope["signatures"]):
        raise BundleFault("The statement's envelope is not written the way this tool writes it: it was changed")
    signed = pae(PAYLOAD_TYPE, payload)
    signers = tuple(_checked(each, signed) for each in envelope["signatures"])
    if len(set(map(key_id, signers))) != len(signers):
        raise BundleFault("One key has signed the statement twice")
    statement = loads(payload, "The statement")
    _validate(schema, statement)
    return payload, statement, signers


def _checked(entry: Mapping[str, str], signed: bytes) -> PublicKey:
    try:
        key = public_key_from_der(_decoded(entry["publicKey"]))
    except ValueError as problem:
        raise BundleFault(f"A key in the statement's envelope cannot be used: {problem}") from None
    if key_id(key) != entry["keyid"]:
        raise BundleFault("The statement's envelope gives a key id that is not the id of the key beside it")
    if not signature_is_valid(key, _decoded(entry["sig"]), signed):
        raise BundleFault(f"The signature by key {entry['keyid'][:16]} is not valid: the statement was changed")
    return key


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        data = b""
    if not data or base64.b64encode(data).decode() != text:
        raise BundleFault("The statement's envelope holds text that is not canonical Base64")
    return data


def _validate(name: str, document: Mapping[str, Any]) -> None:
    error = next(Draft202012Validator(published_schema(name)).iter_errors(document), None)
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "/"
        raise BundleFault(f"The statement is not in the expected form at {place}: {error.message[:200]}")
