"""A public key infrastructure for tests: everything that it makes says TEST.

A root, one issuing authority below it, their revocation lists, and certificates for parties and for the integrator's
system. It works only with its own authorities: a folder whose authorities are not marked TEST is refused, so that
nothing that it makes can ever lead to a real trust anchor.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypedDict

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness import host
from harness.errors import ConfigurationFault, Where
from harness.security.issue import (
    MARK,
    Draft,
    Window,
    general_names,
    is_test,
    make_certificate,
    make_crl,
    new_key,
    read_request,
    subject_name,
)
from harness.security.keys import load_identity, to_pem
from harness.security.model import Identity, Trust

Purpose = Literal["signature", "tls"]

_BOTH: tuple[Purpose, ...] = ("signature", "tls")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ROOT, _ISSUING = "root", "issuing"
_TAKEN = (_ROOT, _ISSUING, "trust", "crl")
_REVOKED = "revoked.json"
_AHEAD = 64
"""How many serial numbers are revoked ahead of their certificates."""


class _Revocations(TypedDict):
    """What ``revoked.json`` holds: serial number (hexadecimal) to the moment, and those that no certificate has."""

    listed: dict[str, str]
    free: list[str]


@dataclass(frozen=True)
class TestPki:
    """The authorities of one folder.

    The folder holds ``root.pem``, ``issuing.pem`` and their ``.key``, ``trust.pem`` (what a receiver must trust),
    ``crl.pem``, ``revoked.json``, and certificate (with its issuer) and key of everything issued.

    Serial numbers are revoked before a certificate has them, so that a copy of ``crl.pem`` that a system was given
    once also speaks of the revoked certificates that are made later.

    Parameters:
        folder: where it lives.
        root, issuing: the authorities.
        now: the moment around which validity is set, UTC.
    """

    __test__ = False  # pytest: not a class of tests

    folder: Path
    root: Identity = field(repr=False)
    issuing: Identity = field(repr=False)
    now: datetime

    @classmethod
    def create(cls, folder: Path, now: datetime) -> TestPki:
        """Make new authorities, valid from a year before *now* for eleven years. Who is interrupted leaves none.

        Raises:
            ConfigurationFault: the folder holds authorities already, or another file of the same name; or it is no
                folder.
        """
        if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
            raise ConfigurationFault(
                "This is no folder of its own",
                where=Where(folder),
                expected="a folder, or a name that is free",
                remedy="Choose another folder for the test PKI.",
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        near = folder if folder.exists() else folder.parent
        with TemporaryDirectory(prefix=".unfinished-", dir=near) as unfinished:
            made = Path(unfinished, "made")
            made.mkdir()
            host.make_private(made)
            root = _make_authority(made, _ROOT, now, None)
            issuing = _make_authority(made, _ISSUING, now, root)
            (made / "trust.pem").write_bytes(to_pem((root.certificate, issuing.certificate)))
            (made / _REVOKED).write_text('{"listed": {}, "free": []}', encoding="utf-8", newline="\n")
            cls(made, root, issuing, now)._revoke_ahead()
            _settle(made, folder)
        return cls.open(folder, now)

    @classmethod
    def at(cls, folder: Path, now: datetime) -> TestPki:
        """The authorities of a folder, which are made where there are none.

        Raises:
            ConfigurationFault: see :meth:`open` and :meth:`create`.
        """
        complete = folder / f"{_ROOT}.pem"
        if not complete.exists():
            try:
                return cls.create(folder, now)
            except ConfigurationFault:
                if not complete.exists():  # else somebody made them meanwhile
                    raise
        return cls.open(folder, now)

    @classmethod
    def open(cls, folder: Path, now: datetime | None = None) -> TestPki:
        """Take up the authorities of a folder.

        Raises:
            ConfigurationFault: a file is missing or wrong, or an authority is not marked TEST.
        """
        root, issuing = (_load(folder, name) for name in (_ROOT, _ISSUING))
        for authority in (root, issuing):
            if not is_test(authority.certificate):
                raise ConfigurationFault(
                    f"{authority.certificate.subject.rfc4514_string()} is not an authority for tests",
                    where=Where(folder / f"{authority.name}.pem"),
                    expected=f"a subject whose organisation begins with {MARK}",
                    remedy="Make a test PKI in an empty folder; never use a real authority here.",
                )
        return cls(folder, root, issuing, now or datetime.now(UTC))

    def issue(
        self,
        name: str,
        *,
        country: str | None = None,
        hosts: Sequence[str] = (),
        uri: str | None = None,
        valid: Window | None = None,
        purposes: Sequence[Purpose] = _BOTH,
        key: Literal["ec", "rsa"] = "ec",
    ) -> Identity:
        """Make a key and a certificate, and write both into the folder.

        Parameters:
            name: the party's name: common name and file name.
            country: ISO 3166-1 alpha-2.
            hosts: DNS names and IP addresses under which it answers TLS.
            uri: one more subject alternative name.
            valid: first and last moment; left out, from yesterday for a year.
            purposes: with ``tls`` it serves as TLS server and client.
            key: ``ec`` (P-256) or ``rsa`` (2048 bits).

        Raises:
            ConfigurationFault: the name cannot be a file name or is taken; a host or the country cannot stand in a
                certificate.
        """
        if not _NAME.fullmatch(name) or name in _TAKEN:
            raise ConfigurationFault(
                f"{name!r} cannot name a test identity",
                expected=f"letters, digits, dot, dash and underscore; not {', '.join(_TAKEN)}",
                remedy="Choose another name.",
            )
        secret = new_key(key)
        draft = self._draft(subject_name(name, country), general_names(hosts, uri), valid, purposes)
        certificate = make_certificate(draft, secret.public_key(), self.issuing.certificate.subject, self.issuing.key)
        return _write(self.folder, Identity(name, certificate, secret, (self.issuing.certificate,)))

    def sign(
        self,
        csr_pem: bytes,
        *,
        country: str | None = None,
        hosts: Sequence[str] = (),
        uri: str | None = None,
        valid: Window | None = None,
        purposes: Sequence[Purpose] = _BOTH,
    ) -> x509.Certificate:
        """Answer a certificate signing request; only its key, common name and host names count.

        Parameters:
            csr_pem: PKCS#10 in PEM.
            country, valid, purposes: as for :meth:`issue`.
            hosts, uri: used instead of the names that the request asks for.

        Raises:
            ConfigurationFault: see :func:`harness.security.issue.read_request`.
        """
        request = read_request(csr_pem)
        names = general_names(hosts, uri) or request.names
        draft = self._draft(subject_name(request.name, country), names, valid, purposes)
        return make_certificate(draft, request.key, self.issuing.certificate.subject, self.issuing.key)

    def take_revoked_serial(self) -> int:
        """A serial number of the issuing authority that is on its list, and that no certificate has."""
        if not self._revocations()["free"]:
            self._revoke_ahead()
        revocations = self._revocations()
        serial = revocations["free"].pop(0)
        self._write_revocations(revocations)
        return int(serial, 16)

    def crl(self) -> tuple[x509.CertificateRevocationList, ...]:
        """The lists of issuing authority and root as they stand; ``crl.pem`` is written anew."""
        crls = tuple(
            make_crl(by.certificate.subject, by.key, self.now, revoked)
            for by, revoked in ((self.issuing, self._revoked()), (self.root, {}))
        )
        (self.folder / "crl.pem").write_bytes(to_pem(crls))
        return crls

    @property
    def trust(self) -> Trust:
        """The root as anchor, the issuing authority to find the path, and both revocation lists."""
        return Trust((self.root.certificate,), self.crl(), (self.issuing.certificate,))

    def foreign(self) -> TestPki:
        """Another infrastructure with the same names and other keys, in a folder inside this one."""
        return TestPki.at(self.folder / "foreign", self.now)

    def _draft(
        self, subject: x509.Name, names: Sequence[x509.GeneralName], valid: Window | None, purposes: Sequence[Purpose]
    ) -> Draft:
        tls = "tls" in purposes
        return Draft(
            subject,
            valid or (self.now - timedelta(days=1), self.now + timedelta(days=365)),
            names,
            ("digital_signature", "content_commitment") if "signature" in purposes else ("digital_signature",),
            (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH) if tls else (),
        )

    def _revoke_ahead(self) -> None:
        """Put numbers on the list that no certificate has; ``crl.pem`` is written anew."""
        free = [f"{x509.random_serial_number():x}" for _ in range(_AHEAD)]
        listed = self._revocations()["listed"] | dict.fromkeys(free, self.now.isoformat())
        self._write_revocations({"listed": listed, "free": free})
        self.crl()

    def _revoked(self) -> dict[int, datetime]:
        listed = self._revocations()["listed"].items()
        return {int(serial, 16): datetime.fromisoformat(moment) for serial, moment in listed}

    def _revocations(self) -> _Revocations:
        revocations: _Revocations = json.loads((self.folder / _REVOKED).read_text(encoding="utf-8"))
        return revocations

    def _write_revocations(self, revocations: _Revocations) -> None:
        text = json.dumps(revocations, indent=1)
        (self.folder / _REVOKED).write_text(text, encoding="utf-8", newline="\n")


def _load(folder: Path, name: str) -> Identity:
    return load_identity(name, folder / f"{name}.pem", folder / f"{name}.key")


def _settle(made: Path, folder: Path) -> None:
    """Move complete authorities to their place: a new folder at once, else each file, and last what shows them."""
    try:
        made.rename(folder)
        return
    except OSError:
        if not folder.is_dir():
            raise
    host.make_private(folder)
    names = sorted((file.name for file in made.iterdir()), key=lambda name: name == f"{_ROOT}.pem")
    taken = next((folder / name for name in sorted(names) if (folder / name).exists()), None)
    lock = f"{_ROOT}.key"
    try:
        if taken is None:
            host.write_private(folder / lock, (made / lock).read_bytes())
    except FileExistsError:
        taken = folder / lock
    if taken is not None:
        raise ConfigurationFault(
            "There is a file of an authority already",
            where=Where(taken),
            expected="a folder without one; keys are never overwritten",
            remedy="Choose another folder, or remove what is left of authorities that nobody uses.",
        )
    try:
        for name in names:
            (made / name).replace(folder / name)
    except BaseException:
        for name in names:
            (folder / name).unlink(missing_ok=True)
        raise


def _make_authority(folder: Path, name: str, now: datetime, parent: Identity | None) -> Identity:
    key = new_key()
    draft = Draft(
        subject_name(f"{MARK} {name} authority"),
        (now - timedelta(days=366), now + timedelta(days=3653)),
        usages=("key_cert_sign", "crl_sign"),
        authority=True,
    )
    issuer, issuer_key = (parent.certificate.subject, parent.key) if parent else (draft.subject, key)
    return _write(folder, Identity(name, make_certificate(draft, key.public_key(), issuer, issuer_key), key))


def _write(folder: Path, identity: Identity) -> Identity:
    certificate_file, key_file = folder / f"{identity.name}.pem", folder / f"{identity.name}.key"
    try:
        host.write_private(key_file, identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except FileExistsError:
        raise ConfigurationFault(
            f"There is a key for {identity.name} already",
            where=Where(key_file),
            expected="a name that was not issued before; keys are never overwritten",
            remedy="Choose another name or folder.",
        ) from None
    certificate_file.write_bytes(to_pem((identity.certificate, *identity.chain)))
    return Identity(identity.name, identity.certificate, identity.key, identity.chain, certificate_file, key_file)
