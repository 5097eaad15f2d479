"""Make test certificates: for your system, and for the parties that the harness plays.

The authorities are made when the folder is empty. Everything says TEST and leads to no real authority.

  c2c pki issue my-system --host customs.example
  c2c pki sign request.csr                            your key never leaves your system
  c2c pki export --out for-my-system                  what your system must trust

A Java key store is made from a certificate and its key with:
  openssl pkcs12 -export -in NAME.pem -inkey NAME.key -out NAME.p12
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CONFORMANT, ConfigurationFault
from harness.security.keys import to_pem
from harness.security.pki import TestPki

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    def action(name: str, summary: str, act: Callable[[argparse.Namespace, TestPki], list[Path]]) -> Any:
        child = actions.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        child.add_argument("--folder", type=Path, default=Path("identities"), metavar="DIR", help="where (identities)")
        child.set_defaults(act=act)
        return child

    issue = action("issue", "make a key and its certificate", _issue)
    issue.add_argument("name", metavar="NAME", help="common name, and name of the files")
    issue.add_argument("--key", choices=("ec", "rsa"), default="ec", help="P-256 or RSA of 2048 bits (default: ec)")
    sign = action("sign", "answer a certificate signing request", _sign)
    sign.add_argument("request", type=Path, metavar="CSR", help="PKCS#10, PEM")
    sign.add_argument(
        "--out", type=Path, metavar="FILE", help="the certificate (default: the name of the request, .pem)"
    )
    export = action("export", "write what the other side must trust", _export)
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for trust.pem and crl.pem")
    for child in (issue, sign):
        child.add_argument("--country", metavar="CC", help="ISO 3166-1 alpha-2")
        child.add_argument("--host", action="append", default=[], metavar="H", help="DNS name or IP address")
        child.add_argument("--days", type=int, default=365, metavar="N", help="validity from now (default: 365)")
        child.add_argument(
            "--for", dest="purpose", choices=("signature", "tls", "both"), default="both", help="default: both"
        )


def run(options: argparse.Namespace) -> int:
    """Open or make the authorities, act, and say which files were written."""
    folder, now = options.folder, datetime.now(UTC)
    pki = TestPki.at(folder, now)
    for file in options.act(options, pki):
        print(file)
    return CONFORMANT


def _issue(options: argparse.Namespace, pki: TestPki) -> list[Path]:
    identity = pki.issue(options.name, key=options.key, **_wishes(options, pki))
    return [file for file in (identity.certificate_file, identity.key_file) if file is not None]


def _sign(options: argparse.Namespace, pki: TestPki) -> list[Path]:
    certificate = pki.sign(options.request.read_bytes(), **_wishes(options, pki))
    out: Path = options.out or options.request.with_suffix(".pem")
    if out.exists():
        raise ConfigurationFault(f"{out} is there already, and is not overwritten", remedy="Choose another --out.")
    out.write_bytes(to_pem((certificate, pki.issuing.certificate)))
    return [out]


def _export(options: argparse.Namespace, pki: TestPki) -> list[Path]:
    pki.crl()
    options.out.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copy(pki.folder / name, options.out)) for name in ("trust.pem", "crl.pem")]


def _wishes(options: argparse.Namespace, pki: TestPki) -> dict[str, Any]:
    if options.days < 1:
        raise ConfigurationFault(f"--days {options.days} is no validity", expected="a number from 1")
    return {
        "country": options.country,
        "hosts": options.host,
        "valid": (pki.now - timedelta(days=1), pki.now + timedelta(days=options.days)),
        "purposes": ("signature", "tls") if options.purpose == "both" else (options.purpose,),
    }
