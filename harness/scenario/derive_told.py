"""Cases of the codes with which an answer may refuse: who is told one of them does not go on as if accepted.

A refusal of the life-cycle table is told where its cell says so; here are the others, such as those that nobody can
bring about from outside. By default a seat is told each code once, in answer to another message each time; at the depth
``exhaustive`` in answer to every message whose answer may carry it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.errors import Where
from harness.pack.model import Expectation, Outcome, Pack
from harness.pack.violation import Refusals
from harness.scenario.derive_setting import Setting, bearers_of, make_scenario, names, one_for, sent_by, watch
from harness.scenario.model import Depth, Scenario

GROUP = "Refusals"


def told_scenarios(pack: Pack, seat: str, depth: Depth) -> Iterator[Scenario]:
    """The scenarios in which a seat sends a correct message and is told an error."""
    asked = [
        (setting, refusals)
        for setting in sent_by(pack, seat)
        if setting.inside is None and (refusals := pack.refusals.get(pack.messages[setting.step.message].answer or ""))
    ]
    for code in names(code for _, refusals in asked for code in refusals.meanings):
        carrying = [(setting, refusals) for setting, refusals in asked if _can_be_told(pack, setting, refusals, code)]
        for setting, refusals in carrying if depth == "exhaustive" else one_for(code, carrying):
            yield _told(pack, setting, refusals, code)


def _can_be_told(pack: Pack, setting: Setting, refusals: Refusals, code: str) -> bool:
    """Whether the answer may carry the code, no cell has the sender told it, and going on would be seen."""
    table = pack.rules_by_message.get(setting.step.message)
    cells = table.cells if table is not None else ()
    known = any(cell.told and cell.refuse and cell.refuse.code == code for cell in cells)
    return code in refusals.meanings and not known and any(watch(pack, setting.step, Outcome("error", code)))


def _told(pack: Pack, setting: Setting, refusals: Refusals, code: str) -> Scenario:
    refusal, message = Outcome("error", code), pack.messages[setting.step.message]
    meaning = refusals.meanings[code]
    told = f"Told {code} ({meaning}) in answer to a correct {message.name}"
    purpose = f"{told}, does not go on as if {message.name} had been accepted."
    return make_scenario(
        pack,
        f"refusal-{refusals.answer}-{code}{setting.mark}",
        f"Whoever is told {code} ({meaning}) in answer to a correct {message.name} ({message.title}) does not go on",
        GROUP,
        bearers_of(pack, setting.step, ((), ""), ((refusals.told,), purpose)),
        (
            *setting.before,
            replace(setting.step, expectation=Expectation((refusal,))),
            *watch(pack, setting.step, refusal),
        ),
        f"refusal {code}: {refusals.answer}",
        Where(pack.root / "constraints.yaml"),
    )
