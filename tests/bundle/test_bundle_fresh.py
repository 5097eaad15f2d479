from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest
from campaign_kit import running
from small_run import START, small_run

from harness.bundle import fresh
from harness.bundle.verify import Verification, verify_bundle
from harness.bundle.write import write_bundle
from harness.campaign import Campaign, Wish
from harness.scenario.plan import mark_of
from harness.security.statement_key import SigningKey

LONG = "0123456789abcdef01"


def verified(folder: Path, key: SigningKey, challenge: str | None, token: str) -> Verification:
    run = small_run(folder, challenge=challenge, token=token)
    write_bundle(run.folder, run.plan, run.pack, run.record(), [key])
    return verify_bundle(run.folder, [key.public], START + timedelta(days=1))


@pytest.mark.parametrize("challenge", ["c0ffee42", LONG])
def test_a_challenge_that_is_in_every_request_is_said(challenge: str, tmp_path: Path, key: SigningKey) -> None:
    verification = verified(tmp_path, key, challenge, challenge)
    assert verification.ok, verification.lines
    said = next(line for line in verification.lines if f"challenge {challenge}" in line)
    assert f"{mark_of(challenge)}-" in said
    assert not said.startswith("All 0 ")
    assert re.search(r"In 0 of the [1-9]\d* passed cases", said), "this pack signs nothing"
    assert re.search(r" None does in [\w-]+@import, .* and \d+ more", said)
    freshness = next(part for part in verification.parts if part.name == "freshness")
    assert freshness.outcome == "not proved"


def test_a_run_without_a_challenge_says_so(tmp_path: Path, key: SigningKey) -> None:
    verification = verified(tmp_path, key, None, "")
    assert verification.ok
    assert any("there was no challenge" in line for line in verification.lines)


@pytest.mark.parametrize("token", ["", "c0ffee4", "c0ffee421", "deadbeef", LONG[:16]])
def test_requests_without_the_challenge_are_refused(token: str, tmp_path: Path, key: SigningKey) -> None:
    verification = verified(tmp_path, key, "c0ffee42" if token != LONG[:16] else LONG, token)
    assert verification.exit_code == 13
    assert "does not carry the mark of the run: event" in verification.lines[-1]


def test_a_challenge_is_not_replaced_in_the_plan_alone(tmp_path: Path, key: SigningKey) -> None:
    run = small_run(tmp_path, challenge="c0ffee42", token="c0ffee42")
    run.plan = replace(run.plan, parameters=replace(run.plan.parameters, challenge="deadbeef"))
    write_bundle(run.folder, run.plan, run.pack, run.record(), [key])
    verification = verify_bundle(run.folder, [key.public], START + timedelta(days=1))
    assert verification.exit_code == 13
    assert "its token is another one" in verification.lines[-1]


def test_one_signed_answer_does_not_speak_for_the_other_cases(
    tmp_path: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_other = cycle((True, False))
    monkeypatch.setattr(fresh, "_covers", lambda bundle, answer, begins: next(every_other))
    verification = verified(tmp_path, key, "c0ffee42", "c0ffee42")
    freshness = next(part for part in verification.parts if part.name == "freshness")
    assert freshness.outcome == "not proved"
    covered, passed = map(int, re.findall(r"In (\d+) of the (\d+) passed cases", freshness.text)[0])
    assert 0 < covered < passed
    assert len(re.findall(r"[\w-]+@import", freshness.text)) == min(passed - covered, 5)


def test_signed_answers_are_looked_for_in_every_passed_case(tmp_path: Path) -> None:
    with running(tmp_path / "sut", "etir-4.3", "chain") as props:
        wish = Wish(select=("query-of-guarantee*",), challenge=LONG)
        campaign = Campaign.open(props.target_file, None, wish)
        campaign.start(tmp_path / "out")
        assert campaign.wait(60)
    verification = verify_bundle(campaign.result().bundle, None, datetime.now(UTC))
    assert verification.ok, verification.lines
    said = next(line for line in verification.lines if f"challenge {LONG}" in line)
    found = re.search(r"All [1-9]\d* requests .* In (\d+) of the (\d+) passed cases", said)
    assert found
    assert found[1] == found[2] != "0"
    freshness = next(part for part in verification.parts if part.name == "freshness")
    assert freshness.outcome == "proved"


def test_only_a_long_token_is_shortened() -> None:
    assert mark_of("") == "R"
    assert mark_of("0123456789abcdef") == "0123456789abcdef"
    assert mark_of(LONG) != LONG[:16]
    assert len(mark_of(LONG)) == 16
