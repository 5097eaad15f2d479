"""Check a bundle against the rules of an operator; with a key, countersign it and enter it into the register.

  c2c admit BUNDLE --policy policy.yaml                           only check the rules
  c2c admit BUNDLE --policy policy.yaml --key reviewer.pem        and admit it, when all are met
  c2c admit BUNDLE --policy policy.yaml --review R                with what a person decided (see c2c review)

Exit 0 when all rules are met, 1 when one is not, 13 when the bundle is not valid. Who has tested cannot review.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.admission.admit import Papers, admit, check
from harness.admission.policy import load_policy
from harness.admission.store import open_register
from harness.cli.keys import add_authorities, add_key, authorities_of, key_of
from harness.cli.register import add_register
from harness.errors import BUNDLE_INVALID, CONFORMANT, NOT_CONFORMANT

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from harness.admission.model import Outcome
    from harness.admission.store import Register


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder (to check only: or its .zip)")
    parser.add_argument("--policy", required=True, type=Path, metavar="FILE", help="the rules (c2c schema policy)")
    parser.add_argument(
        "--reproduction", type=Path, metavar="BUNDLE", help="the bundle of a second run, where the policy wants one"
    )
    parser.add_argument(
        "--review",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="what a reviewer of the policy graded, as `c2c review` signed it; repeatable",
    )
    parser.add_argument(
        "--challenge", metavar="HEX", help="the challenge that you gave before the run: it must be that of the bundle"
    )
    add_authorities(parser)
    add_key(parser, required=False)
    add_register(parser)


def run(options: argparse.Namespace) -> int:
    """Check the rules, and admit."""
    policy, now, key = load_policy(options.policy), datetime.now(UTC), key_of(options)
    papers = Papers(
        options.bundle, options.reproduction, tuple(options.review), options.challenge, authorities_of(options)
    )
    print(f"policy {policy.name} {policy.digest}")
    if key is None:
        with _register_there(options.register) as register:
            outcomes = check(policy, papers, now, register)
        print("\n".join(_lines(outcomes, policy.disputes)))
        print("nothing was signed or entered: no key was given")
        return _exit_code(outcomes)
    with open_register(options.register) as register:
        decision = admit(policy, papers, key, register, now)
    print("\n".join(_lines(decision.outcomes, policy.disputes)))
    if decision.certificate is None:
        print("NOT ADMITTED")
    else:
        print(f"{decision.certificate.word}: certificate {decision.certificate.id}, until {decision.certificate.until}")
    return _exit_code(decision.outcomes)


def _register_there(name: str) -> AbstractContextManager[Register | None]:
    """The register, where there is one already: to look changes nothing."""
    return open_register(name) if "://" in name or Path(name).exists() else nullcontext()


def _lines(outcomes: Sequence[Outcome], disputes: str) -> list[str]:
    words = ("warning" if each.warning else "met" if each.met else "NOT MET" for each in outcomes)
    lines = [f"{word:<8} {each.rule:<13} {each.text}" for word, each in zip(words, outcomes, strict=True)]
    if disputes and not all(each.met for each in outcomes):
        lines.append(f"If you think that a rule is wrong, or was applied wrongly: {disputes}")
    return lines


def _exit_code(outcomes: Sequence[Outcome]) -> int:
    if all(each.met for each in outcomes):
        return CONFORMANT
    return BUNDLE_INVALID if [each.rule for each in outcomes] == ["bundle"] else NOT_CONFORMANT
