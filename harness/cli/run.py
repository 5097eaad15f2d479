"""Certify a system: play every other party against it, judge, and write the certification bundle.

  c2c run --target target.yaml --out bundle
  c2c run --target target.yaml --select 'start-*@departure'      only some cases (see c2c list)

  c2c run --target target.yaml --resume bundle                   go on where a run was stopped or cut
  c2c run --target target.yaml --rerun-failed bundle --out both  play the failed cases of a complete run again

Ctrl-C stops it; what was played is kept, and the record says that it is not complete. With --resume the run goes on:
cases that have a verdict are not played again, and the record says when it was interrupted. With --rerun-failed the
bundle stays as it is; the new one holds both attempts side by side, and says that it is not one uninterrupted run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.campaign import Campaign, Wish, new_folder
from harness.cli.common import add_depth, add_order, add_output, add_selection, add_target, confirmer, watch
from harness.cli.progress import Progress
from harness.errors import ConfigurationFault

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_target(parser)
    add_selection(parser)
    add_depth(parser)
    add_order(parser)
    parser.add_argument(
        "--challenge", metavar="HEX", help="what an operator gave before the run; proves that it is fresh"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="all generated data follow from it (default: 0)"
    )
    parser.add_argument(
        "--waivers", type=Path, metavar="FILE", help="failures that an operator has accepted (c2c schema waivers)"
    )
    parser.add_argument(
        "--require-signers",
        action="store_true",
        help="refuse to run unless the target names the certificates that the system signs with",
    )
    parser.add_argument(
        "--adopt-assumed", action="store_true", help="requirements whose source is assumed count like all others"
    )
    parser.add_argument(
        "--summary", choices=("text", "json"), default="text", help="json: the last line is the result as JSON"
    )
    add_output(parser)
    goes_on = parser.add_mutually_exclusive_group()
    goes_on.add_argument("--resume", type=Path, metavar="DIR", help="go on with the run in this folder")
    goes_on.add_argument(
        "--rerun-failed",
        type=Path,
        metavar="BUNDLE",
        help="play the cases of this bundle again that failed or have no verdict, with their positive controls",
    )


def run(options: argparse.Namespace) -> int:
    """Certify, and end with the exit code of the verdict."""
    wish = Wish(
        select=tuple(options.select),
        challenge=options.challenge,
        seed=options.seed,
        confirm=confirmer(always=options.yes),
        zipped=options.zip,
        waivers=options.waivers,
        adopt_assumed=options.adopt_assumed,
        require_signers=options.require_signers,
        depth="exhaustive" if options.exhaustive else "full",
        shuffle=options.seed if options.order == "random" else None,
    )
    out = options.resume or options.out or new_folder()
    if options.resume is not None:
        _check_alone("--resume", options, "out")
        campaign = Campaign.resume(options.target, options.resume, wish)
    elif options.rerun_failed is not None:
        _check_alone("--rerun-failed", options)
        campaign = Campaign.repeat(options.target, options.rerun_failed, out, wish)
    else:
        campaign = Campaign.open(options.target, options.pack, wish)
    campaign.start(out, Progress())
    code = watch(campaign, out)
    if options.summary == "json":
        print((campaign.result().bundle / "derived" / "summary.json").read_text("utf-8"), end="")
    return code


def _check_alone(option: str, options: argparse.Namespace, *more: str) -> None:
    fixed = (*more, "pack", "select", "challenge", "waivers")
    given = [name for name in fixed if getattr(options, name)]
    if given:
        raise ConfigurationFault(
            f"{option} and --{given[0]} exclude each other",
            remedy=f"Leave out --{given[0]}: a run goes on with the plan and the pack with which it began.",
        )
