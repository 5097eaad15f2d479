"""The sealed part of a bundle that is shared: the exact bytes, encrypted to named recipients.

What is sealed is ``evidence/``, which the statement marks detachable. It becomes one file, ``sealed/evidence.p7m``: a
zip in CMS EnvelopedData (RFC 5652), AES-256 in CBC mode, the key transported with RSA to the X.509 certificate of each
recipient. So a recipient can also open it with other tools, such as ``openssl cms -decrypt -inform DER``. CMS does not
prove that the content is the right one; the digests in the signed statement do, once it is opened.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

from harness.bundle.files import files, unpack, write_zip
from harness.bundle.statement import DETACHABLE
from harness.errors import BundleFault, ConfigurationFault, Where
from harness.security.keys import load_certificates
from harness.security.statement_key import read_private

if TYPE_CHECKING:
    from collections.abc import Iterable

SEALED = "sealed/evidence.p7m"
MOST_SEALED = 1024**3
"""Bytes that are sealed in one piece, packed: the cipher works in memory."""
_LEAST_BITS = 2048


def load_recipients(paths: Iterable[Path], at: datetime) -> tuple[x509.Certificate, ...]:
    """The certificates of those who may open the sealed part: the first one of each file.

    Raises:
        ConfigurationFault: a certificate cannot be read, is out of date, or its key cannot be encrypted to.
    """
    return tuple(_recipient(path, load_certificates(path)[0], at) for path in paths)


def _recipient(path: Path, certificate: x509.Certificate, at: datetime) -> x509.Certificate:
    key = certificate.public_key()
    usage = next((each.value for each in certificate.extensions if isinstance(each.value, x509.KeyUsage)), None)
    problem = None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _LEAST_BITS:
        problem = "nothing can be sealed to this kind of key"
    elif usage is not None and not usage.key_encipherment:
        problem = "this certificate does not allow that keys are encrypted to it (keyEncipherment)"
    elif not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        problem = "this certificate is out of date"
    if problem is not None:
        raise ConfigurationFault(
            problem,
            where=Where(path),
            expected=f"a valid certificate with an RSA key of at least {_LEAST_BITS} bits, for encryption",
            remedy="Ask the recipient for it.",
        )
    return certificate


def seal(folder: Path, recipients: Sequence[x509.Certificate]) -> bytes:
    """Encrypt the evidence of a bundle.

    Parameters:
        folder: of the bundle.
        recipients: who may open it; at least one.

    Raises:
        ConfigurationFault: it is too large.
    """
    with TemporaryDirectory(prefix="c2c-seal-") as temporary:
        packed = Path(temporary) / "evidence.zip"
        write_zip(folder / DETACHABLE, packed)
        if packed.stat().st_size > MOST_SEALED:
            raise ConfigurationFault(f"the evidence is larger than can be sealed ({MOST_SEALED} bytes, packed)")
        builder = pkcs7.PKCS7EnvelopeBuilder().set_data(packed.read_bytes())
    builder = builder.set_content_encryption_algorithm(algorithms.AES256)
    for each in recipients:
        builder = builder.add_recipient(each)
    return builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def unseal(shared: Path, target: Path, certificate_file: Path, key_file: Path, password: bytes | None) -> None:
    """Write a full copy of a shared bundle, its sealed part opened. Whether it is the right one, verifying tells.

    Parameters:
        shared: folder of the shared bundle.
        target: folder for the copy; it must not be there.
        certificate_file, key_file, password: of the recipient, in PEM.

    Raises:
        ConfigurationFault: there is no sealed part, it is not for this recipient, or *target* cannot be written.
        BundleFault: what was sealed is no evidence.
    """
    sealed = shared / SEALED
    if not sealed.is_file():
        raise ConfigurationFault("nothing is sealed in this bundle", where=Where(shared), expected=SEALED)
    data = _decrypt(sealed, load_certificates(certificate_file)[0], key_file, password)
    if target.exists():
        raise ConfigurationFault("there is something already", where=Where(target), expected="a new folder")
    with TemporaryDirectory(prefix="c2c-unseal-") as temporary:
        packed = Path(temporary) / "evidence.zip"
        packed.write_bytes(data)
        for name in files(shared):
            if name != SEALED:
                copy_file(shared, target, name)
        unpack(packed, target / DETACHABLE)


def _decrypt(sealed: Path, certificate: x509.Certificate, key_file: Path, password: bytes | None) -> bytes:
    try:
        key = load_pem_private_key(read_private(key_file, "private key"), password)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("it is no RSA key")
    except (ValueError, TypeError) as problem:
        raise ConfigurationFault(
            f"the private key cannot be used: {problem}", where=Where(key_file), expected="an RSA key in PEM"
        ) from None
    try:
        return pkcs7.pkcs7_decrypt_der(sealed.read_bytes(), certificate, key, [])
    except ValueError as problem:
        raise ConfigurationFault(
            f"the sealed part cannot be opened with this key: {problem}",
            where=Where(sealed),
            remedy="Take certificate and key of a recipient to whom it was sealed; or ask for the bundle again.",
        ) from None


def copy_file(source: Path, target: Path, name: str) -> None:
    """Copy one file of a bundle into another folder.

    Raises:
        BundleFault: it cannot be copied.
    """
    place = target / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, place)
    except OSError as problem:
        raise BundleFault(f"{name} cannot be copied: {problem.strerror}") from None
