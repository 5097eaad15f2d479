"""Sign a bundle, or add a signature to one that is signed: the one who tested first, then the operator.

  c2c sign out/20261123-120000 --key office.p12 --password office.password
  c2c sign out/20261123-120000 --key 'pkcs11:token=T;object=O?module-path=/usr/lib/module.so' --password office.pin

The bundle is verified first: nobody signs what does not verify. Exit 0 when it is signed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bundle.sign import sign_bundle
from harness.cli.keys import add_key, key_of
from harness.errors import CONFORMANT
from harness.security.statement_key import key_id

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder")
    add_key(parser)
    parser.add_argument(
        "--timestamp", metavar="URL", help="have the signature stamped by this authority (RFC 3161); it sees a digest"
    )


def run(options: argparse.Namespace) -> int:
    """Sign it."""
    key = key_of(options)
    assert key is not None  # noqa: S101 - the option is required
    count = sign_bundle(options.bundle, key, datetime.now(UTC), options.timestamp)
    print(f"signed with key {key_id(key.public)}; the statement has {count} signature{'s' if count > 1 else ''}")
    return CONFORMANT
