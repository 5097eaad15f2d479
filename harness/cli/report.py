"""Make a report of a bundle in another language: the page, or the summary for people who sign.

  c2c report out/20261123-120000 --lang fr
  c2c report out/20261123-120000 --lang ru --what summary.pdf --out summary-ru.pdf

The bundle is not changed: what it holds stays the signed text. Use `c2c verify` before you believe it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.bundle.report import report_of
from harness.errors import CONFORMANT, ConfigurationFault, Where
from harness.report.derive import PAGES
from harness.report.texts import DEFAULT, languages

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder, or its .zip")
    parser.add_argument("--lang", choices=languages(), default=DEFAULT, help=f"language (default: {DEFAULT})")
    parser.add_argument(
        "--what", choices=tuple(PAGES), default="report.html", help="which report (default: report.html)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to (default: <report>.<language>.<kind>, here)")


def run(options: argparse.Namespace) -> int:
    """Make it and say where it is."""
    stem, _, kind = options.what.partition(".")
    target = options.out or Path(f"{stem}.{options.lang}.{kind}")
    if options.bundle.is_dir() and target.resolve().is_relative_to(options.bundle.resolve()):
        raise ConfigurationFault(
            "the report would lie inside the bundle, which would then no longer verify",
            where=Where(target),
            remedy="Choose a file outside it with --out.",
        )
    target.write_bytes(report_of(options.bundle, options.what, options.lang))
    print(f"report: {target}")
    return CONFORMANT
