from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jsonschema import Draft202012Validator
from small_run import Run

from harness.bundle.dsse import pae
from harness.bundle.statement import PAYLOAD_TYPE, countersign, make_statement, open_statement, sign
from harness.errors import BundleFault
from harness.pack.data import published_schema
from harness.security.statement_key import SigningKey, key_id


@pytest.fixture(scope="session")
def statement(run: Run) -> dict[str, Any]:
    return make_statement(run.record(), {"record.json": "0" * 64, "plan.json": "1" * 64}, demo=False)


def test_the_encoding_is_that_of_the_specification() -> None:
    payload_type = "http://example.com/HelloWorld"
    assert pae(payload_type, b"hello world") == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_a_signed_statement_opens_again(statement: dict[str, Any], key: SigningKey) -> None:
    opened, signers = open_statement(sign(statement, [key]))
    assert opened == statement
    assert [key_id(signer) for signer in signers] == [key_id(key.public)]


def test_envelope_and_statement_fit_their_published_schemas(statement: dict[str, Any], key: SigningKey) -> None:
    envelope = json.loads(sign(statement, [key]))
    for name, document in (("dsse", envelope), ("statement", statement)):
        Draft202012Validator.check_schema(published_schema(name))
        assert not list(Draft202012Validator(published_schema(name)).iter_errors(document))
    assert envelope["payloadType"] == PAYLOAD_TYPE


def test_the_statement_lists_files_and_says_what_they_show(statement: dict[str, Any]) -> None:
    assert [each["name"] for each in statement["subject"]] == ["plan.json", "record.json"]
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    for name in ("verdict", "counts", "assurance", "pack", "plan", "waivers", "validity", "tool", "cases"):
        assert name in statement["predicate"]


def test_a_second_party_countersigns(statement: dict[str, Any], key: SigningKey) -> None:
    operator = SigningKey(ec.generate_private_key(ec.SECP256R1()))
    both = countersign(sign(statement, [key]), operator)
    assert [key_id(each) for each in open_statement(both)[1]] == [key_id(key.public), key_id(operator.public)]
    with pytest.raises(BundleFault, match="signed the statement already"):
        countersign(both, operator)


def changed(data: bytes, change: str, key: SigningKey) -> bytes:
    envelope = json.loads(data)
    first = envelope["signatures"][0]
    stranger = SigningKey(ed25519.Ed25519PrivateKey.generate())
    match change:
        case "payload":
            payload = base64.b64decode(envelope["payload"]).replace(b'"demo":false', b'"demo":true ')
            envelope["payload"] = base64.b64encode(payload).decode()
        case "key id":
            first["keyid"] = key_id(stranger.public)
        case "signature":
            first["sig"] = base64.b64encode(stranger.sign(b"something else")).decode()
        case "no signature":
            envelope["signatures"] = []
        case "twice":
            envelope["signatures"].append(first)
        case "payload type":
            envelope["payloadType"] = "application/json"
        case "extra member":
            envelope["note"] = "x"
        case "base64":
            envelope["payload"] = envelope["payload"] + "\n"
        case "key":
            first["publicKey"] = base64.b64encode(b"no key").decode()
    return json.dumps(envelope, indent=1).encode() + b"\n"


@pytest.mark.parametrize(
    "change",
    ["payload", "key id", "signature", "no signature", "twice", "payload type", "extra member", "base64", "key"],
)
def test_a_changed_envelope_is_refused(change: str, statement: dict[str, Any], key: SigningKey) -> None:
    with pytest.raises(BundleFault):
        open_statement(changed(sign(statement, [key]), change, key))


def test_another_spelling_of_the_same_envelope_is_refused(statement: dict[str, Any], key: SigningKey) -> None:
    data = sign(statement, [key])
    for other in (data + b" ", json.dumps(json.loads(data)).encode(), data.replace(b'"payload":', b'"payload" :')):
        with pytest.raises(BundleFault):
            open_statement(other)


def test_a_name_that_stands_twice_is_refused(statement: dict[str, Any], key: SigningKey) -> None:
    data = sign(statement, [key]).replace(b'"payloadType"', b'"payloadType": "x", "payloadType"', 1)
    with pytest.raises(BundleFault, match="stands twice"):
        open_statement(data)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"{" * 100_000, b'{"payload": NaN}'])
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(BundleFault):
        open_statement(data)


def test_a_signed_statement_of_another_kind_is_refused(statement: dict[str, Any], key: SigningKey) -> None:
    with pytest.raises(BundleFault, match="expected form at predicateType"):
        open_statement(sign({**statement, "predicateType": "urn:other"}, [key]))
