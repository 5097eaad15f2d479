"""The test PKI: marked, complete, and unable to lead to a real anchor."""

from __future__ import annotations

import contextlib
import itertools
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness import host
from harness.errors import ConfigurationFault
from harness.security import pki as making
from harness.security.issue import Draft, is_test, make_certificate
from harness.security.pki import TestPki


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind).value


def test_everything_is_marked_test(world):
    assert all(is_test(each) for each in (*world.trust.anchors, *world.trust.intermediates, world.ec.certificate))
    assert all(is_test(spare.certificate) for spare in world.spares["ec"].values())


def test_certificate_of_a_party(world):
    certificate = world.ec.certificate
    named = {each.oid: each.value for each in certificate.subject}
    assert named[NameOID.COMMON_NAME] == "customs.departure"
    assert named[NameOID.COUNTRY_NAME] == "KG"
    names = extension(certificate, x509.SubjectAlternativeName)
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert set(extension(certificate, x509.ExtendedKeyUsage)) == {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    }
    assert extension(certificate, x509.KeyUsage).digital_signature
    assert not extension(certificate, x509.BasicConstraints).ca


def test_certificate_for_signatures_only(world, tmp_path):
    identity = TestPki.create(tmp_path, world.now).issue("signer", uri="urn:test:signer", purposes=["signature"])
    with pytest.raises(x509.ExtensionNotFound):
        extension(identity.certificate, x509.ExtendedKeyUsage)
    assert extension(identity.certificate, x509.KeyUsage).content_commitment
    names = extension(identity.certificate, x509.SubjectAlternativeName)
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:test:signer"]


