"""What counts as a kill, and what the tables say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from harness.cli.main import main
from harness.cli.teeth import write_down
from harness.pack.source import explain
from harness.scenario.project import exchanges, mode
from harness.teeth import trial as trials
from harness.teeth.choose import LONGEST, SHORTEST, affected
from harness.teeth.matrix import kill_matrix, summary
from harness.teeth.model import RUN, Bite, Observed, Row, Trial, all_killed, complaints, row_of
from harness.teeth.trial import apart, cases_of, gathered, pack_of, try_variations

PACK = pack_of("etir-4.3")
WANTED = "ETIR-I9-220"


def observed(failed: Mapping[str, tuple[str, ...]], **verdicts: str) -> Observed:
    trial = Trial("etir-4.3", "platform", "starts-without-declaration")
    return Observed(trial, verdicts, failed, {}, "not conformant", "")


@pytest.mark.parametrize(
    ("failed", "bite"),
    [
        ({"a": (WANTED,)}, Bite.KILLED),
        ({"a": ("ETIR-I9-OK",), "b": ("ETIR-I9-OK", WANTED)}, Bite.KILLED),
        ({"": (WANTED,)}, Bite.KILLED),
        ({"a": ("ETIR-I9-OK",)}, Bite.OTHERWISE),
        ({}, Bite.SURVIVED),
    ],
)
def test_only_a_fail_of_the_broken_demand_kills(failed: dict[str, tuple[str, ...]], bite: Bite) -> None:
    row = row_of(observed(failed, a="fail", b="inconclusive"), "title", WANTED)
    assert row.bite is bite
    assert all_killed([row]) == (bite is Bite.KILLED)


def test_what_the_run_as_a_whole_broke_is_named_so() -> None:
    assert row_of(observed({"": (WANTED,)}), "", WANTED).killers == (RUN,)


def test_the_matrix_names_the_cases_that_kill() -> None:
    killers = tuple(f"case-{number}" for number in range(6))
    rows = [Row("f", "platform", "Does it wrong.", WANTED, 7, killers), Row("g", "platform", "Too.", WANTED, 7, ())]
    text = kill_matrix(PACK, rows, "1.0")
    assert "2 faults, 1 killed, 0 killed by another requirement, 1 survived" in text
    assert "| killed | `case-0`, `case-1`, `case-2`, `case-3`, and 2 more | 7 |" in text
    assert text == kill_matrix(PACK, rows, "1.0")


def test_the_summary_is_what_a_pack_can_carry() -> None:
    data = yaml.safe_load(summary(PACK, "1.0", [Row("f", "platform", "", WANTED, 1, ("a",))], []))
    assert list(explain(data, "teeth")) == []
    assert data["faults"] == {"tried": 1, "killed": 1}
    assert data["tool"] == "1.0"
    assert data["pack"] == {"id": PACK.id, "version": PACK.version, "digest": PACK.digest}


@pytest.mark.parametrize("part", [("--role", "chain"), ("--fault", "forgets-chain"), ("--sample", "1")])
def test_tables_of_a_part_are_not_written(
    part: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["teeth", "--docs", str(tmp_path), *part]) == 11
    assert "tables of all faults" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_each_pack_has_tables_of_its_own(tmp_path: Path) -> None:
    row, varied = Row("f", "customs", "", WANTED, 1, ("a",)), observed({}, a="pass")
    first, second = (replace(PACK, id=name, root=tmp_path) for name in ("first", "second"))
    write_down(first, tmp_path / "first", [row], [replace(varied, trial=VARIATIONS[0])])
    write_down(second, tmp_path / "second", [row], [])
    assert sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*.md")) == [
        str(Path("first", "kill-matrix.md")),
        str(Path("first", "variations.md")),
        str(Path("second", "kill-matrix.md")),
    ]
    assert "`second`" in (tmp_path / "second" / "kill-matrix.md").read_text("utf-8")
    assert "id: second" in (tmp_path / "teeth.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("verdict", "complains"),
    [("pass", False), ("warning", False), ("not_applicable", False), ("inconclusive", True), ("fail", True)],
)
def test_a_variation_may_leave_no_case_open(verdict: str, complains: bool) -> None:
    assert bool(complaints(observed({}, a="pass", b=verdict))) == complains


@pytest.mark.parametrize(
    ("fault", "sort"), [("overlooks-patterns", "-CD001C-pattern-"), ("overlooks-conditions", "-15@")]
)
def test_cases_in_which_the_forgotten_answer_is_due_come_first(fault: str, sort: str) -> None:
    pack = pack_of("ncts-p5")
    cases = cases_of("ncts-p5", "customs")
    wanted = [case.id for case in cases if case.id.startswith("content-CD001C-") and sort in case.id]
    assert wanted
    derived = [name for name in affected(pack, pack.faults[fault], cases) if name.startswith("content-")]
    assert set(derived[: len(wanted)]) == set(wanted)


@pytest.mark.parametrize("name", PACK.faults)
def test_every_fault_has_cases_that_it_can_affect(name: str) -> None:
    fault = PACK.faults[name]
    cases = {case.id: case for case in cases_of("etir-4.3", fault.role)}
    chosen = [cases[each] for each in affected(PACK, fault, tuple(cases.values()))]
    assert chosen
    carrying = [case for case in chosen if fault.requirement in case.requirements]
    assert len(carrying) in (0, len(chosen))
    assert carrying or len(chosen) <= SHORTEST + LONGEST + LONGEST
    for case in chosen:
        assert any(mode(step, case.sut) != "simulate" for step in exchanges(case.steps))


def test_a_fault_that_writes_a_value_is_tried_where_the_value_becomes_new() -> None:
    """However long other cases grow: only there the old value is wrong."""
    chosen = affected(PACK, PACK.faults["terminates-with-declared-seals"], cases_of("etir-4.3", "customs"))
    assert {name for name in chosen if name.startswith("seals-changed-")} == {
        f"seals-changed-at-{when}@{where}"
        for when in ("start", "termination")
        for where in ("departure", "transit", "destination")
    }


VARIATIONS = [
    Trial("etir-4.3", role, each.id, variation=True) for each in PACK.variations.values() for role in each.roles
]


def test_variations_that_meet_nowhere_are_tried_together_and_none_is_left_out() -> None:
    groups = gathered(VARIATIONS)
    assert len(groups) < len(VARIATIONS) / 3
    assert sorted(each.switch + each.role for group in groups for each in apart(group)) == sorted(
        each.switch + each.role for each in VARIATIONS
    )
    for group in groups:
        hooks = [PACK.variations[switch].hook for switch in (group.switch, *group.beside)]
        assert len(hooks) == len(set(hooks))


def test_a_complaint_about_several_is_that_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[Trial] = []

    def play(asked: Sequence[Trial], jobs: int | None = None) -> Iterator[Observed]:
        for each in asked:
            played.append(each)
            bad = "rsa" in (each.switch, *each.beside)
            yield Observed(each, {"a": "fail" if bad else "pass"}, {}, {}, "", "")

    monkeypatch.setattr(trials, "try_all", play)
    holder = [each for each in VARIATIONS if each.role == "holder"]
    found = list(try_variations(holder))
    assert sorted(each.trial.switch for each in found) == sorted(each.switch for each in holder)
    assert {each.trial.switch for each in found if complaints(each)} == {"rsa"}
    assert not any(each.trial.beside for each in found)
    together = next(each for each in played if "rsa" in (each.switch, *each.beside))
    assert {each.switch for each in played if not each.beside} >= {together.switch, *together.beside}
