"""Judge old evidence by a newer pack, and show which verdicts change.

  c2c rejudge out/20261123-120000 --pack suites/corrected-pack

When a pack was wrong, nobody has to play again: what was observed is judged by the corrected one. The bundle stays as
it is. Cases that only the newer pack has were not played. Exit by the new verdict, as `c2c run`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.bundle.newer import rejudge_bundle
from harness.campaign import EXIT_CODES
from harness.cli.compare import as_json, in_words
from harness.errors import HARNESS
from harness.judge.run import harness_failed
from harness.pack.load import load_pack

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder, or its .zip")
    parser.add_argument("--pack", required=True, metavar="P", help="name or folder of the newer pack")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(options: argparse.Namespace) -> int:
    """Judge again."""
    rejudged = rejudge_bundle(options.bundle, load_pack(options.pack))
    show = rejudged.old, rejudged.new, rejudged.changes
    print(as_json(*show) if options.json else "\n".join(in_words(*show)))
    return HARNESS if harness_failed(rejudged.judgement) else EXIT_CODES[rejudged.judgement.verdict]
