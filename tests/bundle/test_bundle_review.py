"""Reviews: signed apart, judged together, and the bundle stays as it is."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from small_run import small_run

from harness.bundle.review import open_reviews, open_steps, read_grades, sign_reviews, write_form
from harness.bundle.verify import verify_bundle
from harness.bundle.write import write_bundle
from harness.cli.main import main
from harness.errors import BundleFault, ConfigurationFault
from harness.judge.model import Verdict
from harness.judge.review import Review
from harness.record.strict import loads
from harness.security.statement_key import (
    SigningKey,
    generate_demo_key,
    key_id,
    load_public_keys,
    load_signing_key,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
QUESTION = "Is the paper document accepted when the neighbour cannot be reached?"
ATTESTED = f"""\
id: fallback
version: 1
title: The paper is accepted when the line is down
effect: Trucks would wait for a line.
bearers:
  customs.import: {{purpose: Accepts the accompanying document., requirements: [NB-SAME]}}
steps:
  - attest: {QUESTION}
    of: customs.import
"""


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with one step for a person."""
    folder = tmp_path_factory.mktemp("waiting")
    scenario = folder / "packs" / "suites" / "open-neighbours" / "scenarios" / "fallback.yaml"
    scenario.parent.mkdir(parents=True)
    scenario.write_text(ATTESTED, "utf-8")
    run = small_run(folder)
    write_bundle(run.folder, run.plan, run.pack, run.record(), [SigningKey(ed25519.Ed25519PrivateKey.generate())])
    return run.folder


def filled(form: Path, verdict: str) -> Path:
    text = (
        form.read_text("utf-8").replace("person: ", "person: A. Reviewer  ").replace("verdict:", f"verdict: {verdict}")
    )
    form.write_text(text.replace("reason:", "reason: Seen at the border post."), "utf-8")
    return form


@pytest.mark.parametrize(("verdict", "status"), [("pass", "passed"), ("fail", "failed")])
def test_what_waits_is_graded_signed_and_judged_and_the_bundle_stays(
    waiting: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], verdict: str, status: str
) -> None:
    private, public = generate_demo_key(tmp_path)
    form, signed = tmp_path / "review.yaml", tmp_path / "review.dsse.json"
    before = (waiting / "record.json").read_bytes()
    assert main(["review", str(waiting)]) == 10
    assert f"fallback@import  attest: {QUESTION}" in capsys.readouterr().out
    assert main(["review", str(waiting), "--form", str(form)]) == 0
    filled(form, verdict)
    assert main(["review", str(waiting), "--grades", str(form), "--key", str(private), "--out", str(signed)]) == 0
    capsys.readouterr()
    code = main(["review", str(waiting), "--reviews", str(signed), "--trust", str(public)])
    out = capsys.readouterr().out
    assert f"fallback@import  attest: {verdict} by A. Reviewer: Seen at the border post." in out
    assert "was NOT checked" not in out
    assert code == 10  # every source of this pack is assumed
    assert ("NB-SAME" in out) == (status == "failed"), out
    assert (waiting / "record.json").read_bytes() == before
    assert verify_bundle(waiting, None, NOW).ok


