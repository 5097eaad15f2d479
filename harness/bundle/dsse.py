"""Signed JSON in a DSSE envelope, which may carry several signatures.

Source: DSSE v1, protocol and envelope. Stricter than that: an envelope is accepted in one spelling only, so that no
byte of it can change unnoticed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.errors import BundleFault
from harness.pack.data import published_validator
from harness.record.strict import loads
from harness.security.statement_key import (
    PublicKey,
    Signer,
    key_id,
    public_key_from_der,
    signature_is_valid,
    spki,
)

_WORDS = {"dsse": "statement's envelope", "status-list": "status list"}


def sign_payload(kind: str, document: Mapping[str, Any], keys: Sequence[Signer]) -> bytes:
    """Put a document into an envelope and sign it with each of the keys.

    Parameters:
        kind: payload type, which is signed with it.
        document: JSON values only.
        keys: at least one.
    """
    payload = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return _envelope(kind, payload, (_signature(kind, payload, key) for key in keys))


def add_signature(kind: str, data: bytes, key: Signer) -> bytes:
    """Add a signature to an envelope whose signatures are valid.

    Raises:
        BundleFault: it is no envelope, one of its signatures is not valid, or this key has signed already.
    """
    payload, signers = _open(kind, data)
    if key_id(key.public) in map(key_id, signers):
        raise BundleFault("this key has signed the statement already")
    return _envelope(kind, payload, [*json.loads(data)["signatures"], _signature(kind, payload, key)])


def open_payload(kind: str, data: bytes, schema: str) -> tuple[dict[str, Any], tuple[PublicKey, ...]]:
    """Read an envelope and check every signature in it against the key beside it.

    Parameters:
        kind: payload type that is expected.
        data: the envelope.
        schema: name of the published schema of the document in it.

    Returns:
        the document, and the keys that signed it.

    Raises:
        BundleFault: it is no such envelope, a signature is not valid, or the document is not of that schema.
    """
    payload, signers = _open(kind, data)
    document = loads(payload, f"The {_WORDS.get(schema, schema)}")
    _validate(schema, document)
    return document, signers


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: DSSE v1, pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _envelope(kind: str, payload: bytes, signatures: Iterable[Mapping[str, str]]) -> bytes:
    envelope = {"payloadType": kind, "payload": base64.b64encode(payload).decode(), "signatures": list(signatures)}
    return json.dumps(envelope, indent=1).encode() + b"\n"


def _signature(kind: str, payload: bytes, key: Signer) -> dict[str, str]:
    return {
        "keyid": key_id(key.public),
        "sig": base64.b64encode(key.sign(pae(kind, payload))).decode(),
        "publicKey": base64.b64encode(spki(key.public)).decode(),
    }


def _open(kind: str, data: bytes) -> tuple[bytes, tuple[PublicKey, ...]]:
    envelope = loads(data, "The statement's envelope")
    _validate("dsse", envelope)
    payload = _decoded(envelope["payload"])
    if envelope["payloadType"] != kind:
        raise BundleFault(f"The envelope holds {envelope['payloadType']}", expected=kind)
    if data != _envelope(kind, payload, envelope["signatures"]):
        raise BundleFault("The statement's envelope is not written the way this tool writes it: it was changed")
    signed = pae(kind, payload)
    signers = tuple(_checked(each, signed) for each in envelope["signatures"])
    if len(set(map(key_id, signers))) != len(signers):
        raise BundleFault("One key has signed the statement twice")
    return payload, signers


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
    error = next(published_validator(name).iter_errors(document), None)
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "/"
        raise BundleFault(f"The {_WORDS.get(name, name)} is not in the expected form at {place}: {error.message[:200]}")
