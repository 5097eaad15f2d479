"""The coverage has no silent hole: every requirement, case and error code is tested or says why not."""

from __future__ import annotations

import pytest
from pack_kit import pack_named

from harness.cli.list_cases import cases_for
from harness.cli.main import main
from harness.pack.model import Pack
from harness.scenario.coverage import coverage, shown_codes
from harness.scenario.model import Case


@pytest.fixture(scope="module")
def pack() -> Pack:
    return pack_named("etir-4.3")


@pytest.fixture(scope="module")
def cases(pack: Pack) -> dict[str, tuple[Case, ...]]:
    return {role: cases_for(pack, role) for role in pack.roles}


def test_every_requirement_has_a_case_or_a_reason(pack: Pack, cases: dict[str, tuple[Case, ...]]) -> None:
    for role, each in cases.items():
        lines = coverage(pack, role, each)
        assert {line.requirement.id for line in lines if line.hole} == set(), role
        assert any(line.cases for line in lines)
        assert any(line.checked for line in lines)


def test_every_reason_is_one_of_four(pack: Pack) -> None:
    words = ("not observable: ", "needs a person: ", "not public: ", "other role: ")
    for each in pack.requirements.values():
        assert each.untested is None or each.untested.startswith(words), each.id


def test_every_case_has_a_requirement(cases: dict[str, tuple[Case, ...]]) -> None:
    assert [case.id for each in cases.values() for case in each if not case.requirements] == []


def test_every_error_code_is_shown_by_each_role_that_can(pack: Pack, cases: dict[str, tuple[Case, ...]]) -> None:
    shown = {role: shown_codes(each) for role, each in cases.items()}
    spoken_of = set()
    for code in pack.codelists["error-code"].codes:
        for role in pack.roles:
            demands = [
                each
                for each in pack.requirements.values()
                if each.id.endswith(f"-{code}") and each.bearer in (role, "any")
            ]
            spoken_of.update({code} if demands or code in shown[role] else ())
            if any(not each.untested for each in demands):
                assert code in shown[role], f"{role} shows {code} in no case beside a positive control"
    assert set(pack.codelists["error-code"].codes) - spoken_of == set()


@pytest.mark.parametrize("code", ["151", "152", "153", "154", "155", "158", "202", "310", "400"])
def test_a_code_that_nobody_can_provoke_says_why_and_is_still_told(
    pack: Pack, cases: dict[str, tuple[Case, ...]], code: str
) -> None:
    reasons = {each.untested for each in pack.requirements.values() if each.id.endswith(f"-{code}")}
    assert reasons
    assert all(reason and reason.startswith(("not public: ", "not observable: ")) for reason in reasons)
    assert code in {*shown_codes(cases["customs"]), *shown_codes(cases["holder"])}


def test_a_malformed_date_is_103(cases: dict[str, tuple[Case, ...]]) -> None:
    for role in ("platform", "customs", "chain"):
        assert "103" in shown_codes(cases[role])


def test_a_case_fewer_is_a_hole(pack: Pack, cases: dict[str, tuple[Case, ...]]) -> None:
    kept = [case for case in cases["platform"] if "ETIR-I9-220" not in case.requirements]
    (hole,) = [line.requirement.id for line in coverage(pack, "platform", kept) if line.hole]
    assert hole == "ETIR-I9-220"
    assert "220" not in shown_codes(kept)


def test_the_command_shows_cases_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "--pack", "etir-4.3", "--role", "holder"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.strip().startswith("holder: ") and "requirements" in line for line in lines)
    assert any("not tested: " in line for line in lines)
    assert any("looked for in " in line for line in lines)
