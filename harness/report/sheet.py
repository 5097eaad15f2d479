"""The run sheet: what a person has to do who makes the system under test act, on paper."""

from __future__ import annotations

from html import escape

from harness.judge.outcome import describe_all
from harness.pack.model import Pack
from harness.scenario.guide import Turn, acts, movements
from harness.scenario.model import Probe, Step
from harness.scenario.plan import Plan
from harness.scenario.project import exchanges, mode

_STYLE = (
    "body{font:11pt sans-serif;margin:2em}table{border-collapse:collapse;width:100%;margin-bottom:1.5em}"
    "td,th{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top}tr{break-inside:avoid}"
    "td:first-child{width:1.5em}caption{text-align:left;font-weight:bold;padding:.3em 0}"
)


def sheet_of(plan: Plan, pack: Pack) -> tuple[tuple[Turn, ...], ...]:
    """The movements that a person sets up, each with the cases that are played on it."""
    return movements([case for case in plan.cases if acts(case)], pack)


def counted(plan: Plan, pack: Pack) -> tuple[int, int, int]:
    """How many movements a person sets up, how often the person acts, and how often something is looked up."""
    sheet = sheet_of(plan, pack)
    turns = [turn for each in sheet for turn in each]
    return len(sheet), sum(turn.actions for turn in turns), sum(turn.lookups for turn in turns)


def derive_sheet(plan: Plan, pack: Pack) -> bytes:
    """The run sheet as a page to print: one line for each thing to do, and what it is good for."""
    count, actions, lookups = counted(plan, pack)
    rows, number = [], 0
    for place, turns in enumerate(sheet_of(plan, pack), 1):
        rows.append(f"<table><caption>Movement {place}</caption><tr><th></th><th>Do</th><th>Then</th><th>For</th></tr>")
        for turn in turns:
            for step in turn.case.steps[turn.shared :]:
                for what, then in _lines(step, turn, pack):
                    number += 1
                    purpose = f"{turn.case.title} ({', '.join(turn.case.requirements)})"
                    cells = "".join(f"<td>{escape(text)}</td>" for text in (what, then, purpose))
                    rows.append(f"<tr><td>{number}</td>{cells}</tr>")
        rows.append("</table>")
    title = f"Run sheet: {pack.title}, {plan.subject.role}"
    about = (
        f"{count} movements, {actions} messages to send, {lookups} states to look up. The harness says on the terminal "
        "which values to use, and sees by itself what you have sent. An answer that refuses is meant to be one."
    )
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{escape(about)}</p>{''.join(rows)}</html>"
    )
    return page.encode()


def _lines(step: Step, turn: Turn, pack: Pack) -> list[tuple[str, str]]:
    if isinstance(step, Probe):
        place = f" of {step.position}" if step.position else ""
        return [(f"Look up the state: {step.object}{place}", "type it")]
    return [
        (
            f"As {each.sender}, send {each.message} ({pack.messages[each.message].title}) to {each.receiver}",
            "a broken answer comes" if each.answer_defect else describe_all(each.expectation.expect[:1]),
        )
        for each in exchanges([step])
        if mode(each, turn.case.sut) == "await" and each.reaction is None
    ]
