from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from small_run import START, Run, small_run

from harness.bundle.finish import finish_bundle
from harness.bundle.verify import verify_bundle
from harness.bundle.write import begin_bundle
from harness.errors import BundleFault, ConfigurationFault
from harness.security.statement_key import SigningKey


@pytest.fixture
def cut(tmp_path: Path) -> Run:
    """A run that was killed: no end in the log, half a line behind it, half a file beside it."""
    run = small_run(tmp_path, unfinished=True)
    begin_bundle(run.folder, run.plan, run.pack, ics={"messages": None})
    with (run.folder / "evidence" / "events.jsonl").open("ab") as log:
        log.write(b'{"seq":')
    (run.folder / "record.json.part").write_bytes(b"{")
    return run


def test_a_cut_run_becomes_a_bundle_that_verifies(cut: Run, key: SigningKey) -> None:
    finished = finish_bundle(cut.folder, [key])
    assert not finished.complete
    assert finished.statement
    verification = verify_bundle(cut.folder, [key.public], START + timedelta(days=1))
    assert verification.ok, verification.lines
    assert any("not finished" in line for line in verification.lines)


def test_a_judged_run_is_not_judged_over(cut: Run) -> None:
    assert finish_bundle(cut.folder, []).statement is None
    with pytest.raises(ConfigurationFault, match=r"judged already.*c2c verify"):
        finish_bundle(cut.folder, [])


@pytest.mark.parametrize("missing", ["plan.json", "evidence/events.jsonl"])
def test_nothing_to_judge_is_told(missing: str, cut: Run) -> None:
    (cut.folder / missing).unlink()
    with pytest.raises(ConfigurationFault, match="nothing to judge"):
        finish_bundle(cut.folder, [])


def test_another_pack_than_the_planned_one_is_refused(cut: Run) -> None:
    path = cut.folder / "pack" / "suites" / "neighbours" / "requirements.yaml"
    path.write_text(path.read_text().replace("level: MUST", "level: MAY"))
    with pytest.raises(BundleFault, match="not the one of the run"):
        finish_bundle(cut.folder, [])


def test_bytes_that_a_loss_of_power_took_are_named(cut: Run) -> None:
    messages = cut.folder / "evidence" / "messages-0001.bin"
    messages.write_bytes(messages.read_bytes()[:-10])
    with pytest.raises(BundleFault, match="evidence is missing"):
        finish_bundle(cut.folder, [])
