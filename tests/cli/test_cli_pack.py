"""``c2c pack``: check, new, import."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.cli.main import main

NEIGHBOURS = Path(__file__).parents[1] / "packs" / "neighbours"
LETTERS = str(Path(__file__).parents[1] / "packs" / "letters")

NEW = """requirements:
  R-NEW: {level: MUST, bearer: asker, group: New, text: Does it., effect: None., source: "assumed: a test"}
"""
CLERK = "  clerk: {title: A clerk}\nparties:\n  clerk: {id: C}\n"
RULE = """rules:
  R1: {messages: [Question], kind: required-if, parameters: {if: Sent, present: true, then: SentAt}, text: T., error: "1", requirement: R-MISSING, source: "assumed: a test"}
constraints:
"""  # noqa: E501
BROKEN = '    to: answerer\n    answer_defect: "message/without at /Reference"\n'


@pytest.fixture
def started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["pack", "new", str(tmp_path / "mine")]) == 0
    assert "pack.yaml" in capsys.readouterr().out
    return tmp_path / "mine"


def test_a_new_pack_is_whole_and_can_be_played(
    started: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pack", "check", str(started)]) == 0
    assert "whole: mine 0.1.0, sha256:" in capsys.readouterr().out
    for role, faults, code in (("asker", [], 0), ("answerer", [], 0), ("answerer", ["accepts-unsigned"], 1)):
        arguments = [argument for fault in faults for argument in ("--fault", fault)]
        out = tmp_path / f"{role}{code}"
        assert main(["demo", "--pack", str(started), "--role", role, "--out", str(out), *arguments]) == code


def test_a_new_pack_overwrites_nothing(started: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", "new", str(started)]) == 11
    assert "not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("schemas/messages.xsd", 'type="xs:dateTime"', 'type="xs:nothing"', "messages.xsd"),
        ("golden/question.xml", "<Subject>S-000001</Subject>", "", "question.xml:1 (/Subject)"),
        ("messages.yaml", "      subject: Subject", "      subject: Topic", "(messages/Question/bind/subject)"),
        ("scenarios/question.yaml", "exchange: Question", "exchange: Quest", "question.yaml:9"),
        (
            "scenarios/question.yaml",
            "    to: answerer",
            '    to: answerer\n    answer: {error: "101"}',
            "the life-cycle table says accepted",
        ),
        ("requirements.yaml", "requirements:\n", NEW, "no case tests the requirement R-NEW"),
        ("pack.yaml", "\nparties:\n", CLERK, "nothing is demanded of the role clerk"),
        ("scenarios/question.yaml", "    to: answerer\n", BROKEN, "no case shows that asker does right"),
        ("faults.yaml", "hook: accept-signature", "hook: look-away", "faults.yaml:3 (faults/accepts-unsigned)"),
        ("golden/question.xml", "</Question>", "", "golden/question.xml:6: the message cannot be parsed"),
        ("schemas/messages.xsd", "</xs:schema>", "", "the schema cannot be parsed"),
        ("schemas/messages.xsd", "<xs:element ", '<xs:include schemaLocation="gone.xsd"/><xs:element ', "'gone.xsd'"),
        ("constraints.yaml", "constraints:\n", RULE, "'Sent' is no place of Question"),
        ("constraints.yaml", "constraints:\n", RULE.replace("Sent,", "'S[[',"), "constraints.yaml:3 (rules"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line(
    started: Path, file: str, old: str, new: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (started / file).read_text()
    assert old in text
    (started / file).write_text(text.replace(old, new, 1))
    capsys.readouterr()
    assert main(["pack", "check", str(started)]) == 11
    printed = capsys.readouterr()
    assert told in " ".join(f"{printed.out} {printed.err}".split())
    faults = [line for line in printed.out.splitlines() if line.startswith("wrong: ")]
    assert len(faults) == len(set(faults))
    assert all(str(started) in line for line in faults)


@pytest.mark.parametrize(
    "mistakes",
    [
        [  # of the notation, in several files
            ("messages.yaml", "title: ", "titel: "),
            ("faults.yaml", "hook: ", "hok: "),
            ("requirements.yaml", "level: MUST", "level: MIGHT"),
        ],
        [  # names that no table has
            ("lifecycle.yaml", "requirement: ", "requirement: X-"),
            ("faults.yaml", "requirement: ", "requirement: X-"),
            ("security.yaml", "requirement: ", "requirement: X-"),
        ],
        [  # in one scenario
            ("scenarios/question.yaml", "exchange: Question", "exchange: Quest"),
            ("scenarios/question.yaml", "requirements: [", "requirements: [X-NONE, "),
        ],
    ],
)
def test_everything_that_can_be_told_is_told_at_once(
    started: Path, mistakes: list[tuple[str, str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    places = set()
    for file, old, new in mistakes:
        lines = (started / file).read_text("utf-8").splitlines()
        places |= {f"{started / file}:{number}" for number, line in enumerate(lines, 1) if old in line}
        (started / file).write_text("\n".join(line.replace(old, new) for line in lines) + "\n", "utf-8")
    capsys.readouterr()
    assert main(["pack", "check", str(started)]) == 11
    *told, last = capsys.readouterr().out.splitlines()
    assert {each.removeprefix("wrong: ").partition(" ")[0] for each in told} == places
    assert last.startswith(f"{len(told)} wrong in ")


def test_what_is_wrong_everywhere_is_told_in_bounds(started: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = "  S{}: {{level: MUST, bearer: nobody, group: G, text: T., effect: E., source: 'assumed: a test'}}\n"
    with (started / "requirements.yaml").open("a", encoding="utf-8") as file:
        file.writelines(entry.format(number) for number in range(150))
    capsys.readouterr()
    assert main(["pack", "check", str(started)]) == 11
    *told, more, last = capsys.readouterr().out.splitlines()
    assert (len(told), more) == (100, "... and 50 more")
    assert last.startswith("150 wrong in ")


def test_what_is_not_tested_is_asked_when_the_rest_is_right(started: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (started / "scenarios" / "question.yaml").write_text("steps: [", "utf-8")
    capsys.readouterr()
    assert main(["pack", "check", str(started)]) == 11
    assert "no case tests" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["new", "My Pack"], "'My Pack' cannot be the id of a pack"),
        (["import", "nowhere", "--extends", "etir-4.3"], "nowhere: there is no such folder"),
        (["import", ".", "--extends", "etir-4.3", "--out", "My Pack"], "'My Pack' cannot be the id of a pack"),
        (["import", ".", "--extends", "etir-4.3", "--out", "none", "--again"], "there is no overlay in this folder"),
        (["import", ".", "--extends", "etir-4.4"], "Did you mean 'etir-4.3'?"),
        (["import", ".", "--extends", LETTERS], "letters/pack.yaml: the pack letters is not XML"),
    ],
)
def test_a_wrong_call_is_told(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["pack", *arguments]) == 11
    assert told in " ".join(capsys.readouterr().err.split()).replace("\\", "/")
    assert list(tmp_path.iterdir()) == []


def test_a_whole_pack_of_json_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    main(["pack", "check", str(NEIGHBOURS)])
    wrong = [line for line in capsys.readouterr().out.splitlines() if line.startswith("wrong: ")]
    assert [line for line in wrong if "no case tests the requirement" not in line] == []


def test_an_import_and_what_is_open_in_it(started: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = tmp_path / "files"
    shutil.copytree(started / "schemas", files)
    text = (
        (files / "messages.xsd").read_text().replace("urn:example:mine", "urn:official").replace('"Subject"', '"Topic"')
    )
    (files / "messages.xsd").write_text(text)
    out = tmp_path / "official"
    assert main(["pack", "import", str(files), "--extends", str(started), "--out", str(out)]) == 10
    assert "2 of 2 messages found, 1 things open" in capsys.readouterr().out
    assert main(["pack", "check", str(out)]) == 10
    assert "open: Question: Subject" in capsys.readouterr().out
    bundle = tmp_path / "bundle"
    assert main(["demo", "--pack", str(out), "--role", "answerer", "--out", str(bundle)]) == 10
    assert "unmapped: Question (Subject)" in capsys.readouterr().err
    messages = (out / "messages.yaml").read_text()
    (out / "messages.yaml").write_text(messages.replace('Subject: "?"', "Subject: Topic"))
    assert main(["pack", "check", str(out)]) == 0
