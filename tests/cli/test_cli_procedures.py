"""What persons work beside a system (fallback): left out and listed unless claimed; claimed, it waits for a review."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from campaign_kit import running

from harness.bundle.review import judge_reviewed, open_reviews
from harness.cli.main import main
from harness.errors import ConfigurationFault
from harness.judge.model import Status
from harness.judge.run import judge_run
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.scenario.load import load_scenario
from harness.scenario.plan import Parameters, Subject, make_plan, plan_from_json, plan_to_json
from harness.security.statement_key import generate_demo_key
from harness.target.load import check_target, load_target

CASE = "arrival-by-document@import"
NEIGHBOURS = Path(__file__).parent.parent / "packs" / "neighbours"
SCRIPT = """\
id: arrival-by-document
version: 1
title: The other country cannot be reached, and the accompanying document is accepted
effect: The truck would stand until a computer is repaired.
needs: [fallback]
bearers:
  customs.import: {purpose: Lets the goods go on by the document., requirements: [NB-FALLBACK]}
steps:
  - {exchange: notice, from: customs.export, to: customs.import}
  - exchange: arrival
    from: customs.import
    to: customs.export
    when: simulated
    answer: {http: "503"}
    refused: {http: "503"}
  - {attest: On which document did the goods go on?, of: customs.import}
  - {exchange: arrival, from: customs.import, to: customs.export, id: arrival-later}
"""
DEMAND = """
  NB-FALLBACK:
    level: MUST
    bearer: customs
    group: Fallback
    text: Accepts the accompanying document while the exchange fails.
    effect: The truck would stand.
    source: "public: an agreement of the two countries (invented)"
