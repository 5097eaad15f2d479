"""Judge messages from files, offline: bare ones by their content, envelopes also by their signature.

  c2c check I9.xml --pack etir-4.3
  c2c check received/*.xml --pack etir-4.3 --trust ca.pem --at 2026-11-23T12:00:00Z --json
  c2c check envelope.xml --pack etir-4.3 --only signature --trust ca.pem --trust signer.pem
  c2c check goods.xml.sig --pack etir-4.3 --only signature --trust ca.pem --content goods.xml

With --only signature any SOAP envelope is judged, whatever it carries, any signed XML document without an envelope, and
any JSON Web Signature. --trust takes the certificates of signers as well, for signatures that only point at theirs.
--content gives what a detached signature is about.

Exit 0 when every message passes, 1 when one fails, 11 when the call is wrong.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.check.offline import PARTS, Examined, examine
from harness.errors import CONFORMANT, NOT_CONFORMANT, ConfigurationFault
from harness.pack.load import load_pack
from harness.security.keys import load_certificates, load_crls, load_ocsp
from harness.security.trust import make_trust


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a message, or an envelope")
    parser.add_argument("--pack", required=True, metavar="P", help="name or folder of the pack")
    parser.add_argument(
        "--trust",
        action="append",
        type=Path,
        default=[],
        metavar="CA.pem",
        help="trust anchors, and certificates of signers",
    )
    parser.add_argument("--crl", action="append", type=Path, default=[], metavar="CRL.pem", help="revocation lists")
    parser.add_argument(
        "--ocsp", action="append", type=Path, default=[], metavar="ANSWER.der", help="cached OCSP answers"
    )
    parser.add_argument(
        "--at", type=moment, default=None, metavar="TIME", help="judge as of this time, RFC 3339 (default: now)"
    )
    parser.add_argument(
        "--only", type=_parts, default=(), metavar="LIST", help=f"some of {','.join(PARTS)} (default: all)"
    )
    parser.add_argument("--message", metavar="NAME", help="which message it is, if the pack cannot tell by its content")
    parser.add_argument(
        "--header",
        action="append",
        type=_header,
        default=[],
        metavar="'NAME: VALUE'",
        help="HTTP header of it",
    )
    parser.add_argument(
        "--content",
        action="append",
        type=_content,
        default=[],
        metavar="[URI=]FILE",
        help="what a detached signature is about; the URI as the signature gives it (default: the name of the file)",
    )
    parser.add_argument("--json", action="store_true", help="write one JSON list instead of lines")


def run(options: argparse.Namespace) -> int:
    """Judge the files and print what was found."""
    pack = load_pack(options.pack)
    if options.message is not None and options.message not in pack.messages:
        raise ConfigurationFault(
            f"the pack {pack.id} has no message {options.message!r}", expected="one of " + ", ".join(pack.messages)
        )
    trust = make_trust(
        tuple(certificate for file in options.trust for certificate in load_certificates(file)),
        tuple(crl for file in options.crl for crl in load_crls(file)),
        tuple(load_ocsp(file) for file in options.ocsp),
    )
    at = options.at or datetime.now(UTC)
    contents = [(file, file.read_bytes()) for file in options.files]
    examined = [
        (
            file,
            examine(
                pack,
                data,
                trust=trust,
                at=at,
                only=options.only,
                name=options.message,
                headers=dict(options.header),
                content={uri: file.read_bytes() for uri, file in options.content},
            ),
        )
        for file, data in contents
    ]
    if options.json:
        print(json.dumps([as_json(file, each) for file, each in examined], indent=2))
    else:
        for file, each in examined:
            print("\n".join(_lines(file, each)))
    return CONFORMANT if all(each.passed for _, each in examined) else NOT_CONFORMANT


def as_json(file: Path, examined: Examined) -> dict[str, Any]:
    """What is to be said about one file, as others read it."""
    report = examined.report
    created = report.created if report else None
    return {
        "file": str(file),
        "verdict": "pass" if examined.passed else "fail",
        "findings": [
            {
                "check": finding.check,
                "code": finding.code,
                "requirement": finding.requirement,
                "severity": finding.severity,
                "pointer": finding.pointer,
                "line": finding.line,
                "message": finding.message,
            }
            for finding in examined.findings
        ],
        "signature": {
            "signed": list(report.signed) if report else [],
            "signer": report.signer if report else None,
            "algorithms": dict(report.algorithms) if report else {},
            "created": created.astimezone(UTC).isoformat().replace("+00:00", "Z") if created else None,
            "trusted": report.trusted if report else False,
        },
    }


def moment(text: str) -> datetime:
    """A point in time in RFC 3339; without an offset it is UTC.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time, such as 2026-11-23T12:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(","))
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise ConfigurationFault(f"--only does not know {unknown[0]!r}", expected=f"some of {', '.join(PARTS)}")
    return parts


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise ConfigurationFault(f"--header {text!r} has no colon", expected="'NAME: VALUE'")
    return name.strip().lower(), value.strip()


def _content(text: str) -> tuple[str, Path]:
    uri, equals, name = text.rpartition("=")
    file = Path(name)
    if not file.is_file():
        raise ConfigurationFault(f"--content {text!r} names no file", expected="[URI=]FILE, such as goods.xml")
    return (uri if equals else file.name), file


def _lines(file: Path, examined: Examined) -> list[str]:
    lines = [f"{file}: {'pass' if examined.passed else 'FAIL'}"]
    for finding in examined.findings:
        place = finding.pointer + (f", line {finding.line}" if finding.line else "")
        demand = f" [{finding.requirement}]" if finding.requirement else ""
        lines.append(f"  {finding.severity}: {finding.check} {finding.code} at {place}: {finding.message}{demand}")
    report = examined.report
    if report is not None:
        signer = report.signer or "nobody that can be told"
        lines.append(f"  signed by {signer}, {'trusted' if report.trusted else 'not trusted'}")
        lines.extend(f"    {place}" for place in report.signed)
        lines.extend(f"  also signed by {each}" for each in report.also)
        lines.extend(f"  left alone: the Security header for {each or 'another receiver'}" for each in report.others)
    return lines
