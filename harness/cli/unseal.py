"""Open the sealed part of a bundle that was shared with you, into a full copy that verifies completely.

c2c unseal for-the-operator.zip --certificate encryption.pem --key encryption.key --out full
c2c verify full --trust office.pub.pem
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.bundle.seal import unseal
from harness.bundle.verify import opened
from harness.errors import CONFORMANT
from harness.security.statement_key import read_private

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="COPY", help="the shared folder, or its .zip")
    parser.add_argument("--certificate", required=True, type=Path, metavar="CERT", help="your certificate, PEM")
    parser.add_argument("--key", required=True, type=Path, metavar="KEY", help="your private key, PEM (RSA)")
    parser.add_argument("--password", type=Path, metavar="FILE", help="file with the password of an encrypted key")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="new folder for the full copy")


def run(options: argparse.Namespace) -> int:
    """Open it."""
    password = read_private(options.password, "password").strip() if options.password else None
    with opened(options.bundle) as folder:
        unseal(folder, options.out, options.certificate, options.key, password)
    print(f"opened as {options.out}; whether it is what was signed, `c2c verify {options.out}` tells")
    return CONFORMANT
