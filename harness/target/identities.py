"""The keys and certificates of the parties that the harness plays, and what is believed on.

A folder of identities holds ``NAME.pem`` (certificate, then intermediates) and ``NAME.key`` for each party that the
harness plays, by party id, and for ``harness``: what the listener shows. A party without files of its own uses
``harness``. ``spares/PARTY.DEFECT.pem`` and ``.key`` hold certificates that are wrong on purpose; ``crl.pem`` is the
revocation list that shows which of them is revoked.

A folder made by ``c2c pki`` holds an authority as well; what is missing is then issued.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat as Public
from cryptography.x509 import Certificate, CertificateRevocationList

from harness.errors import ConfigurationFault, Where
from harness.host import make_private, write_private
from harness.pack.model import Pack
from harness.security.issue import is_test
from harness.security.keys import load_certificates, load_crls, load_identity, load_ocsp, to_pem
from harness.security.model import Identity, Trust
from harness.security.ocsp import holds_until
from harness.security.pki import TestPki
from harness.security.signer import open_signer
from harness.security.spares import make_spares, out_of_time
from harness.security.trust import is_authority, make_trust
from harness.target.model import Certificates, Statement, Target

LISTENER = "harness"
"""Name of the identity that the listener shows."""


def load_identities(target: Target, pack: Pack) -> dict[str, Identity]:
    """The identity of every party of the pack, by party id, and the listener's as :data:`LISTENER`.

    Raises:
        ConfigurationFault: a file is missing or cannot be used, or is marked TEST and the run is real.
    """
    folder = target.identities
    if (folder / "issuing.key").is_file():
        _issue_missing(target, pack)
    files = {name: folder / f"{name}.pem" for name in (LISTENER, *pack.parties)}
    if not files[LISTENER].is_file():
        raise ConfigurationFault(
            f"there is no {LISTENER}.pem in the folder of identities",
            where=target.source.where(("identities",)),
            expected=f"{folder / LISTENER}.pem and .key, and {folder}/PARTY.pem and .key where a party has its own",
            remedy="'c2c pki issue' makes test identities; docs/connecting.md has the names.",
        )
    found = {
        name: load_identity(name, file if file.is_file() else files[LISTENER], _key_of(file, files[LISTENER]))
        for name, file in files.items()
    }
    _refuse_test_keys(target, ((identity.certificate_file, identity.certificate) for identity in found.values()))
    return found


def load_spares(target: Target, identities: Mapping[str, Identity]) -> dict[str, dict[str, Identity]]:
    """Identities that are wrong on purpose, by party id, then by what is wrong.

    The authority of the folder makes those that there are not, and anew those whose time is over.
    """
    folder = target.identities / "spares"
    spares = _spares_in(folder, identities)
    if not (target.identities / "issuing.key").is_file():
        return spares
    pki = TestPki.open(target.identities, datetime.now(UTC))
    for name, own in spares.items():
        over = [defect for defect, each in own.items() if out_of_time(defect, each, pki.now)]
        for defect in over:
            (folder / f"{name}.{defect}.key").unlink()
        if over or not own:
            write_spares(pki, identities[name], folder, *over)
    return _spares_in(folder, identities)


def load_own_lists(target: Target) -> tuple[CertificateRevocationList, ...]:
    """The revocation lists of those who issued the identities: none, where there is no ``crl.pem``.

    Raises:
        ConfigurationFault: it cannot be read.
    """
    file = target.identities / "crl.pem"
    return load_crls(file) if file.is_file() else ()


def _spares_in(folder: Path, identities: Mapping[str, Identity]) -> dict[str, dict[str, Identity]]:
    spares: dict[str, dict[str, Identity]] = {name: {} for name in identities if name != LISTENER}
    for file in sorted(folder.glob("*.pem")):
        party, _, defect = file.stem.rpartition(".")
        if party in spares:
            spares[party][defect] = load_identity(party, file, file.with_suffix(".key"))
    return spares


def write_spares(pki: TestPki, identity: Identity, folder: Path, *names: str) -> None:
    """Make identities that are wrong on purpose, as ``NAME.DEFECT.pem`` and ``.key``.

    Parameters:
        pki: who issued the identity.
        identity: whom they pretend to be; its name is NAME.
        folder: is made if it is not there.
        names: of the defects; none means all.
    """
    if not folder.is_dir():
        folder.mkdir()
        make_private(folder)
    for defect, spare in make_spares(pki, identity, *names).items():
        secret = spare.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(folder / f"{identity.name}.{defect}.key", secret)
        (folder / f"{identity.name}.{defect}.pem").write_bytes(to_pem((spare.certificate, *spare.chain)))


def load_anchors(target: Target, files: Iterable[Path]) -> tuple[Certificate, ...]:
    """Trust anchors of the SUT.

    Raises:
        ConfigurationFault: a file cannot be read, or is marked TEST and the run is real.
    """
    found = [(file, each) for file in files for each in load_certificates(file)]
    _refuse_test_keys(target, found)
    return tuple(each for _, each in found)


def without_missing(target: Target) -> tuple[Target, tuple[Path, ...]]:
    """The target with those files of its certificates that are there, and the files that are not."""
    names = [each.name for each in fields(Certificates)]
    named: dict[str, tuple[Path, ...]] = {name: getattr(target.certificates, name) for name in names}
    missing = tuple(dict.fromkeys(file for files in named.values() for file in files if not file.exists()))
    there = {name: tuple(file for file in files if file not in missing) for name, files in named.items()}
    return replace(target, certificates=Certificates(**there)), missing


def load_trust(target: Target) -> Trust:
    """What the SUT's signatures are believed on.

    Raises:
        ConfigurationFault: a file cannot be read, or is marked TEST and the run is real.
    """
    crls = [each for file in target.certificates.crls for each in load_crls(file)]
    ocsp = [load_ocsp(file) for file in target.certificates.ocsp]
    return make_trust(load_anchors(target, target.certificates.signatures), crls, ocsp)


def revocation_data(target: Target) -> Iterator[tuple[Path, str, datetime]]:
    """The revocation lists and OCSP answers of a target: file, what it is, and until when all of it holds.

    Raises:
        ConfigurationFault: a file cannot be read.
    """
    for file in target.certificates.crls:
        for crl in load_crls(file):
            if crl.next_update_utc is not None:
                yield file, f"revocation list of {crl.issuer.rfc4514_string()}", crl.next_update_utc
    for file in target.certificates.ocsp:
        yield file, "OCSP answer", holds_until(load_ocsp(file))


def load_signers(target: Target) -> tuple[Certificate, ...]:
    """The certificates that the SUT signs with; their authorities may stand in the same files.

    Raises:
        ConfigurationFault: a file cannot be read, holds nothing but authorities, or is marked TEST and the run is real.
    """
    found: list[tuple[Path, Certificate]] = []
    for file in target.certificates.signers:
        own = [each for each in load_certificates(file) if not is_authority(each)]
        if not own:
            raise ConfigurationFault(
                "there is no certificate of a signer, only those of authorities",
                where=Where(file),
                expected="the certificate that the system under test signs its messages with",
                remedy="Trust anchors stand in certificates/signatures.",
            )
        found += [(file, each) for each in own]
    _refuse_test_keys(target, found)
    return tuple(each for _, each in found)


def check_statement_key(statement: Statement, identities: Iterable[Identity], where: Where) -> None:
    """Check that the key of the statement is no key for messages or TLS.

    Raises:
        ConfigurationFault: it is one, or it cannot be opened.
    """
    key = open_signer(statement.key, statement.password.read().encode() if statement.password else None).public
    for identity in identities:
        if _public(key) == _public(identity.certificate.public_key()):
            raise ConfigurationFault(
                f"the statement key is the transport key of {identity.name}",
                where=where,
                expected="a key that is used for nothing else",
                remedy="Make one with: openssl genpkey -algorithm ed25519 -out FILE",
            )


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, Public.SubjectPublicKeyInfo)


def _key_of(file: Path, fallback: Path) -> Path:
    return (file if file.is_file() else fallback).with_suffix(".key")


def _issue_missing(target: Target, pack: Pack) -> None:
    pki = TestPki.open(target.identities, datetime.now(UTC))
    advertised = urlsplit(target.listen.advertise or "").hostname
    for name in (LISTENER, *pack.parties):
        if not (target.identities / f"{name}.pem").is_file():
            country = pack.parties[name].facts.get("country") if name in pack.parties else None
            hosts = dict.fromkeys(filter(None, ("localhost", "127.0.0.1", advertised)))
            pki.issue(name, country=country, hosts=tuple(hosts) if name == LISTENER else ())


def _refuse_test_keys(target: Target, certificates: Iterable[tuple[Path | None, Certificate]]) -> None:
    for file, certificate in certificates:
        if is_test(certificate) and not target.test_keys:
            raise ConfigurationFault(
                f"{certificate.subject.rfc4514_string()} is a certificate for tests, and this is a real run",
                where=Where(file or target.identities),
                expected="certificates of a real authority; or the line 'keys: test' in the target file",
                remedy="Say 'keys: test' when the result shall not certify anybody.",
            )
