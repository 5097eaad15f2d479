"""Prove offline that a bundle is untouched, complete, signed and in date, and judge its evidence again.

  c2c verify out/20261123-120000 --trust operator.pub.pem

Exit 0 when it is valid, 13 with the reasons when it is not, 10 when it is valid but not in date.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.bundle.verify import Verification, verify_bundle
from harness.cli.check import moment
from harness.cli.keys import add_authorities, add_trust, authorities_of, trust_of
from harness.errors import BUNDLE_INVALID
from harness.security.statement_key import key_id

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder, or its .zip")
    add_trust(parser)
    add_authorities(parser)
    parser.add_argument("--at", type=moment, metavar="TIME", help="it must be in date then, RFC 3339 (default: now)")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(options: argparse.Namespace) -> int:
    """Verify it and print what was proved."""
    authorities = authorities_of(options)
    verification = verify_bundle(options.bundle, trust_of(options), options.at or datetime.now(UTC), authorities)
    if options.json:
        print(json.dumps(_as_json(verification), indent=1))
        return verification.exit_code
    for part, line in zip(verification.parts, verification.lines, strict=True):
        print(f"{part.name:<10} {part.outcome:<11} {line}")
    said = verification.statement["predicate"]["verdict"] if verification.statement is not None else ""
    print(
        f"The bundle is valid. It says: {said}."
        if verification.ok
        else f"NOT ACCEPTED (exit code {verification.exit_code})"
    )
    return verification.exit_code


def _as_json(verification: Verification) -> dict[str, Any]:
    return {
        "valid": verification.exit_code != BUNDLE_INVALID,
        "in_date": verification.ok,
        "exit_code": verification.exit_code,
        "signers": [key_id(each) for each in verification.signers],
        "parts": [{"part": each.name, "outcome": each.outcome, "text": each.text} for each in verification.parts],
    }
