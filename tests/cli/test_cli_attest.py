"""Readiness beside a technical run: from the form on the command line to a verified bundle and its report page."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
import yaml
from campaign_kit import running
from pack_kit import pack_named

from harness.bundle.files import inventory
from harness.cli.main import main
from harness.demo import Show, set_up
from harness.evidence.store import digest_of
from harness.security.statement_key import generate_demo_key, key_id, load_public_keys

PACK = Path(__file__).parent.parent / "packs" / "neighbours"
DECREE = b"%PDF-1.4 Decree 17 of 2026: secret annex, password=hunter2hunter2"
PERSON = "Aysel Example, Customs IT"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run against the reference, with two answers of fourteen, and its keys."""
    folder = tmp_path_factory.mktemp("attest")
    form = folder / "readiness.yaml"
    with running(folder / "system", str(PACK), "customs") as props:
        assert main(["attest", "--pack", "readiness", "--form", str(form)]) == 0
        filled = yaml.safe_load(form.read_text())
        filled["person"] = PERSON
        for entry in filled["answers"]:
            if entry["case"] == "annex-11-in-force@administration":
                entry |= {"answer": "Since 25 May 2021, by Decree 17.", "files": ["decree.pdf"]}
            if entry["case"] == "service-desk@administration":
                entry |= {"answer": "Always. The call went to +998 71 000 00 00, token=abcdefgh12345."}
        form.write_text(yaml.safe_dump(filled, allow_unicode=True))
        (folder / "decree.pdf").write_bytes(DECREE)
        target = json.loads(props.target_file.read_text()) | {"attestations": [str(form)]}
        props.target_file.write_text(json.dumps(target))
        code = main(["run", "--target", str(props.target_file), "--out", str(folder / "bundle")])
        assert code == 0
    return {"folder": folder, "bundle": folder / "bundle", "trust": props.public_key}


def record_of(bundle: Path) -> dict:
    return json.loads((bundle / "record.json").read_text())


def test_the_technical_verdict_stays_and_the_bundle_verifies(world, capsys):
    assert record_of(world["bundle"])["verdict"] == "conformant"
    assert main(["verify", str(world["bundle"]), "--trust", str(world["trust"])]) == 0
    assert "judged again and gave the same record" in capsys.readouterr().out


def test_an_operator_can_demand_that_every_answer_was_found_good(world, tmp_path, capsys):
    policy = tmp_path / "policy.yaml"
    signer = {"name": "Ministry", "part": "tester", "key": "0" * 64}
    for named, told in (
        ("readiness", "Not every demand of readiness was found met: not verified 14."),
        ("other", "of other"),
    ):
        rules = {"policy": "p", "pack": {"id": "p", "versions": ["1"]}, "annexes": [named], "signers": [signer]}
        policy.write_text(json.dumps(rules))
        look = ["admit", str(world["bundle"]), "--policy", str(policy), "--register", str(tmp_path / "none.db")]
        assert main(look) == 1
        (line,) = (each for each in capsys.readouterr().out.splitlines() if " annexes " in each)
        assert line.startswith("NOT MET")
        assert told in line


def test_who_answered_what_stands_in_record_statement_and_report(world):
    bundle = world["bundle"]
    (annex,) = record_of(bundle)["annexes"]
    assert annex["persons"] == [PERSON]
    assert annex["statuses"] == {"not verified": len(pack_named("readiness").requirements)}
    payload = base64.b64decode(json.loads((bundle / "statement.dsse.json").read_text())["payload"])
    (signed,) = json.loads(payload)["predicate"]["annexes"]
    assert signed["persons"] == [PERSON]
    assert signed["files"] == [{"name": "decree.pdf", "digest": digest_of(DECREE), "size": len(DECREE)}]
    page = (bundle / "derived" / "report.html").read_text()
    for text in ("Annex: Readiness for operation", PERSON, "Since 25 May 2021, by Decree 17.", "decree.pdf"):
        assert text in page


def test_a_document_is_in_the_evidence_and_shown_nowhere(world):
    secrets = (b"secret annex", b"abcdefgh12345")
    for name in inventory(world["bundle"]):
        data = (world["bundle"] / name).read_bytes()
        for secret in secrets:
            assert secret not in data or name.startswith("evidence/"), (name, secret)
    assert any(b"secret annex" in file.read_bytes() for file in (world["bundle"] / "evidence").glob("messages-*"))


