"""Cases of the pack's defects: wrong signatures, certificates, envelopes and deliveries, on what a seat receives.

By default each defect is put into one message, another one each time; at the depth ``exhaustive`` into all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.errors import Where
from harness.pack.model import Defect, Pack
from harness.scenario.derive_setting import Setting, bearers_of, make_scenario, one_for, received_by, sent_by, watch
from harness.scenario.model import Depth, Scenario

GROUP = "Security and delivery"


def defect_scenarios(pack: Pack, seat: str, depth: Depth) -> Iterator[Scenario]:
    """The scenarios in which a seat receives a message with a defect."""
    watched = [setting for setting in sent_by(pack, seat) if any(watch(pack, setting.step))]
    for defect in pack.defects.values():
        if defect.requirement is not None:
            for setting in _chosen(received_by(pack, seat), defect, depth):
                yield _request(pack, setting, defect, defect.requirement)
        if defect.told is not None:
            for setting in _chosen(watched, defect, depth):
                yield _answer(pack, setting, defect, defect.told)


def _chosen(settings: Sequence[Setting], defect: Defect, depth: Depth) -> Sequence[Setting]:
    return settings if depth == "exhaustive" else one_for(defect.id, settings)


def _request(pack: Pack, setting: Setting, defect: Defect, requirement: str) -> Scenario:
    message = setting.step.message
    wrong = replace(setting.step, id=f"{message}.broken", defect=defect.id, expectation=defect.expectation)
    refuses = f"Refuses {message} with this defect: {defect.text}"
    purpose = f"{refuses} Records nothing of it: the correct message is then accepted."
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
    message = setting.step.message
    answer = pack.messages[message].answer or ""
    purpose = f"Does not go on as if {message} had been accepted when the answer has this defect: {defect.text}"
    return make_scenario(
        pack,
        f"defect-{answer}-{_named(defect)}",
        f"The answer {answer} ({pack.messages[answer].title}) is not believed with this defect: {defect.text}",
        GROUP,
        bearers_of(pack, setting.step, ((), ""), ((told,), purpose)),
        (*setting.before, replace(setting.step, answer_defect=defect.id), *watch(pack, setting.step)),
        f"defect {defect.id}: {answer}",
        Where(pack.root / "security.yaml"),
    )


def _named(defect: Defect) -> str:
    return defect.id.replace("/", "-")