def test_a_review_that_was_changed_or_speaks_of_another_bundle_is_refused(waiting: Path, tmp_path: Path) -> None:
    data = (waiting / "record.json").read_bytes()
    record = loads(data, "record.json")
    assert [(each.case, each.question) for each in open_steps(record)] == [("fallback@import", QUESTION)]
    form = tmp_path / "review.yaml"
    assert write_form(form, record) == 1
    reviews = read_grades(filled(form, "pass"), record)
    signed = sign_reviews(data, reviews, NOW, SigningKey(ed25519.Ed25519PrivateKey.generate()))
    assert open_reviews(signed, data).reviews == reviews
    with pytest.raises(BundleFault, match="another bundle"):
        open_reviews(signed, data + b" ")
    with pytest.raises(BundleFault):
        open_reviews(signed.replace(b'"payload": "ey', b'"payload": "ez'), data)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("fallback@import", "movement@import", "does not wait for a person"),
        ("verdict: pass", "verdict: perfect", "perfect"),
        ("reason: Seen at the border post.", "reason:", "reason"),
    ],
)
def test_a_form_that_is_not_filled_in_rightly_is_told(
    waiting: Path, tmp_path: Path, old: str, new: str, says: str
) -> None:
    record = loads((waiting / "record.json").read_bytes(), "record.json")
    form = tmp_path / "review.yaml"
    write_form(form, record)
    filled(form, "pass").write_text(form.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(ConfigurationFault, match=says):
        read_grades(form, record)


def test_an_untrusted_reviewer_is_refused(waiting: Path, tmp_path: Path) -> None:
    private, _ = generate_demo_key(tmp_path)
    _, stranger = generate_demo_key(tmp_path / "other")
    form, signed = tmp_path / "review.yaml", tmp_path / "review.dsse.json"
    main(["review", str(waiting), "--form", str(form)])
    filled(form, "pass")
    main(["review", str(waiting), "--grades", str(form), "--key", str(private), "--out", str(signed)])
    assert main(["review", str(waiting), "--reviews", str(signed), "--trust", str(stranger)]) == 13


def test_a_review_of_an_altered_bundle_counts_nothing(
    waiting: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = generate_demo_key(tmp_path)
    form, signed = tmp_path / "review.yaml", tmp_path / "review.dsse.json"
    main(["review", str(waiting), "--form", str(form)])
    filled(form, "pass")
    main(["review", str(waiting), "--grades", str(form), "--key", str(private), "--out", str(signed)])
    altered = shutil.copytree(waiting, tmp_path / "altered")
    report = altered / "derived" / "report.html"
    report.write_bytes(report.read_bytes() + b" ")
    assert main(["review", str(altered), "--reviews", str(signed), "--trust", str(public)]) == 13
    assert "report.html" in capsys.readouterr().err


def test_a_review_of_a_step_that_waits_for_nobody_is_refused(waiting: Path, tmp_path: Path) -> None:
    private, public = generate_demo_key(tmp_path)
    strange = (Review("nothing@import", "attest", Verdict.PASS, "seen", "A. Reviewer"),)
    signed = tmp_path / "review.dsse.json"
    data = (waiting / "record.json").read_bytes()
    signed.write_bytes(sign_reviews(data, strange, NOW, load_signing_key(private)))
    assert main(["review", str(waiting), "--reviews", str(signed), "--trust", str(public)]) == 13


def test_admission_tells_whether_a_review_counts(
    waiting: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = generate_demo_key(tmp_path)
    stranger, _ = generate_demo_key(tmp_path / "other")
    form, rules = tmp_path / "review.yaml", tmp_path / "policy.yaml"
    main(["review", str(waiting), "--form", str(form)])
    filled(form, "pass")
    reviewer = key_id(load_public_keys(public)[0])
    rules.write_text(
        "policy: p\npack: {id: open-neighbours, versions: ['1.0']}\n"
        f"signers: [{{name: Operator, part: reviewer, key: {reviewer}}}]\n",
        "utf-8",
    )
    data = (waiting / "record.json").read_bytes()
    grades = read_grades(form, loads(data, "record.json"))
    for key, record, says in (
        (private, data, "met      review        Graded: fallback@import attest: pass, by Operator."),
        (stranger, data, "NOT MET  review        A review is signed by nobody who may review by this policy"),
        (private, data + b" ", "NOT MET  review        {}: The review speaks of another bundle."),
    ):
        signed = tmp_path / "signed"
        signed.write_bytes(sign_reviews(record, grades, NOW, load_signing_key(key)))
        assert main(["admit", str(waiting), "--policy", str(rules), "--review", str(signed)]) == 1
        out = capsys.readouterr().out
        assert says.format(signed) in out
        assert ("With the review" in out) == says.startswith("met"), out
