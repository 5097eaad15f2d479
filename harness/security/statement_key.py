"""Keys that sign statements.

A statement key is never a transport key. A demo key says so in its file and in every statement that it signs, so
that nobody can mistake a demonstration for a certification.

Signature schemes follow from the key and from nothing else: Ed25519 (RFC 8032); ECDSA on P-256, P-384 and P-521 with
the hash of the same strength (FIPS 186-5); RSA of 2048 bits and more with PSS, SHA-256 and a salt of 32 octets (RFC
8017).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from harness.errors import ConfigurationFault, Where
from harness.host import demand_private, write_private

if TYPE_CHECKING:
    from pathlib import Path

PrivateKey: TypeAlias = "ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey"
PublicKey: TypeAlias = "ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey"

_DEMO_MARK = "C2C HARNESS TEST KEY - NOT FOR CERTIFICATION"
HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_RSA_BITS = 2048
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
_KINDS = "an Ed25519 key, an ECDSA key on P-256, P-384 or P-521, or an RSA key of at least 2048 bits"
_DER_SEQUENCE = b"\x30"
_PEM_BLOCK = re.compile(
    rb"-----BEGIN (PUBLIC KEY|CERTIFICATE)-----\r?\n[A-Za-z0-9+/=\s]+-----END \1-----", re.MULTILINE
)


class Signer(Protocol):
    """Whatever signs statements: a key in a file, or one in a token."""

    @property
    def public(self) -> PublicKey:
        """The public half."""
        ...

    @property
    def demo(self) -> bool:
        """It was made for a demonstration."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign *data* with the scheme of the key."""
        ...


@dataclass(frozen=True)
class SigningKey:
    """A private key from a file.

    Parameters:
        private: the key; never printed.
        demo: it was made for a demonstration, which every statement signed with it says.
    """

    private: PrivateKey = field(repr=False)
    demo: bool = False

    @property
    def public(self) -> PublicKey:
        """The other half."""
        return self.private.public_key()

    def sign(self, data: bytes) -> bytes:
        """Sign *data* with the scheme of this key."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, _PSS, hashes.SHA256())
        return self.private.sign(data, ec.ECDSA(HASHES[self.private.curve.name]))


def signature_is_valid(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether *signature* over *data* was made with the private half of *key*."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, _PSS, hashes.SHA256())
        else:
            key.verify(signature, data, ec.ECDSA(HASHES[key.curve.name]))
    except InvalidSignature:
        return False
    return True


def spki(key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo in DER (RFC 5280, 4.1.2.7)."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_id(key: PublicKey) -> str:
    """The id of a key: SHA-256 of its SubjectPublicKeyInfo, hexadecimal."""
    return hashlib.sha256(spki(key)).hexdigest()


def public_key_from_der(data: bytes) -> PublicKey:
    """Read a SubjectPublicKeyInfo.

    Raises:
        ValueError: it is none, or of a kind or strength that we do not accept.
    """
    try:
        key = serialization.load_der_public_key(data)
    except UnsupportedAlgorithm as problem:
        raise ValueError(str(problem)) from problem
    return accepted(key)


def load_signing_key(file: Path, password: bytes | None = None) -> SigningKey:
    """Read a private key.

    Parameters:
        file: PEM (PKCS #8 or traditional) or PKCS#12.
        password: of an encrypted file.

    Raises:
        ConfigurationFault: the file cannot be read or used, or others may read it.
    """
    data = read_private(file, "signing key")
    try:
        if data.startswith(_DER_SEQUENCE):
            key = pkcs12.load_key_and_certificates(data, password)[0]
        else:
            key = serialization.load_pem_private_key(data, password)
        if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ValueError("a key of another kind")
        accepted(key.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise ConfigurationFault(
            f"the signing key cannot be used: {_first_sentence(problem)}",
            where=Where(file),
            expected=_KINDS + ", in PEM or PKCS#12",
            remedy="Give the right file, and the password if it is encrypted.",
        ) from None
    return SigningKey(key, demo=_DEMO_MARK.encode() in data)


def read_private(file: Path, what: str) -> bytes:
    """Read a file that nobody but its owner may read.

    Raises:
        ConfigurationFault: it cannot be read, or others can read it.
    """
    data = _read(file)
    demand_private(file, what)
    return data


def load_public_keys(file: Path) -> tuple[PublicKey, ...]:
    """Read the keys that statements are believed on: public keys and certificates in PEM, one after another.

    Raises:
        ConfigurationFault: the file cannot be read, or holds none.
    """
    data = _read(file)
    keys: list[PublicKey] = []
    try:
        for block in _PEM_BLOCK.finditer(data):
            if block[1] == b"CERTIFICATE":
                keys.append(accepted(x509.load_pem_x509_certificate(block[0]).public_key()))
            else:
                keys.append(accepted(serialization.load_pem_public_key(block[0])))
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise ConfigurationFault(
            f"a trusted key cannot be used: {_first_sentence(problem)}", where=Where(file), expected=_KINDS
        ) from None
    if not keys:
        raise ConfigurationFault(
            "no public key was found",
            where=Where(file),
            expected="PEM blocks `PUBLIC KEY` or `CERTIFICATE`",
            remedy="Ask the signer for the public key of the statement, not for the private one.",
        )
    return tuple(keys)


def generate_demo_key(folder: Path) -> tuple[Path, Path]:
    """Make a key for demonstrations: files that say TEST, for the owner's eyes only.

    Returns:
        the file of the private key and the file of the public key.

    Raises:
        FileExistsError: there is one already; keys are never overwritten.
    """
    private = ed25519.Ed25519PrivateKey.generate()
    folder.mkdir(parents=True, exist_ok=True)
    private_file, public_file = folder / "demo-signing-key.pem", folder / "demo-signing-key.pub.pem"
    mark = f"{_DEMO_MARK}\n".encode()
    write_private(
        private_file,
        mark
        + private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    public_file.write_bytes(mark + public_pem(private.public_key()))
    return private_file, public_file


def public_pem(key: PublicKey) -> bytes:
    """The public key in PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def accepted(key: object) -> PublicKey:
    """The key, when its kind and strength are accepted.

    Raises:
        ValueError: they are not.
    """
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in HASHES:
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS:
        return key
    raise ValueError("its kind or strength is not accepted")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise ConfigurationFault(
            f"the key file cannot be read: {problem.strerror}", where=Where(file), remedy="Check the path."
        ) from None


def _first_sentence(problem: BaseException) -> str:
    return str(problem).partition(". ")[0].rstrip(".") or "it is of no known form"
