"""What is asked of one campaign, beside what stands in the target file."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import ConfigurationFault
from harness.scenario.model import Depth
from harness.scenario.plan import Parameters
from harness.scenario.waiver import load_waivers
from harness.target.model import GuidedControl, Target
from harness.target.preflight import first_number
from harness.target.subject import believed, timers_of


@dataclass(frozen=True)
class Wish:
    """What is asked of one campaign; everything else stands in the target file.

    Parameters:
        select: patterns over case ids; empty means all.
        challenge: what an operator gave before the run, hexadecimal.
        seed: all generated data follow from it.
        confirm: asks a person about a control command.
        zipped: also write the bundle as ``.zip``.
        fresh: the system under test has no memory of earlier runs, so that numbers may be used again.
        at_once: cases in flight, in place of the target's.
        adopt_assumed: requirements whose source is ``assumed`` count like all others.
        require_signers: the target must name the certificates that the system signs with.
        waivers: a file with failures that an operator has accepted, in place of the target's.
        depth: how many cases are derived from the tables of the pack.
        shuffle: seed of the order in which the cases are played; ``None`` keeps that of the pack.
    """

    select: tuple[str, ...] = ()
    challenge: str | None = None
    seed: int = 0
    confirm: Callable[[str], bool] = lambda _: False
    zipped: bool = False
    fresh: bool = False
    at_once: int | None = None
    adopt_assumed: bool = False
    require_signers: bool = False
    waivers: Path | None = None
    depth: Depth = "full"
    shuffle: int | None = None


def parameters_of(target: Target, wish: Wish) -> Parameters:
    """The parameters of a plan for a target, as they are wished for.

    Raises:
        ConfigurationFault: the challenge, a file of waivers or a certificate cannot be used.
    """
    if wish.challenge is not None and not re.fullmatch(r"(?:[0-9a-fA-F]{2}){4,32}", wish.challenge):
        raise ConfigurationFault(
            f"the challenge {wish.challenge[:80]!r} cannot be used",
            expected="8 to 64 hexadecimal digits, an even number of them",
            remedy="Give it exactly as the operator wrote it.",
        )
    waivers = wish.waivers or target.waivers
    return Parameters(
        seed=wish.seed,
        first=0 if wish.fresh else first_number(target),
        token=wish.challenge or secrets.token_hex(4),
        challenge=wish.challenge,
        select=wish.select,
        timers=timers_of(target),
        pools=target.ixit.pools,
        **believed(target),
        adopt_assumed=wish.adopt_assumed,
        assurance=target.assurance,
        waivers=load_waivers(waivers, datetime.now(UTC)) if waivers else (),
        depth=wish.depth,
        shuffle=wish.shuffle,
        by_hand=isinstance(target.control, GuidedControl),
    )
