"""The pipelines that we give to vendors: the commands in them exist, and a run through them goes as described."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from campaign_kit import running

from harness.cli.main import main, make_parser

CI = Path(__file__).parents[2] / "docs" / "ci"
COMMAND = re.compile(r"\bc2c (?:doctor|run|annotate|compare)\b[^|>\n`]*")


@pytest.mark.parametrize("file", ["ci/github.yml", "ci/gitlab.yml", "ci/Containerfile", "ci.md"])
def test_every_command_of_a_ready_made_pipeline_is_one_of_ours(file: str) -> None:
    text = (CI.parent / file).read_text("utf-8")
    commands = [each for each in COMMAND.findall(text) if "--" in each and "(or" not in each]
    assert commands
    for command in commands:
        make_parser().parse_args(shlex.split(command)[1:])


@pytest.mark.parametrize("file", ["github.yml", "gitlab.yml"])
def test_a_ready_made_pipeline_is_yaml(file: str) -> None:
    assert yaml.safe_load((CI / file).read_text("utf-8"))


def test_a_vendor_pipeline_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, waived = tmp_path / "good", tmp_path / "bad", tmp_path / "waived"
    with running(tmp_path / "a", "etir-4.3", "holder") as props:
        assert main(["run", "--target", str(props.target_file), "--out", str(good), "--summary", "json"]) in (0, 10)
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["passed"] == summary["required"]
    with running(tmp_path / "b", "etir-4.3", "holder", "holder-does-not-sign") as props:
        assert main(["run", "--target", str(props.target_file), "--out", str(bad)]) == 1
        assert main(["compare", str(good), str(bad)]) == 1
        capsys.readouterr()
        assert main(["annotate", str(bad), "--for", "github"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert any(line.startswith("::error file=suites/etir-4.3/") for line in lines)
        failed = json.loads((bad / "derived" / "summary.json").read_bytes())["failed"]
        entry = {"reason": "Known.", "link": "https://t.example/1", "author": "A", "expires": "2999-12-31"}
        file = tmp_path / "waivers.yaml"
        file.write_text(json.dumps({"waivers": [{"requirement": each, **entry} for each in failed]}))
        arguments = ["run", "--target", str(props.target_file), "--out", str(waived), "--waivers", str(file)]
        assert main(arguments) == 10
        printed = capsys.readouterr().out
        assert "It stands on waivers" in printed
        assert main(["compare", str(good), str(waived)]) == 0
        record = json.loads((waived / "record.json").read_bytes())
        assert record["on_waivers"]
        assert failed == [each["id"] for each in record["requirements"] if each["status"] == "failed"]
        key = next(tmp_path.glob("b/statement/*.pub.pem"))
        assert main(["verify", str(waived), "--trust", str(key)]) == 0
        entry["expires"] = "2020-01-01"
        file.write_text(json.dumps({"waivers": [{"requirement": failed[0], **entry}]}))
        assert main([*arguments[:-4], "--out", str(tmp_path / "x"), "--waivers", str(file)]) == 11
        assert "expired on 2020-01-01" in " ".join(capsys.readouterr().err.split())
