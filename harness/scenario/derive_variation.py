"""Cases of the pack's legal variations: what a correct party may send, a seat must understand.

Each variation with a requirement is put into one message that the seat receives, another one each time, and into one
answer; at the depth ``exhaustive`` into all.
Everything is then as if the message had been written in the usual way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from harness.errors import Where
from harness.pack.fault import Variation
from harness.pack.model import Pack
from harness.pack.variation import alters
from harness.scenario.derive_setting import (
    Setting,
    bearers_of,
    going_on,
    make_scenario,
    one_for,
    received_by,
    said_of,
    sent_by,
    told_otherwise,
)
from harness.scenario.model import Depth, Exchange, Scenario

GROUP = "Other ways to write a message"


def variation_scenarios(pack: Pack, seat: str, depth: Depth) -> Iterator[Scenario]:
    """The scenarios in which a seat receives a message in another legal way."""
    received = received_by(pack, seat)
    answered = [each for each in sent_by(pack, seat) if each.inside is not None or going_on(pack, each.step)]
    for variation in pack.variations.values():
        if variation.requirement is not None:
            for setting in _chosen(pack, received, variation, depth, lambda each: each.step.message):
                yield _request(pack, setting, variation, variation.requirement)
        if variation.told is not None:
            for setting in _chosen(pack, answered, variation, depth, lambda each: _answer_to(pack, each)):
                yield _answer(pack, setting, variation, variation.told)


def _chosen(
    pack: Pack, settings: Sequence[Setting], variation: Variation, depth: Depth, written: Callable[[Setting], str]
) -> Sequence[Setting]:
    """Those with a message whose content the variation alters; all where it is about what is around the content."""
    altered = [setting for setting in settings if alters(pack, written(setting), variation)]
    fitting = altered if altered or variation.hook == "structure" else settings
    return fitting if depth == "exhaustive" else one_for(variation.id, fitting)


def _answer_to(pack: Pack, setting: Setting) -> str:
    return pack.messages[setting.step.message].answer or ""


def _request(pack: Pack, setting: Setting, variation: Variation, requirement: str) -> Scenario:
    message = setting.step.message
    *between, cause = setting.after
    assert isinstance(cause, Exchange)  # noqa: S101 - a setting ends with the exchange that brings the message
    return make_scenario(
        pack,
        f"variation-{message}-{variation.id}",
        f"{message} ({pack.messages[message].title}) is accepted when it is sent in this way: {variation.title}",
        GROUP,
        bearers_of(pack, setting.step, ((requirement,), _purpose(message, variation)), ((), "")),
        (*setting.before, *between, replace(cause, variation=variation.id)),
        f"variation {variation.id}: {message}",
        Where(pack.root / "variations.yaml"),
    )


def _answer(pack: Pack, setting: Setting, variation: Variation, told: str) -> Scenario:
    answer, (title, _) = _answer_to(pack, setting), said_of(pack, setting)
    return make_scenario(
        pack,
        f"variation-{answer}-{variation.id}{setting.mark}",
        f"{title} is understood when it is sent in this way: {variation.title}",
        GROUP,
        bearers_of(pack, setting.step, ((), ""), ((told,), _purpose(answer, variation))),
        (*setting.before, *told_otherwise(pack, setting, variation.id)),
        f"variation {variation.id}: {answer}",
        Where(pack.root / "variations.yaml"),
    )


def _purpose(message: str, variation: Variation) -> str:
    return f"Understands {message} when it is sent in this way: {variation.title} It is legal: {variation.legal}"
