"""Keys from files: the good case, and one clear sentence for everything that can be wrong."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from harness import host
from harness.errors import ConfigurationFault
from harness.security.keys import load_certificates, load_crls, load_identity


def write_key(path, key, encryption=None):
    host.write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
    return path


def test_identity_with_its_chain(world):
    identity = load_identity("a", world.ec.certificate_file, world.ec.key_file)
    assert identity.certificate == world.ec.certificate
    assert identity.chain == (world.pki.issuing.certificate,)
    assert identity.key.private_numbers() == world.ec.key.private_numbers()


def test_encrypted_key(world, tmp_path):
    file = write_key(tmp_path / "key", world.ec.key, BestAvailableEncryption(b"secret"))
    assert load_identity("a", world.ec.certificate_file, file, "secret").key.key_size == 256
    for password, said in ((None, "is encrypted"), ("wrong", "password does not open")):
        with pytest.raises(ConfigurationFault, match=said):
            load_identity("a", world.ec.certificate_file, file, password)
    with pytest.raises(ConfigurationFault, match="not encrypted"):
        load_identity("a", world.ec.certificate_file, world.ec.key_file, "secret")


def test_missing_file_names_it(world, tmp_path):
    with pytest.raises(ConfigurationFault, match=r"none\.pem") as caught:
        load_identity("a", tmp_path / "none.pem", world.ec.key_file)
    assert "cannot be read" in caught.value.what
    with pytest.raises(ConfigurationFault, match="cannot be read"):
        load_crls(tmp_path)


@pytest.mark.parametrize("load", [load_certificates, load_crls])
@pytest.mark.parametrize("data", [b"", b"\x30\x82", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_file_without_pem(tmp_path, load, data):
    file = tmp_path / "file"
    file.write_bytes(data)
    with pytest.raises(ConfigurationFault, match="BEGIN"):
        load(file)


def test_key_that_is_no_key(world, tmp_path):
    file = tmp_path / "key"
    host.write_private(file, b"nothing")
    with pytest.raises(ConfigurationFault, match="no readable private key"):
        load_identity("a", world.ec.certificate_file, file)


def test_key_of_another_certificate(world):
    with pytest.raises(ConfigurationFault, match="does not belong"):
        load_identity("a", world.ec.certificate_file, world.rsa.key_file)


def test_key_of_a_kind_that_cannot_sign_messages(world, tmp_path):
    file = write_key(tmp_path / "key", Ed25519PrivateKey.generate())
    with pytest.raises(ConfigurationFault, match="kind of key"):
        load_identity("a", world.ec.certificate_file, file)


@pytest.mark.skipif(host.WINDOWS, reason="modes do not say it on Windows")
def test_key_that_others_can_read_is_refused_with_the_command_to_mend_it(world, tmp_path):
    file = write_key(tmp_path / "a key", world.ec.key)
    file.chmod(0o644)
    with pytest.raises(ConfigurationFault) as caught:
        load_identity("a", world.ec.certificate_file, file)
    assert f"`chmod 600 '{file}'`" in caught.value.remedy


def test_revocation_lists(world):
    crls = load_crls(world.pki.folder / "crl.pem")
    assert [crl.issuer for crl in crls] == [
        world.pki.issuing.certificate.subject,
        world.pki.root.certificate.subject,
    ]


def test_private_key_is_never_printed(world):
    assert "key=" not in repr(world.ec)
    assert "PrivateKey" not in repr(world.ec)
    assert "PrivateKey" not in repr(world.pki)
