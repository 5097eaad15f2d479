"""Attacks on a bundle: each is refused, and for the right reason.

The first table needs no key: whoever holds the bundle can try it. In the second the attacker has the trusted key, so
that only the content can give the bundle away. The third is about archives.
"""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from small_run import START, small_run

from harness.bundle import files
from harness.bundle.files import STATEMENT, inventory, write_zip
from harness.bundle.statement import make_statement, sign
from harness.bundle.verify import verify_bundle
from harness.bundle.write import write_bundle
from harness.host import WINDOWS
from harness.record.strict import dumps, loads
from harness.security.statement_key import SigningKey, key_id, spki

AT = START + timedelta(days=30)
STRANGER = SigningKey(ed25519.Ed25519PrivateKey.generate())


@dataclass(frozen=True)
class Scene:
    """What an attacker has: a copy of a bundle, another bundle, and perhaps the key of the signer."""

    folder: Path
    other: Path
    key: SigningKey

    def path(self, name: str) -> Path:
        return self.folder / name

    def edit(self, name: str, old: bytes, new: bytes) -> None:
        data = self.path(name).read_bytes()
        assert old in data
        self.path(name).write_bytes(data.replace(old, new, 1))

    def take(self, name: str) -> None:
        """Take a file from the other bundle."""
        assert self.path(name).read_bytes() != (self.other / name).read_bytes()
        shutil.copyfile(self.other / name, self.path(name))

    def envelope(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the envelope, written as the tool writes it."""
        envelope = json.loads(self.path(STATEMENT).read_bytes())
        change(envelope)
        self.path(STATEMENT).write_bytes(json.dumps(envelope, indent=1).encode() + b"\n")

    def payload(self, old: str, new: str) -> None:
        """Change what was signed, and leave the signature."""

        def change(envelope: dict[str, Any]) -> None:
            text = base64.b64decode(envelope["payload"]).decode()
            assert old in text
            envelope["payload"] = base64.b64encode(text.replace(old, new, 1).encode()).decode()

        self.envelope(change)

    def restate(
        self,
        record: Callable[[dict[str, Any]], object] = lambda record: None,
        statement: Callable[[dict[str, Any]], object] = lambda statement: None,
        key: SigningKey | None = None,
    ) -> None:
        """Change record and statement, and sign everything again."""
        said = loads(self.path("record.json").read_bytes(), "record.json")
        record(said)
        self.path("record.json").write_bytes(dumps(said))
        content = make_statement(said, inventory(self.folder), demo=False)
        statement(content)
        self.path(STATEMENT).write_bytes(sign(content, [key or self.key]))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, key: SigningKey) -> Path:
    """A bundle of another run by the same signer."""
    run = small_run(tmp_path_factory.mktemp("other"), challenge="0123456789abcdef", token="0123456789abcdef")
    write_bundle(run.folder, run.plan, run.pack, run.record(), [key])
    return run.folder


@pytest.fixture
def scene(copied: Callable[[], Path], other: Path, key: SigningKey) -> Scene:
    return Scene(copied(), other, key)


def reasons(path: Path, key: SigningKey) -> str:
    verification = verify_bundle(path, [key.public], AT)
    assert verification.exit_code == 13
    assert verification.statement is None
    return "\n".join(part.text for part in verification.parts if part.outcome == "invalid")


def twice(scene: Scene) -> None:
    scene.edit(STATEMENT, b' "payload":', b' "payload": "e30=",\n "payload":')


def another_key_beside_the_signature(envelope: dict[str, Any]) -> None:
    envelope["signatures"][0]["publicKey"] = base64.b64encode(spki(STRANGER.public)).decode()


def another_key_and_its_id(envelope: dict[str, Any]) -> None:
    another_key_beside_the_signature(envelope)
    envelope["signatures"][0]["keyid"] = key_id(STRANGER.public)


def link(scene: Scene) -> None:
    shutil.copyfile(scene.path("record.json"), scene.other.parent / "elsewhere.json")
    scene.path("record.json").unlink()
    scene.path("record.json").symlink_to(scene.other.parent / "elsewhere.json")


def linked_folder(scene: Scene) -> None:
    shutil.rmtree(scene.path("evidence"))
    scene.path("evidence").symlink_to(scene.other / "evidence", target_is_directory=True)


def moved(scene: Scene) -> None:
    scene.path("derived/junit.xml").rename(scene.path("derived/JUnit.xml"))


WITHOUT_KEY: dict[str, tuple[Callable[[Scene], object], str]] = {
    "evidence of another run": (lambda s: s.take("evidence/events.jsonl"), "evidence/events.jsonl was changed"),
    "messages of another run": (lambda s: s.take("evidence/messages-0001.bin"), "messages-0001.bin was changed"),
    "report of another run": (lambda s: s.take("derived/report.html"), "derived/report.html was changed"),
    "record of another run": (lambda s: s.take("record.json"), "record.json was changed"),
    "plan of another run": (lambda s: s.take("plan.json"), "plan.json was changed"),
    "statement of another run": (lambda s: s.take(STATEMENT), "record.json was changed"),
    "evidence removed": (lambda s: s.path("evidence/messages-0001.bin").unlink(), "messages-0001.bin is missing"),
    "all evidence removed": (lambda s: shutil.rmtree(s.path("evidence")), "evidence/events.jsonl is missing"),
    "statement removed": (lambda s: s.path(STATEMENT).unlink(), "statement.dsse.json is missing"),
    "extra file": (lambda s: s.path("derived/note.txt").write_text("psst"), "derived/note.txt is not in the statement"),
    "hidden extra file": (lambda s: s.path(".note").write_text("psst"), ".note is not in the statement"),
    "file renamed": (moved, "derived/junit.xml is missing"),
    "two files swapped": (
        lambda s: (s.path("x").write_bytes(b""), s.path("record.json").replace(s.path("x")),
                   s.path("plan.json").replace(s.path("record.json")), s.path("x").replace(s.path("plan.json"))),
        "record.json was changed",
    ),
    "downgraded pack": (
        lambda s: s.edit("pack/suites/neighbours/requirements.yaml", b"level: MUST", b"level: MAY"),
        "requirements.yaml was changed",
    ),
    "verdict changed": (lambda s: s.edit("record.json", b'"verdict": "', b'"verdict": "x'), "record.json was changed"),
    "validity changed in the record": (lambda s: s.edit("record.json", b'"until": "2', b'"until": "3'), "was changed"),
    "validity changed in the statement": (lambda s: s.payload('"until":"20', '"until":"21'), "is not valid"),
    "other kind of payload": (
        lambda s: s.envelope(lambda e: e.update(payloadType="text/plain")), "not in the expected form at payloadType"
    ),
    "signatures removed": (lambda s: s.envelope(lambda e: e.update(signatures=[])), "expected form at signatures"),
    "signature repeated": (
        lambda s: s.envelope(lambda e: e["signatures"].append(e["signatures"][0])), "has signed the statement twice"
    ),
    "names twice in the envelope": (twice, "the name 'payload' stands twice"),
    "envelope laid out otherwise": (lambda s: s.edit(STATEMENT, b"\n ", b"\n  "), "not written the way this tool"),
    "another key beside the signature": (
        lambda s: s.envelope(another_key_beside_the_signature), "a key id that is not the id of the key beside it"
    ),
    "another key and its id": (lambda s: s.envelope(another_key_and_its_id), "is not valid: the statement was changed"),
    "signed again by another key": (lambda s: s.restate(key=STRANGER), "not signed by a trusted key"),
}  # fmt: skip
LINKS: dict[str, tuple[Callable[[Scene], object], str]] = {
    "link in place of a file": (link, "record.json is a link"),
    "link in place of a folder": (linked_folder, "evidence is a link"),
    "pipe": (lambda s: os.mkfifo(s.path("derived/pipe")), "derived/pipe is a link or a special file"),
}


@pytest.mark.parametrize("name", WITHOUT_KEY)
def test_an_attack_without_the_key_is_refused(name: str, scene: Scene) -> None:
    attack, reason = WITHOUT_KEY[name]
    attack(scene)
    assert reason in reasons(scene.folder, scene.key)


@pytest.mark.skipif(WINDOWS, reason="only on systems with symbolic links for everybody")
@pytest.mark.parametrize("name", LINKS)
def test_links_are_refused(name: str, scene: Scene) -> None:
    attack, reason = LINKS[name]
    attack(scene)
    assert reason in reasons(scene.folder, scene.key)


def another_verdict(record: dict[str, Any]) -> None:
    record["verdict"] = "conformant" if record["verdict"] != "conformant" else "not conformant"


def changed(scene: Scene, name: str, old: bytes, new: bytes) -> None:
    scene.edit(name, old, new)
    scene.restate()


def names_twice(scene: Scene) -> None:
    record = loads(scene.path("record.json").read_bytes(), "record.json")
    scene.edit("record.json", b'"verdict":', b'"verdict": "conformant",\n"verdict":')
    statement = make_statement(record, inventory(scene.folder), demo=False)
    scene.path(STATEMENT).write_bytes(sign(statement, [scene.key]))


def taken(scene: Scene, *names: str) -> None:
    for name in names:
        scene.take(name)
    scene.restate()


def listed_as(name: str) -> Callable[[Scene], None]:
    def attack(scene: Scene) -> None:
        scene.restate(statement=lambda each: each["subject"].append({"name": name, "digest": {"sha256": "0" * 64}}))

    return attack


WITH_KEY: dict[str, tuple[Callable[[Scene], object], str]] = {
    "another verdict": (lambda s: s.restate(another_verdict), "not what the evidence gives: it differs at /verdict"),
    "another count": (lambda s: s.restate(lambda r: r["counts"].update(passed=99)), "differs at /counts/passed"),
    "longer validity": (
        lambda s: s.restate(lambda r: r["validity"].update(until="2099-01-01T00:00:00.000000Z")),
        "Expected: at most 365 days",
    ),
    "earlier validity": (
        lambda s: s.restate(lambda r: r["validity"].update({"from": "2020-01-01T00:00:00.000000Z"})),
        "Expected: at most 365 days",
    ),
    "evidence that is not known again, as if by another tool": (
        lambda s: s.restate(lambda r: (r["tool"].update(version="9.9"), r.update(evidence=[]))), "differs at /evidence"
    ),
    "no word of what is known again, as if by another tool": (
        lambda s: s.restate(lambda r: (r["tool"].update(version="9.9"), r.pop("evidence"))), "differs at /evidence"
    ),
    "a case spared by hand kept silent, as if by another tool": (
        lambda s: s.restate(
            lambda r: r["tool"].update(version="9.9"), lambda e: e["predicate"]["plan"].pop("spared")
        ),
        "do not say the same about plan",
    ),
    "a younger message, as if by another tool": (
        lambda s: s.restate(
            lambda r: (r["tool"].update(version="9.9"), r["observed"].update(last="2026-12-01T09:00:00.000000Z"))
        ),
        "differs at /observed/last",
    ),
    "a validity where nothing holds": (
        lambda s: s.restate(lambda r: r.update(on_waivers=False, waivers=[])), "not what the evidence gives"
    ),
    "a verdict that never runs out": (
        lambda s: s.restate(lambda r: r.update(verdict="conformant", validity={"from": "", "until": ""})),
        "not what the evidence gives",
    ),
    "validity of the statement alone": (
        lambda s: s.restate(statement=lambda e: e["predicate"]["validity"].update(until="2099-01-01T00:00:00Z")),
        "do not say the same about validity",
    ),
    "a case left out": (lambda s: s.restate(lambda r: r["cases"].pop()), "differs at /cases"),
    "a waiver that nobody gave": (lambda s: s.restate(lambda r: r["waivers"].append({"case": "x"})), "at /waivers"),
    "a word of the reason": (lambda s: s.restate(lambda r: r["cases"][0].update(reason="Fine.")), "at /cases/0/reason"),
    "another seed": (lambda s: s.restate(lambda r: r["plan"].update(seed=8)), "differs at /plan/seed"),
    "names twice in the record": (names_twice, "stands twice"),
    "downgraded pack": (
        lambda s: changed(s, "pack/suites/neighbours/requirements.yaml", b"level: MUST", b"level: MAY"),
        "the pack of the bundle is not the one of the run",
    ),
    "evidence of another run": (
        lambda s: taken(s, "evidence/events.jsonl", "evidence/messages-0001.bin"), "not what the evidence gives"
    ),
    "plan of another run": (lambda s: taken(s, "plan.json"), "differs at /plan/environment"),
    "event removed": (
        lambda s: changed(s, "evidence/events.jsonl", s.path("evidence/events.jsonl").read_bytes().splitlines(True)[3],
                          b""),
        "the log is damaged",
    ),
    "message changed": (
        lambda s: changed(s, "evidence/messages-0001.bin", b"XA26AB", b"XA26AC"), "evidence was changed"
    ),
    "masked view changed": (
        lambda s: changed(s, "view/messages.jsonl", b"[redacted]", b"Mr Nobody"),
        "view/messages.jsonl is not what the evidence gives: it differs in line",
    ),
    "report changed": (
        lambda s: changed(s, "derived/report.html", b"</main>", b"<p>Issued by an authority.</p></main>"),
        "derived/report.html is not what the record gives",
    ),
    "a report of one's own": (
        lambda s: (s.path("derived/note.html").write_text("Issued by an authority."), s.restate()),
        "derived/note.html is none of our reports",
    ),
    "a report left out": (
        lambda s: (s.path("derived/junit.xml").unlink(), s.restate()), "derived/junit.xml is missing"
    ),
    "a name that leaves the bundle": (listed_as("../../outside"), "'../../outside' is not allowed"),
    "an absolute name": (listed_as("/etc/passwd"), "'/etc/passwd' is not allowed"),
    "a name of another system": (listed_as("C:\\x"), "is not allowed in a bundle"),
    "two names that differ by case": (listed_as("RECORD.json"), "stands twice in the bundle"),
    "another pack's name": (
        lambda s: changed(s, "plan.json", b'"id": "open-neighbours"', b'"id": "../neighbours"'),
        "does not hold the pack",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WITH_KEY)
def test_an_attack_with_the_key_is_refused(name: str, scene: Scene) -> None:
    attack, reason = WITH_KEY[name]
    attack(scene)
    assert reason in reasons(scene.folder, scene.key)


def entry(archive: Path, name: str, data: bytes = b"x", mode: int = 0o100644) -> None:
    with zipfile.ZipFile(archive, "a") as file:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        file.writestr(info, data)


def flagged_as_encrypted(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    archive.write_bytes(data)


ARCHIVES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a name that leaves the bundle": (lambda a: entry(a, "../outside"), "'../outside' is not allowed"),
    "an absolute name": (lambda a: entry(a, "/tmp/outside"), "'/tmp/outside' is not allowed"),
    "a link": (lambda a: entry(a, "derived/link", b"/etc/passwd", 0o120777), "derived/link is a link"),
    "an encrypted entry": (flagged_as_encrypted, "is encrypted"),
    "too many bytes": (lambda a: entry(a, "derived/big", bytes(10_000_000)), "is larger than a bundle may be"),
    "an extra entry": (lambda a: entry(a, "derived/extra"), "derived/extra is not in the statement"),
    "cut off": (lambda a: a.write_bytes(a.read_bytes()[:-40]), "the zip cannot be read"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_with_a_trick_is_refused(
    name: str, bundle: Path, key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 9_000_000)
    archive = tmp_path / "b.zip"
    write_zip(bundle, archive)
    attack, reason = ARCHIVES[name]
    attack(archive)
    assert reason in reasons(archive, key)
    assert not (tmp_path / "outside").exists()


def test_an_archive_with_one_name_twice_is_refused(bundle: Path, key: SigningKey, tmp_path: Path) -> None:
    archive = tmp_path / "b.zip"
    write_zip(bundle, archive)
    with pytest.warns(UserWarning, match="Duplicate name"):
        entry(archive, "record.json")
    assert "'record.json' stands twice in the bundle" in reasons(archive, key)


def altered_bytes(folder: Path, key: SigningKey, seed: int, count: int) -> None:
    chance = random.Random(seed)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in paths]
    for number in range(count):
        path = folder / STATEMENT if number % 4 == 0 else chance.choices(paths, sizes)[0]
        data = path.read_bytes()
        place = chance.randrange(len(data))
        path.write_bytes(data[:place] + bytes([data[place] ^ chance.randrange(1, 256)]) + data[place + 1 :])
        try:
            found = reasons(folder, key)
        finally:
            path.write_bytes(data)
        if path.name != STATEMENT:
            assert f"{path.relative_to(folder).as_posix()} was changed" in found
        else:
            assert "statement" in found.lower(), (place, found)


def test_a_changed_byte_is_found(scene: Scene) -> None:
    altered_bytes(scene.folder, scene.key, 1, 30)


@pytest.mark.nightly
def test_two_hundred_changed_bytes_are_found(scene: Scene) -> None:
    altered_bytes(scene.folder, scene.key, 2, 200)
