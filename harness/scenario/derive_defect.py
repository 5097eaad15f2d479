"""Cases of the pack's defects: wrong signatures, certificates, envelopes and deliveries, on what a seat receives.

By default each defect is put into one message, another one each time; at the depth ``exhaustive`` into all. The
answers to what a seat passes on are few, and each is the word of somebody else for a third party: by default each of
them is unsigned, altered, lost and so on once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from harness.errors import Where
from harness.pack.model import Defect, Pack
from harness.scenario.derive_setting import (
    Setting,
    bearers_of,
    make_scenario,
    names,
    one_for,
    received_by,
    said_of,
    sent_by,
    shows,
    told_wrongly,
)
from harness.scenario.model import Depth, Scenario

GROUP = "Security and delivery"


def defect_scenarios(pack: Pack, seat: str, depth: Depth) -> Iterator[Scenario]:
    """The scenarios in which a seat receives a message with a defect."""
    watched = [setting for setting in sent_by(pack, seat) if shows(pack, setting)]
    own = [setting for setting in watched if setting.inside is None]
    for defect in pack.defects.values():
        if defect.requirement is not None:
            for setting in _chosen(received_by(pack, seat), defect, depth):
                yield _request(pack, setting, defect, defect.requirement)
        if defect.told is not None:
            for setting in _chosen(own, defect, depth):
                yield _answer(pack, setting, defect, defect.told)
    yield from _passed_on(pack, [setting for setting in watched if setting.inside is not None], depth)


def _chosen(settings: Sequence[Setting], defect: Defect, depth: Depth) -> Sequence[Setting]:
    return settings if depth == "exhaustive" else one_for(defect.id, settings)


def _passed_on(pack: Pack, settings: Sequence[Setting], depth: Depth) -> Iterator[Scenario]:
    """Answers to what a seat passes on: by default each of them breaks each demand, with one of its defects in turn."""
    for told in names(defect.told for defect in pack.defects.values()):
        defects = [defect for defect in pack.defects.values() if defect.told == told]
        count = max(len(settings), len(defects)) if settings else 0
        turns = ((settings[turn % len(settings)], defects[turn % len(defects)]) for turn in range(count))
        for setting, defect in product(settings, defects) if depth == "exhaustive" else turns:
            yield _answer(pack, setting, defect, told)


def _request(pack: Pack, setting: Setting, defect: Defect, requirement: str) -> Scenario:
    message = setting.step.message
    wrong = replace(setting.step, id=f"{message}.broken", defect=defect.id, expectation=defect.expectation)
    refuses = f"Refuses {message} with this defect: {defect.text}"
    purpose = f"{refuses} The correct message is then accepted."
    return make_scenario(
        pack,
        f"defect-{message}-{_named(defect)}",
        f"{message} ({pack.messages[message].title}) is refused with this defect: {defect.text}",
        GROUP,
        bearers_of(pack, setting.step, ((requirement,), purpose), ((), "")),
        (*setting.before, wrong, *setting.after),
        f"defect {defect.id}: {message}",
        Where(pack.root / "security.yaml"),
    )


def _answer(pack: Pack, setting: Setting, defect: Defect, told: str) -> Scenario:
    answer = pack.messages[setting.step.message].answer or ""
    title, message = said_of(pack, setting)
    purpose = f"Does not go on as if {message} had been accepted when the answer has this defect: {defect.text}"
    return make_scenario(
        pack,
        f"defect-{answer}-{_named(defect)}{setting.mark}",
        f"{title} is not taken as an acceptance with this defect: {defect.text}",
        GROUP,
        bearers_of(pack, setting.step, ((), ""), ((told,), purpose)),
        (*setting.before, *told_wrongly(pack, setting, defect.id)),
        f"defect {defect.id}: {answer}",
        Where(pack.root / "security.yaml"),
    )


def _named(defect: Defect) -> str:
    return defect.id.replace("/", "-")
