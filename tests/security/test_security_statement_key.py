from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from harness.errors import ConfigurationFault
from harness.host import WINDOWS, readable_by_others, write_private
from harness.security.statement_key import (
    PublicKey,
    SigningKey,
    generate_demo_key,
    key_id,
    load_public_keys,
    load_signing_key,
    public_key_from_der,
    public_pem,
    signature_is_valid,
    spki,
)


def pem(key: object, password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)  # type: ignore[attr-defined]


KEYS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "p521": ec.generate_private_key(ec.SECP521R1()),
    "rsa": rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("kind", KEYS)
def test_every_accepted_kind_signs_and_verifies(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    write_private(file, pem(KEYS[kind]))
    key = load_signing_key(file)
    signature = key.sign(b"hello")
    assert signature_is_valid(key.public, signature, b"hello")
    assert not signature_is_valid(key.public, signature, b"hallo")
    assert not signature_is_valid(key.public, b"", b"hello")
    assert not key.demo


def test_another_key_does_not_verify() -> None:
    one, other = SigningKey(KEYS["p256"]), SigningKey(KEYS["ed25519"])
    assert not signature_is_valid(other.public, one.sign(b"x"), b"x")


def test_an_encrypted_key_needs_its_password(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    write_private(file, pem(KEYS["p256"], b"open sesame"))
    assert load_signing_key(file, b"open sesame")
    for wrong in (None, b"open barley"):
        with pytest.raises(ConfigurationFault, match="cannot be used"):
            load_signing_key(file, wrong)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_a_clear_fault(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    write_private(file, content)
    with pytest.raises(ConfigurationFault, match=r"key\.pem: the signing key cannot be used"):
        load_signing_key(file)


@pytest.mark.parametrize(
    "weak",
    [ec.generate_private_key(ec.SECP256K1()), rsa.generate_private_key(65537, 1024), dsa.generate_private_key(2048)],
)
def test_a_weak_or_foreign_kind_of_key_is_refused(weak: object, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    write_private(file, pem(weak))
    with pytest.raises(ConfigurationFault, match="cannot be used"):
        load_signing_key(file)
    public = tmp_path / "pub.pem"
    public.write_bytes(public_pem(weak.public_key()))  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationFault, match="cannot be used"):
        load_public_keys(public)


@pytest.mark.skipif(WINDOWS, reason="only on systems with file modes")
def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    write_private(file, pem(KEYS["ed25519"]))
    file.chmod(0o644)
    with pytest.raises(ConfigurationFault, match="chmod 600"):
        load_signing_key(file)


def test_a_missing_file_is_a_clear_fault(tmp_path: Path) -> None:
    for load in (load_signing_key, load_public_keys):
        with pytest.raises(ConfigurationFault, match="cannot be read"):
            load(tmp_path / "none.pem")


def test_a_demo_key_says_what_it_is_and_is_never_overwritten(tmp_path: Path) -> None:
    private, public = generate_demo_key(tmp_path / "keys")
    assert load_signing_key(private).demo
    assert b"NOT FOR CERTIFICATION" in public.read_bytes()
    assert not readable_by_others(private)
    assert load_public_keys(public)[0] == load_signing_key(private).public
    with pytest.raises(FileExistsError):
        generate_demo_key(tmp_path / "keys")


def test_a_private_key_is_never_in_a_representation() -> None:
    assert "private" not in repr(SigningKey(KEYS["p256"]))


def test_several_trusted_keys_stand_in_one_file(tmp_path: Path) -> None:
    publics: list[PublicKey] = [KEYS["p256"].public_key(), KEYS["rsa"].public_key()]
    file = tmp_path / "trusted.pem"
    file.write_bytes(b"the operator\n" + b"\n".join(map(public_pem, publics)))
    assert list(map(key_id, load_public_keys(file))) == list(map(key_id, publics))


def test_a_file_of_private_keys_gives_no_trusted_key(tmp_path: Path) -> None:
    file = tmp_path / "trusted.pem"
    file.write_bytes(pem(KEYS["p256"]))
    with pytest.raises(ConfigurationFault, match="no public key"):
        load_public_keys(file)


def test_a_key_survives_der() -> None:
    public = KEYS["p384"].public_key()
    assert key_id(public_key_from_der(spki(public))) == key_id(public)
    with pytest.raises(ValueError, match=r"."):
        public_key_from_der(b"not a key")