def test_a_changed_document_is_seen(world, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(world["bundle"], copy)
    for file in (copy / "evidence").glob("messages-*"):
        file.write_bytes(file.read_bytes().replace(b"Decree 17", b"Decree 18"))
    assert main(["verify", str(copy)]) == 13
    assert "was changed" in capsys.readouterr().out


def test_a_reviewer_sees_the_answer_gets_the_document_and_decides(world, tmp_path, capsys):
    bundle, form, signed = world["bundle"], tmp_path / "review.yaml", tmp_path / "signed.json"
    key, public = generate_demo_key(tmp_path / "reviewer")
    assert main(["review", str(bundle)]) == 10
    shown = capsys.readouterr().out
    assert "Since 25 May 2021, by Decree 17." in shown
    assert digest_of(DECREE) in shown
    assert main(["review", str(bundle), "--files", str(tmp_path / "documents")]) == 0
    assert (tmp_path / "documents" / "annex-11-in-force@administration" / "decree.pdf").read_bytes() == DECREE
    assert main(["review", str(bundle), "--form", str(form)]) == 0
    grades = yaml.safe_load(form.read_text())
    grades["person"] = "Operator"
    grades["grades"] = [
        each | {"verdict": "fail" if "service-desk" in each["case"] else "pass", "reason": "seen"}
        for each in grades["grades"]
    ]
    form.write_text(yaml.safe_dump(grades))
    command = ["review", str(bundle), "--grades", str(form), "--key", str(key), "--out", str(signed)]
    assert main(command) == 0
    capsys.readouterr()
    assert main(["review", str(bundle), "--reviews", str(signed), "--trust", str(public)]) == 0
    said = capsys.readouterr().out
    assert "with reviews conformant" in said
    assert "annex: 14 demands, 13 met, 1 not met, 0 wait for a person" in said

    signer = {"name": "Operator", "part": "reviewer", "key": key_id(load_public_keys(public)[0])}
    rules = {"policy": "p", "pack": {"id": "p", "versions": ["1"]}, "annexes": ["readiness"], "signers": [signer]}
    (tmp_path / "policy.yaml").write_text(json.dumps(rules | {"test_keys": True}))
    look = ["admit", str(bundle), "--policy", str(tmp_path / "policy.yaml"), "--review", str(signed)]
    assert main([*look, "--register", str(tmp_path / "none.db")]) == 1
    assert "Not every demand of readiness was found met: failed 1." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"case": "legal-basis@administration"}, "there is no case with a question in readiness"),
        ({"files": ["missing.pdf"]}, "cannot be read"),
        ({"step": "ask"}, "there is no question of annex-11-in-force@administration 'ask'"),
    ],
)
def test_a_wrong_form_is_told_with_its_line(world, tmp_path, capsys, change, complaint):
    form, target = tmp_path / "form.yaml", tmp_path / "target.yaml"
    answer = {"case": "annex-11-in-force@administration", "answer": "Yes."} | change
    form.write_text(yaml.safe_dump({"pack": "readiness", "person": "x", "answers": [answer]}))
    before = json.loads((world["folder"] / "system" / "target.yaml").read_text())
    target.write_text(json.dumps(before | {"attestations": [str(form)]}))
    assert main(["run", "--target", str(target), "--out", str(tmp_path / "out")]) == 11
    said = " ".join(capsys.readouterr().err.split())
    assert complaint in said
    assert "form.yaml:" in said


@pytest.mark.parametrize(("positions", "procedures", "asked"), [
    (["departure", "transit", "destination"], ["fallback"], 1), (["departure"], ["fallback"], 0), (["transit"], [], 0),
])  # fmt: skip
def test_a_form_for_a_system_has_what_its_run_asks(positions, procedures, asked, tmp_path, capsys):
    props = set_up(pack_named("etir-4.3"), Show("etir-4.3", "customs", full=True), tmp_path)
    target, form, ics = tmp_path / "mine.yaml", tmp_path / "form.yaml", tmp_path / "ics.yaml"
    ics.write_text(yaml.safe_dump({"procedures": dict.fromkeys(procedures, True)}))
    described = json.loads(props.target_file.read_text())
    described["positions"] = positions
    target.write_text(json.dumps(described | {"ics": str(ics)}))
    assert main(["attest", "--target", str(target), "--form", str(form)]) == (0 if asked else 11)
    if asked:
        assert f"{asked} questions" in capsys.readouterr().out
        assert yaml.safe_load(form.read_text())["pack"] == "etir-4.3"
    else:
        assert "asks no questions in a run against this system" in " ".join(capsys.readouterr().err.split())


def test_a_pack_that_exchanges_messages_is_no_annex(world, tmp_path, capsys):
    form, target = tmp_path / "form.yaml", tmp_path / "target.yaml"
    form.write_text(yaml.safe_dump({"pack": "ncts-p5", "person": "x", "answers": [{"case": "a", "answer": "b"}]}))
    before = json.loads((world["folder"] / "system" / "target.yaml").read_text())
    target.write_text(json.dumps(before | {"attestations": [str(form)]}))
    assert main(["run", "--target", str(target), "--out", str(tmp_path / "out")]) == 11
    assert "cannot be an annex" in capsys.readouterr().err
