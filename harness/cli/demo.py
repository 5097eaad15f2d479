"""Certify a reference implementation that is started for it: a first look, without any set-up.

  c2c demo                         the first position; --full takes all
  c2c demo --role R                another role
  c2c demo --fault NAME            a mistake on purpose: ends "not conformant" and names the requirement
                                   (also plays those cases, left out of the first look, in which it can show)
  c2c demo --select 'start-*'      only some cases, also of those that the first look leaves out (see c2c list)

The keys are made for the occasion and marked TEST: the bundle certifies nothing.
"""

from __future__ import annotations

import shutil
from itertools import chain
from typing import TYPE_CHECKING

from harness.campaign import Wish, new_folder
from harness.cli.common import add_depth, add_order, add_output, add_selection, program, watch
from harness.cli.list_cases import cases_for
from harness.cli.progress import Progress
from harness.demo import Show, demonstration, role_of
from harness.pack.data import known_packs
from harness.pack.load import load_pack
from harness.teeth.choose import affected

if TYPE_CHECKING:
    import argparse

    from harness.pack.model import Pack
    from harness.scenario.model import Depth


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    default = next(iter(known_packs()), None)
    parser.add_argument("--role", metavar="R", help="the role that is certified")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME", help="switch a mistake on; repeatable")
    parser.add_argument("--pack", metavar="P", default=default, help=f"name or folder of the pack (default: {default})")
    parser.add_argument("--full", action="store_true", help="certify every position of the role, with every case")
    add_selection(parser)
    add_depth(parser)
    add_order(parser)
    parser.add_argument("--serial", action="store_true", help="play one case after the other")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="all generated data follow from it (default: 0)"
    )
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Certify, and leave the public key of the statement beside the bundle."""
    out = options.out or new_folder()
    at_once = 1 if options.serial else None
    pack = load_pack(options.pack)
    show = Show(options.pack, options.role, tuple(options.fault), options.full)
    depth: Depth = "exhaustive" if options.exhaustive else "full" if options.full or options.select else "quick"
    select = tuple(options.select)
    if show.faults and depth == "quick":
        depth, select = "full", _telling(pack, show)
    wish = Wish(
        select=select,
        seed=options.seed,
        zipped=options.zip,
        fresh=True,
        at_once=at_once,
        adopt_assumed=True,
        depth=depth,
        shuffle=options.seed if options.order == "random" else None,
    )
    with demonstration(show, wish, pack) as (campaign, public_key):
        campaign.start(out, Progress())
        code = watch(campaign, out)
        trust = out.with_name(f"{out.name}.pub.pem")
        shutil.copyfile(public_key, trust)
    print(f"prove it: {program()} verify {out} --trust {trust}")
    return code


def _telling(pack: Pack, show: Show) -> tuple[str, ...]:
    """Ids of the cases of the first look, and of those that the faults can affect; none where that may be any case."""
    role = role_of(pack, show)
    every = cases_for(pack, role)
    theirs = [affected(pack, pack.faults[name], every) for name in show.faults]
    first = tuple(case.id for case in cases_for(pack, role, "quick"))
    return tuple(dict.fromkeys(chain(first, *theirs))) if all(theirs) else ()
