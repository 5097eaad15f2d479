"""The drill: official files arrive, are imported, finished in YAML, and certify a system that speaks nothing else."""

from __future__ import annotations

import json
import re
import shutil
import sys
from base64 import b64decode
from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.campaign import Result, Wish
from harness.cli.main import main
from harness.demo import Show, demonstration, set_up
from harness.pack.load import load_pack
from harness.target.load import find_pack_of, load_target

sys.path.append(str(Path(__file__).parent / "pack"))
from variant_schemas import write_variant

SOME = {
    "platform": ("nominal-movement@*", "lifecycle-I9-*", "start-*", "body-*", "lifecycle-E1-*", "content-E1-missing-*"),
    "customs": ("nominal-movement@*", "lifecycle-I9-*@departure", "*-unsigned*"),
    "chain": ("nominal-movement@*", "lifecycle-E*"),
    "holder": ("*",),
}
OPEN = re.compile(r'root: "\?" +# what follows is right if it is (\S+)')


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Imported without a WSDL: the answers, which all look alike, stay open."""
    folder = tmp_path_factory.mktemp("drill")
    write_variant(folder / "files")
    out = folder / "official"
    assert main(["pack", "import", str(folder / "files"), "--extends", "etir-4.3", "--out", str(out)]) == 10
    return out


def play(overlay: Path, role: str, out: Path, select: tuple[str, ...] = (), *, full: bool = False) -> Result:
    with demonstration(Show(str(overlay), role, full=full), Wish(select=select, fresh=True, at_once=16)) as (
        campaign,
        _,
    ):
        campaign.start(out)
        while not campaign.wait(1):
            pass
        return campaign.result()


@pytest.fixture(scope="module")
def finished(overlay: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Before it is finished, cases are not run; finished by a person who says yes to what was proposed."""
    result = play(overlay, "holder", tmp_path_factory.mktemp("open") / "bundle", ("nominal-movement@holder",))
    assert [(each.verdict.value, each.reason[:8]) for each in result.judgement.cases] == [("not_run", "unmapped")]
    assert result.exit_code == 10
    file = overlay / "messages.yaml"
    text, number = OPEN.subn(r'root: "\1"', file.read_text())
    assert number > 5
    file.write_text(text)
    assert main(["pack", "check", str(overlay)]) == 0
    return overlay


def foreign_only(bundle: Path) -> None:
    """No byte of the base's own messages was on the wire."""
    bodies = [file.read_bytes() for file in (bundle / "evidence").rglob("*") if file.is_file()]
    assert any(b"http://customs.example/exchange/v2/" in body for body in bodies)
    assert not any(b"urn:c2c-harness:illustrative" in body for body in bodies)


@pytest.mark.parametrize("role", SOME)
def test_a_reference_that_speaks_only_the_variant_is_conformant(finished: Path, role: str, tmp_path: Path) -> None:
    result = play(finished, role, tmp_path / "bundle", SOME[role])
    wrong = [(each.case, each.reason) for each in result.judgement.cases if each.verdict.value not in ("pass",)]
    assert wrong == []
    foreign_only(tmp_path / "bundle")


def test_the_record_names_both_packs(finished: Path, tmp_path: Path) -> None:
    play(finished, "holder", tmp_path / "bundle", ("nominal-movement@holder",))
    told = json.loads((tmp_path / "bundle" / "record.json").read_bytes())["pack"]
    base = pack_named("etir-4.3")
    assert told["digest"] == load_pack(finished).digest
    assert told["bases"] == [{"id": base.id, "version": base.version, "digest": base.digest}]
    statement = json.loads((tmp_path / "bundle" / "statement.dsse.json").read_bytes())
    assert told["bases"] == json.loads(b64decode(statement["payload"]))["predicate"]["pack"]["bases"]
    assert base.digest[7:19] in (tmp_path / "bundle" / "derived" / "report.html").read_text()


def test_the_plan_says_what_is_not_played(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overlay = Path(shutil.copytree(finished, tmp_path / "open"))
    text = re.sub(r"(\n  E9:\n(?: +#.*\n)*    root: ).*", r'\1"?"', (overlay / "messages.yaml").read_text())
    (overlay / "messages.yaml").write_text(text)
    target = set_up(load_pack(overlay), Show(str(overlay), "holder"), tmp_path).target_file
    assert main(["plan", "--target", str(target), "--select", "nominal-movement@*"]) == 0
    assert "not played, unmapped: E9 (root)" in capsys.readouterr().out


def test_a_target_file_finds_its_overlay_from_everywhere(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"Authority": "A", "Product:": "P", "Version:": "1", "How": "none"}
    monkeypatch.setattr("builtins.input", lambda question: answers.get(question.split()[0], ""))
    monkeypatch.chdir(finished.parent)
    assert main(["init", "--pack", finished.name, str(tmp_path / "system")]) == 0
    monkeypatch.chdir(tmp_path)
    assert find_pack_of(load_target(tmp_path / "system" / "target.yaml"), None).id == finished.name


@pytest.mark.nightly
@pytest.mark.parametrize("role", SOME)
def test_the_complete_suite_is_conformant(finished: Path, role: str, tmp_path: Path) -> None:
    result = play(finished, role, tmp_path / "bundle", full=True)
    assert result.exit_code == 0, [
        (each.case, each.reason) for each in result.judgement.cases if each.verdict.value != "pass"
    ]
    foreign_only(tmp_path / "bundle")
