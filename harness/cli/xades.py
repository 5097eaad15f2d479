"""Sign the statement of a bundle once more in XML (XAdES-B-B), or check such a signature.

  c2c xades out/20261123-120000 --certificate office.pem --key office.key --out statement.xades.xml
  c2c xades out/20261123-120000 --check statement.xades.xml --anchors authority.pem

For those whose law or archive asks for XML. The bundle itself is verified with c2c verify. Exit 13 when it is not
valid.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bundle.files import STATEMENT
from harness.bundle.statement import open_statement
from harness.bundle.verify import opened
from harness.bundle.write import write_durably
from harness.bundle.xades import check_xades, make_xades
from harness.errors import CONFORMANT, ConfigurationFault
from harness.security.keys import load_certificates, load_crls, load_identity
from harness.security.statement_key import read_private
from harness.security.trust import make_trust

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder, or its .zip")
    parser.add_argument("--certificate", type=Path, metavar="CERT", help="who signs, PEM")
    parser.add_argument("--key", type=Path, metavar="KEY", help="its private key, PEM (RSA or ECDSA)")
    parser.add_argument("--password", type=Path, metavar="FILE", help="file with the password of an encrypted key")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the signature is written")
    parser.add_argument("--check", type=Path, metavar="FILE", help="the signature to be checked")
    parser.add_argument("--anchors", type=Path, metavar="CERTS", help="PEM file with the trusted certificates")
    parser.add_argument("--crl", type=Path, metavar="CRL", help="PEM file with revocation lists")


def run(options: argparse.Namespace) -> int:
    """Sign or check."""
    with opened(options.bundle) as folder:
        envelope = (folder / STATEMENT).read_bytes()
    open_statement(envelope)
    if options.check and options.anchors:
        certificates = load_certificates(options.anchors)
        trust = make_trust(certificates, load_crls(options.crl) if options.crl else ())
        found = check_xades(options.check.read_bytes(), envelope, trust)
        print(f"The XML signature is valid: by {found.signer}, who says that it was made on {found.at.isoformat()}.")
    elif options.certificate and options.key and options.out:
        password = read_private(options.password, "password").strip().decode() if options.password else None
        identity = load_identity("signer", options.certificate, options.key, password)
        write_durably(options.out, make_xades(envelope, identity, datetime.now(UTC)))
        print(f"signed as {options.out}")
    else:
        raise ConfigurationFault(
            "it is not clear what to do",
            expected="--certificate, --key and --out to sign; --check and --anchors to check",
        )
    return CONFORMANT
