from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from small_run import small_run

from harness.bundle.report import report_of
from harness.bundle.write import write_bundle
from harness.cli.main import main
from harness.errors import BUNDLE_INVALID, CONFIGURATION, BundleFault
from harness.pack.data import published_schema
from harness.report.texts import languages
from harness.scenario.plan import plan_from_json, plan_to_json


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = small_run(tmp_path_factory.mktemp("run"))
    write_bundle(run.folder, run.plan, run.pack, run.record(), [])
    return run.folder


def test_a_bundle_is_told_in_another_language(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "rapport.html"
    assert main(["report", str(bundle), "--lang", "fr", "--out", str(target)]) == 0
    text = target.read_text("utf-8")
    assert '<html lang="fr"' in text
    assert "Rapport de conformité" in text


def test_in_english_it_is_what_the_bundle_holds(bundle: Path) -> None:
    for name in ("report.html", "summary.html", "summary.pdf"):
        assert report_of(bundle, name, "en") == (bundle / "derived" / name).read_bytes()


def test_the_target_chooses_the_language_of_the_bundle(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    run.plan = replace(run.plan, subject=replace(run.plan.subject, language="fr"))
    assert plan_from_json(plan_to_json(run.plan), run.pack).subject.language == "fr"
    write_bundle(run.folder, run.plan, run.pack, run.record(), [])
    assert b'<html lang="fr"' in (run.folder / "derived" / "report.html").read_bytes()
    offered = published_schema("target")["properties"]["sut"]["properties"]["language"]["enum"]
    assert tuple(offered) == languages()


def test_it_never_lands_in_the_bundle(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(bundle), "--out", str(bundle / "derived" / "x.html")]) == CONFIGURATION
    assert "no longer verify" in " ".join(capsys.readouterr().err.split())


def test_without_evidence_no_bodies_are_shown(bundle: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shutil.copytree(bundle, shared, ignore=shutil.ignore_patterns("evidence"))
    assert b"<pre" in report_of(bundle, "report.html", "en")
    assert b'class="bytes"' not in report_of(shared, "report.html", "en")


def test_a_damaged_record_is_refused(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    with pytest.raises(BundleFault, match="not a bundle"):
        report_of(bad, "report.html", "en")
    record = json.loads((bundle / "record.json").read_bytes())
    record["cases"][0]["verdict"] = "great"
    (bad / "record.json").write_text(json.dumps(record))
    assert main(["report", str(bad), "--out", str(tmp_path / "x.html")]) == BUNDLE_INVALID
    assert "is not a record, at $.cases[0].verdict" in " ".join(capsys.readouterr().err.split())