"""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """The neighbours with one story in which a person must work the fallback."""
    folder = tmp_path_factory.mktemp("pack") / "neighbours"
    shutil.copytree(NEIGHBOURS, folder)
    with (folder / "pack.yaml").open("a") as file:
        file.write("procedures: {fallback: Does a person stand by who lets goods go on by their document?}\n")
    with (folder / "requirements.yaml").open("a") as file:
        file.write(DEMAND)
    (folder / "scenarios" / "arrival-by-document.yaml").write_text(SCRIPT)
    return load_pack(str(folder))


def test_unclaimed_it_is_listed_and_changes_nothing(pack):
    plan = make_plan(pack, Subject("customs"), Parameters())
    (left_out,) = plan.excluded
    assert (left_out.id, left_out.rule) == (CASE, "not claimed: fallback")
    without = make_plan(load_pack(str(NEIGHBOURS)), Subject("customs"), Parameters())
    assert [case.id for case in plan.cases] == [case.id for case in without.cases]
    assert "procedures" not in plan_to_json(plan)["sut"]
    judged = judge_run(plan, pack, [], {}.__getitem__)
    (status,) = (each for each in judged.requirements if each.id == "NB-FALLBACK")
    assert (status.status, status.reason) == (Status.NOT_APPLICABLE, "not claimed: fallback")
    assert "NB-FALLBACK" not in judged.reason


def test_claimed_it_is_planned_and_the_plan_is_read_again(pack):
    plan = make_plan(pack, Subject("customs", procedures=("fallback",)), Parameters())
    assert CASE in {case.id for case in plan.cases}
    assert not plan.excluded
    assert plan_from_json(plan_to_json(plan), pack) == plan


def test_a_scenario_needs_what_the_pack_knows(pack, tmp_path):
    file = tmp_path / "arrival-by-document.yaml"
    file.write_text(SCRIPT.replace("[fallback]", "[fall-back]"))
    with pytest.raises(ConfigurationFault, match="fall-back") as told:
        load_scenario(file, pack)
    assert told.value.where is not None
    assert told.value.where.line == 5


def ics(props, **claims) -> None:
    (props.target_file.parent / "ics.yaml").write_text(json.dumps(claims))
    target = json.loads(props.target_file.read_text()) | {"ics": "ics.yaml"}
    props.target_file.write_text(json.dumps(target))


@pytest.fixture(scope="module")
def world(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("fallback")
    with running(folder / "system", str(pack.root), "customs", full=True) as props:
        ics(props, procedures={"fallback": True})
        form = pack.root.parent / "answers.yaml"
        assert main(["attest", "--pack", str(pack.root), "--form", str(form)]) == 0
        answers = yaml.safe_load(form.read_text())
        answers["person"] = "Officer at the border"
        (answer,) = answers["answers"]
        assert answer["case"] == CASE
        said = "On the accompanying document; the head of the office decided it."
        answer |= {"answer": said, "files": ["stamped.pdf"]}
        form.write_text(yaml.safe_dump(answers, allow_unicode=True))
        form.with_name("stamped.pdf").write_bytes(b"%PDF-1.4 stamped")
        props.target_file.write_text(
            json.dumps(json.loads(props.target_file.read_text()) | {"attestations": [str(form)]})
        )
        bundle = folder / "bundle"
        assert main(["run", "--target", str(props.target_file), "--select", CASE, "--out", str(bundle)]) == 10
    return {"bundle": bundle, "trust": props.public_key}


def test_claimed_it_waits_for_a_person_and_the_movement_goes_on(world, capsys):
    record = json.loads((world["bundle"] / "record.json").read_text())
    (case,) = (each for each in record["cases"] if each["id"] == CASE)
    assert case["verdict"] == "review"
    verdicts = {each["id"]: each["verdict"] for each in case["steps"]}
    assert verdicts["attest"] == "review"
    assert [verdicts[name] for name in ("arrival", "arrival-later")] == ["pass"] * 2
    main(["verify", str(world["bundle"]), "--trust", str(world["trust"])])
    assert "The bundle is valid. It says: not fully verified." in capsys.readouterr().out
    assert main(["review", str(world["bundle"])]) == 10
    shown = capsys.readouterr().out
    assert CASE in shown
    assert "Officer at the border: On the accompanying document" in shown
    answered = next(each for each in case["steps"] if each["id"] == "attest")
    assert (answered["person"], [each["name"] for each in answered["files"]]) == (
        "Officer at the border", ["stamped.pdf"]
    )  # fmt: skip


def test_a_reviewer_gets_the_documents(world, tmp_path):
    main(["review", str(world["bundle"]), "--files", str(tmp_path / "documents")])
    (document,) = [path for path in (tmp_path / "documents").rglob("*") if path.is_file()]
    assert (document.name, document.read_bytes()) == ("stamped.pdf", b"%PDF-1.4 stamped")


@pytest.mark.parametrize(
    ("verdict", "status", "code"), [("pass", Status.PASSED, 10), ("fail", Status.FAILED, 1)], ids=["pass", "fail"]
)
def test_a_reviewer_settles_it(world, tmp_path, verdict, status, code):
    form, signed = tmp_path / "review.yaml", tmp_path / "signed.json"
    key, public = generate_demo_key(tmp_path / "reviewer")
    assert main(["review", str(world["bundle"]), "--form", str(form)]) == 0
    grades = yaml.safe_load(form.read_text())
    grades["person"] = "Operator"
    grades["grades"] = [each | {"verdict": verdict, "reason": "seen"} for each in grades["grades"]]
    form.write_text(yaml.safe_dump(grades))
    assert main(["review", str(world["bundle"]), "--grades", str(form), "--key", str(key), "--out", str(signed)]) == 0
    assert main(["review", str(world["bundle"]), "--reviews", str(signed), "--trust", str(public)]) == code
    given = open_reviews(signed.read_bytes(), (world["bundle"] / "record.json").read_bytes())
    judgement, _ = judge_reviewed(world["bundle"], given.reviews)
    (found,) = (each for each in judgement.requirements if each.id == "NB-FALLBACK")
    assert found.status is status


def test_an_unknown_procedure_is_told_with_its_line(pack, tmp_path):
    with running(tmp_path / "system", str(pack.root), "customs") as props:
        ics(props, procedures={"fall-back": True})
        with pytest.raises(ConfigurationFault, match="fall-back"):
            check_target(load_target(props.target_file), pack)
