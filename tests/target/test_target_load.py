"""Target files: what is read, and what is said about a wrong one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.errors import ConfigurationFault, Where
from harness.host import WINDOWS, write_private
from harness.target.load import check_target, find_pack_of, load_target
from harness.target.model import CommandControl, HttpControl, NoControl

TARGET = """\
sut: {authority: Customs, product: Transit, version: "1"}
role: customs
positions: [departure]
facts:
  country: UZ
  positions:
    departure: {office: UZTAS001}
endpoints: {url: https://sut.example/c2c/}
certificates: {tls: [ca.pem]}
identities: keys
control:
  type: none
"""


def write(folder: Path, text: str, name: str = "target.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def changed(old: str, new: str) -> str:
    assert old in TARGET
    return TARGET.replace(old, new)


def test_a_small_target_has_defaults(tmp_path: Path) -> None:
    target = load_target(write(tmp_path, TARGET))
    assert target.facts == {"": {"country": "UZ"}, "departure": {"office": "UZTAS001"}}
    assert target.endpoint("departure") == "https://sut.example/c2c"
    assert target.certificates.signatures == (tmp_path / "ca.pem",)
    assert (target.max_in_flight, target.setup, target.assurance) == (1, "drive", "self-declaration")
    assert target.ics.messages is None
    assert isinstance(target.control, NoControl)
    assert not target.test_keys


def test_ics_and_ixit_from_files_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, "messages: {I9: true, I11: false}\n", "ics.yaml")
    write(tmp_path, "pools: {holders: [A, B]}\ntimers: {answer: 20s}\n", "ixit.yaml")
    target = load_target(write(tmp_path, TARGET + "ics: ics.yaml\nixit: ixit.yaml\n"))
    assert target.ics.messages == ("I9",)
    assert target.ics.denied == ("I11",)
    assert target.ixit.pools == {"holders": ("A", "B")}
    assert target.ixit.timers == {"answer": timedelta(seconds=20)}


def test_ics_in_the_target_file(tmp_path: Path) -> None:
    target = load_target(write(tmp_path, TARGET + "ics:\n  messages: {I9: true}\n"))
    assert target.ics.messages == ("I9",)


def test_control_over_http_keeps_the_token_out_of_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    control = "type: http\n  url: https://sut.example:8444/\n  token: {environment: C2C_TOKEN}"
    target = load_target(write(tmp_path, changed("type: none", control)))
    assert isinstance(target.control, HttpControl)
    monkeypatch.setenv("C2C_TOKEN", "very-secret")
    assert target.control.token.read() == "very-secret"
    assert "very-secret" not in repr(target)
    monkeypatch.delenv("C2C_TOKEN")
    with pytest.raises(ConfigurationFault, match=r"C2C_TOKEN holds no secret") as fault:
        target.control.token.read()
    assert fault.value.where is not None
    assert fault.value.where.line == 14


def test_a_secret_in_a_file_is_read_only_where_nobody_else_can(tmp_path: Path) -> None:
    control = "type: http\n  url: https://sut.example:8444/\n  token: {file: control.token}"
    target = load_target(write(tmp_path, changed("type: none", control)))
    assert isinstance(target.control, HttpControl)
    file = tmp_path / "control.token"
    write_private(file, b"very-secret\n")
    assert target.control.token.read() == "very-secret"
    file.chmod(0o644)
    if WINDOWS:  # where modes do not say it
        assert target.control.token.read() == "very-secret"
        return
    with pytest.raises(ConfigurationFault, match="other users of this computer can read the secret") as fault:
        target.control.token.read()
    assert fault.value.where == Where(file)
    assert f"chmod 600 {file}" in str(fault.value.remedy)


def test_control_by_command(tmp_path: Path) -> None:
    control = "type: command\n  arguments: [python, adapter.py]\n  timeout: 5s"
    target = load_target(write(tmp_path, changed("type: none", control)))
    assert target.control == CommandControl(("python", "adapter.py"), timedelta(seconds=5))


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (changed("role:", "rol:"), 2, "'role'"),
        (changed("https://sut", "http://sut"), 8, "https://"),
        (changed("type: none", "type: manual"), 12, "http, command, guided, none"),
        (changed("type: none", "type: http\n  url: https://a"), 11, "token"),
        (changed("type: none", "type: http\n  url: https://a\n  token: hunter2"), 14, "a mapping"),
        (changed("type: none", "type: none\n  url: https://a"), 13, "url"),
        (changed("tls: [ca.pem]", "tls: []"), 9, "empty"),
        (TARGET + "max_in_flight: 0\n", 13, "0"),
        (TARGET + "ics:\n  messages: {I9: yes}\n", 14, "true or false"),
        (TARGET + "ixit: {timer: {answer: 1s}}\n", 13, "timers"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigurationFault, match=says) as fault:
        load_target(write(tmp_path, text))
    assert fault.value.where is not None
    assert fault.value.where.line == line


def test_a_missing_ics_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match=r"ics\.yaml"):
        load_target(write(tmp_path, TARGET + "ics: ics.yaml\n"))


def test_an_answer_is_never_left_out_alone(tmp_path: Path) -> None:
    target = load_target(write(tmp_path, TARGET + "ics:\n  messages: {I9: true, I10: false}\n"))
    with pytest.raises(ConfigurationFault, match="it goes with its request"):
        check_target(target, pack_named("etir-4.3"))


def test_an_unknown_pack_is_shown_in_the_target_file(tmp_path: Path) -> None:
    target = load_target(write(tmp_path, TARGET + "pack: no-such-pack\n"))
    with pytest.raises(ConfigurationFault, match=r"target\.yaml:\d+ \(pack\): there is no pack"):
        find_pack_of(target, None)
    with pytest.raises(ConfigurationFault, match=r"^there is no pack 'other'"):
        find_pack_of(target, "other")