def test_python_speaks_tls_with_it(world):
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for context in (server, client):
        context.load_cert_chain(world.ec.certificate_file, world.ec.key_file)
        context.load_verify_locations(world.pki.folder / "trust.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for end in ends * 3:
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    assert ends[0].version() == ends[1].version() is not None


def test_opened_again_it_issues(world, tmp_path):
    created = TestPki.create(tmp_path / "pki", world.now)
    second = TestPki.open(tmp_path / "pki", world.now).issue("second", country="UZ")
    crl = TestPki.open(tmp_path / "pki").trust.crls[0]
    assert crl.get_revoked_certificate_by_serial_number(second.certificate.serial_number) is None
    assert crl.is_signature_valid(created.issuing.certificate.public_key())


def test_a_list_that_was_given_away_speaks_of_what_is_revoked_later(world, tmp_path):
    given = TestPki.create(tmp_path / "pki", world.now).trust.crls[0]
    opened = TestPki.open(tmp_path / "pki", world.now)
    serials = [opened.take_revoked_serial() for _ in range(40)]
    assert len(set(serials)) == 40
    assert all(given.get_revoked_certificate_by_serial_number(serial) for serial in serials)


def test_more_numbers_are_revoked_when_none_is_left(world, tmp_path):
    pki = TestPki.create(tmp_path / "pki", world.now)
    serials = [pki.take_revoked_serial() for _ in range(70)]
    assert len(set(serials)) == 70
    assert all(pki.trust.crls[0].get_revoked_certificate_by_serial_number(serial) for serial in serials)


def test_keys_are_private_and_never_overwritten(world, tmp_path):
    pki = TestPki.create(tmp_path, world.now)
    identity = pki.issue("one")
    assert not host.readable_by_others(identity.key_file)
    for again in (lambda: pki.issue("one"), lambda: TestPki.create(tmp_path, world.now)):
        with pytest.raises(ConfigurationFault, match="already"):
            again()


@pytest.mark.parametrize("step", ["new_key", "make_certificate", "make_crl"])
@pytest.mark.parametrize("name", ["new", "."])
def test_who_is_interrupted_leaves_nothing_and_can_begin_again(world, tmp_path, monkeypatch, step, name):
    folder = tmp_path / name
    calls, true = itertools.count(1), getattr(making, step)

    def interrupted(*given):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return true(*given)

    monkeypatch.setattr(making, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        TestPki.at(folder, world.now)
    assert not list(tmp_path.iterdir())
    assert TestPki.at(folder, world.now).issue("one").key_file == folder / "one.key"
    assert TestPki.at(folder, world.now).trust.crls
    assert [each.name for each in tmp_path.rglob("*") if "unfinished" in each.name] == []


def test_who_is_interrupted_in_a_folder_that_was_there_leaves_nothing_either(world, tmp_path, monkeypatch):
    calls, true = itertools.count(1), Path.replace

    def interrupted(file, place):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return true(file, place)

    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        TestPki.at(tmp_path, world.now)
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]
    assert TestPki.at(tmp_path, world.now).trust.crls


def test_authorities_that_somebody_made_meanwhile_are_taken_up(world, tmp_path, monkeypatch):
    folder, true = tmp_path / "pki", making._settle

    def late(made, place):
        monkeypatch.setattr(making, "_settle", true)
        TestPki.create(folder, world.now)
        true(made, place)

    monkeypatch.setattr(making, "_settle", late)
    found = TestPki.at(folder, world.now)
    assert found.trust.anchors == TestPki.open(folder, world.now).trust.anchors


@pytest.mark.parametrize("make", [lambda place: place.write_text("mine"), lambda place: place.symlink_to("nowhere")])
def test_what_is_no_folder_cannot_hold_authorities(world, tmp_path, make):
    make(tmp_path / "pki")
    with pytest.raises(ConfigurationFault, match="no folder"):
        TestPki.at(tmp_path / "pki", world.now)


@pytest.mark.parametrize("name", ["root.key", "issuing.key", "crl.pem"])
def test_a_file_of_the_same_name_is_not_overwritten(world, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigurationFault, match="already") as caught:
        TestPki.at(tmp_path, world.now)
    assert caught.value.where.file == tmp_path / name
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [(name, "mine")]


@pytest.mark.parametrize("name", ["../up", "root", "", "a/b", "crl"])
def test_names_that_cannot_be_files(world, name):
    with pytest.raises(ConfigurationFault, match="cannot name"):
        world.pki.issue(name)


@pytest.mark.parametrize(
    "wrong", [{"hosts": ["müller.example"]}, {"country": "KGZ"}, {"uri": "http://ü/"}, {"name": "n" * 65}]
)
def test_what_cannot_stand_in_a_certificate(world, wrong):
    with pytest.raises(ConfigurationFault, match="certificate cannot"):
        world.pki.issue(**{"name": "wrong", **wrong})


def test_foreign_infrastructure_has_the_same_names_and_other_keys(world):
    foreign = world.pki.foreign()
    assert foreign.root.certificate.subject == world.pki.root.certificate.subject
    assert foreign.root.certificate != world.pki.root.certificate
    assert world.pki.foreign().root.certificate == foreign.root.certificate


def test_authority_that_is_not_marked_is_refused(world, tmp_path):
    TestPki.create(tmp_path, world.now)
    key = ec.generate_private_key(ec.SECP256R1())
    real = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Real Authority")])
    draft = Draft(real, (world.now, world.now + timedelta(days=1)), usages=("key_cert_sign",), authority=True)
    for name in ("root.pem", "root.key"):
        (tmp_path / name).unlink()
    certificate = make_certificate(draft, key.public_key(), real, key)
    (tmp_path / "root.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    host.write_private(tmp_path / "root.key", secret)
    with pytest.raises(ConfigurationFault, match="not an authority for tests"):
        TestPki.open(tmp_path)


def request(key, *, signed_by=None, subject="system.kg", hosts=("kg.example",)):
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else [])
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    builder = x509.CertificateSigningRequestBuilder().subject_name(named).add_extension(names, critical=False)
    return builder.sign(signed_by or key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_signing_request_is_answered(world):
    key = ec.generate_private_key(ec.SECP384R1())
    certificate = world.pki.sign(request(key), country="KG")
    assert certificate.public_key() == key.public_key()
    assert is_test(certificate)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "system.kg"
    names = extension(certificate, x509.SubjectAlternativeName)
    assert names.get_values_for_type(x509.DNSName) == ["kg.example"]
    other = world.pki.sign(request(key), hosts=["other.example"])
    assert extension(other, x509.SubjectAlternativeName).get_values_for_type(x509.DNSName) == ["other.example"]


def test_signing_request_must_be_signed_by_its_own_key(world):
    pem = request(ec.generate_private_key(ec.SECP256R1()))
    der = bytearray(x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM)
    with pytest.raises(ConfigurationFault, match="not signed by its own key"):
        world.pki.sign(forged)


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (b"nothing", "cannot be read"),
        (request(ec.generate_private_key(ec.SECP256R1()), subject=None), "no common name"),
        (request(rsa.generate_private_key(65537, 1024)), "unsuitable key"),
        (request(ec.generate_private_key(ec.SECP256K1())), "unsuitable key"),
    ],
)
def test_signing_request_that_is_refused(world, pem, said):
    with pytest.raises(ConfigurationFault, match=said):
        world.pki.sign(pem)
