"""The signed statement: an in-toto Statement in a DSSE envelope.

The statement lists the digest of every file of the bundle, and says in its predicate what they show. The envelope may
carry several signatures, such as the country's and the operator's.

Source: in-toto attestation framework, Statement v1.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.bundle.dsse import add_signature, open_payload, sign_payload
from harness.evidence.store import digest_of
from harness.security.statement_key import PublicKey, Signer

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:c2c-harness:predicate:conformance:1"
DETACHABLE = "evidence/"
"""The part of a bundle that may be sealed when it is shared: every file whose name begins so."""
_PLAN = (
    "baseline",
    "environment",
    "seed",
    "challenge",
    "depth",
    "adopt_assumed",
    "timers",
    "unclaimed",
    "by_hand",
    "spared",
)
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def make_statement(record: Mapping[str, Any], digests: Mapping[str, str], *, demo: bool) -> dict[str, Any]:
    """The statement about a bundle.

    Parameters:
        record: the record.
        digests: file name in the bundle to SHA-256, hexadecimal.
        demo: it was made with TEST keys, or will be signed with one.
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
        "pack": {name: pack[name] for name in ("id", "version", "digest", "extends", "bases")},
        "plan": {name: record["plan"][name] for name in _PLAN},
        "revocation": revocation_of(record),
        "cases": [{"id": case["id"], "version": case["version"]} for case in record["cases"]],
        "started": record["started"],
        "finished": record["finished"],
        "resumed": list(record.get("resumed", ())),
        "repeated": [each["at"] for each in record.get("repeated", ())],
        "evidence": list(record.get("evidence", ())),
        "validity": dict(record["validity"]),
        "detachable": [DETACHABLE],
        "waivers": list(record["waivers"]),
        **({"annexes": [_annex(each) for each in record["annexes"]]} if record.get("annexes") else {}),
        "tool": dict(record["tool"]),
    }


def revocation_of(record: Mapping[str, Any]) -> dict[str, int]:
    """How many trusted signatures of the system were held against revocation data (``good``), and how many were not.

    Parameters:
        record: of the run; an earlier attempt at a case does not count.
    """
    found = {"good": 0, "not checked": 0}
    for case in record["cases"]:
        for message in (each for step in case["steps"] for each in step["messages"]):
            signature = message["signature"]
            if signature and signature["trusted"]:
                found["good" if signature["revocation"] == "good" else "not checked"] += 1
    return found


def _annex(annex: Mapping[str, Any]) -> dict[str, Any]:
    """Who answered which questions, and the digests of the documents that show it; they change no verdict."""
    steps = [step for case in annex["cases"] for step in case["steps"]]
    return {
        "pack": {name: annex["pack"][name] for name in ("id", "version", "digest")},
        "persons": list(annex["persons"]),
        "statuses": dict(annex["statuses"]),
        "files": [dict(each) for step in steps for each in step["files"]],
    }


def sign(statement: Mapping[str, Any], keys: Sequence[Signer]) -> bytes:
    """Put a statement into an envelope and sign it with each of the keys."""
    return sign_payload(PAYLOAD_TYPE, statement, keys)


def countersign(data: bytes, key: Signer) -> bytes:
    """Add a signature to an envelope whose signatures are valid.

    Raises:
        BundleFault: it is no envelope, one of its signatures is not valid, or this key has signed already.
    """
    open_statement(data)
    return add_signature(PAYLOAD_TYPE, data, key)


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
    return open_payload(PAYLOAD_TYPE, data, schema)


def statement_digest(data: bytes) -> str:
    """The digest of what is signed in an envelope, ``sha256:<hex>``: the same however many signatures it has."""
    return digest_of(base64.b64decode(json.loads(data)["payload"]))
