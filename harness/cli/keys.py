"""The options that name the key which signs, and the keys that are believed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.security.keys import load_certificates
from harness.security.signer import open_signer
from harness.security.statement_key import PublicKey, Signer, load_public_keys, read_private

if TYPE_CHECKING:
    import argparse

    from cryptography import x509


def add_key(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """The key that signs."""
    parser.add_argument(
        "--key",
        required=required,
        metavar="KEY",
        help="the private key that signs: a file (PEM or PKCS#12), or pkcs11:... for a key in a token",
    )
    parser.add_argument(
        "--password", type=Path, metavar="FILE", help="file with the password of an encrypted key, or the token's PIN"
    )


def key_of(options: argparse.Namespace) -> Signer | None:
    """The key that the options name, if they name one."""
    if options.key is None:
        return None
    password = read_private(options.password, "password").strip() if options.password else None
    return open_signer(options.key, password)


def add_authorities(parser: argparse.ArgumentParser) -> None:
    """Which time-stamping authorities are trusted."""
    parser.add_argument(
        "--tsa",
        action="append",
        default=[],
        type=Path,
        metavar="CERTS",
        help="PEM file with certificates of trusted time-stamping authorities, from the root down",
    )


def authorities_of(options: argparse.Namespace) -> list[x509.Certificate]:
    """The certificates of the trusted time-stamping authorities."""
    return [each for file in options.tsa for each in load_certificates(file)]


def add_trust(parser: argparse.ArgumentParser) -> None:
    """The keys that are believed."""
    parser.add_argument(
        "--trust", action="append", type=Path, metavar="KEYS", help="PEM file with public keys that are believed"
    )


def trust_of(options: argparse.Namespace) -> list[PublicKey] | None:
    """The keys that the options name; ``None`` when they name none."""
    return [key for file in options.trust for key in load_public_keys(file)] if options.trust else None
