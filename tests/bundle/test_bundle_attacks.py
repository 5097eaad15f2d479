"""Attacks on a bundle: each is refused, and for the right reason.

The first table needs no key: whoever holds the bundle can try it. In the second the attacker has the trusted key, so
that only the content can give the bundle away. The third is about archives.
"""

from __future__ import annotations

import base64
import io
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
from harness.bundle.agree import check_predicate
from harness.bundle.files import STATEMENT, inventory, write_zip
from harness.bundle.statement import make_statement, sign
from harness.bundle.verify import verify_bundle
from harness.bundle.write import write_bundle
from harness.errors import BundleFault
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

    def add(self, name: str, data: bytes) -> None:
        self.path(name).parent.mkdir(exist_ok=True, parents=True)
        self.path(name).write_bytes(data)

    def rewrite(self, name: str, change: Callable[[bytes], bytes]) -> None:
        data = self.path(name).read_bytes()
        assert change(data) != data
        self.path(name).write_bytes(change(data))

    def line(self, number: int, change: Callable[[bytes], bytes]) -> None:
        """Change one line of the log."""
        lines = self.path("evidence/events.jsonl").read_bytes().splitlines(keepends=True)
        lines[number] = change(lines[number])
        self.path("evidence/events.jsonl").write_bytes(b"".join(lines))

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


def respelled(scene: Scene) -> None:
    """Bits of the last digit that no byte needs."""

    def change(envelope: dict[str, Any]) -> None:
        digits = envelope["signatures"][0]["sig"]
        assert digits.endswith("==")
        envelope["signatures"][0]["sig"] = f"{digits[:-3]}{chr(ord(digits[-3]) + 1)}=="

    scene.envelope(change)


def signature_of_something_else(scene: Scene) -> None:
    other = json.loads(sign({"_type": "something else"}, [scene.key]))
    scene.envelope(lambda envelope: envelope.update(signatures=other["signatures"]))


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
    "a mark of the order of bytes before the envelope": (
        lambda s: s.rewrite(STATEMENT, lambda data: b"\xef\xbb\xbf" + data), "is not valid JSON"
    ),
    "a space behind the envelope": (
        lambda s: s.rewrite(STATEMENT, lambda data: data + b" "), "not written the way this tool"
    ),
    "other line ends in the envelope": (
        lambda s: s.rewrite(STATEMENT, lambda data: data.replace(b"\n", b"\r\n")), "not written the way this tool"
    ),
    "a key id in capitals": (
        lambda s: s.envelope(lambda e: e["signatures"][0].update(keyid=e["signatures"][0]["keyid"].upper())),
        "not in the expected form at signatures/0/keyid",
    ),
    "a signature in another spelling": (respelled, "not canonical Base64"),
    "something more in the envelope": (
        lambda s: s.envelope(lambda e: e.update(note="Official.")), "'note' was unexpected"
    ),
    "a name beside the signature": (
        lambda s: s.envelope(lambda e: e["signatures"][0].update(name="Ministry")), "'name' was unexpected"
    ),
    "a signature by the same key on something else": (signature_of_something_else, "is not valid: the statement was"),
    "a sealed part that is none": (
        lambda s: (shutil.rmtree(s.path("evidence")), s.add("sealed/evidence.p7m", b"\x30\x03\x02\x01\x00")),
        "the sealed part is no CMS envelope",
    ),
    "a sealed part beside the evidence": (
        lambda s: s.add("sealed/evidence.p7m", b"\x30\x80"), "sealed/evidence.p7m is not in the statement"
    ),
    "a name that ends with a dot": (
        lambda s: s.add("derived/report.html.", b"x"), "'derived/report.html.' is not allowed in a bundle"
    ),
    "an empty folder among the reports": (
        lambda s: s.path("derived/more").mkdir(), "derived/more is none of our reports"
    ),
    "a folder in place of the statement": (
        lambda s: (s.path(STATEMENT).unlink(), s.path(STATEMENT).mkdir()), "statement.dsse.json cannot be read"
    ),
    "nothing at all": (lambda s: (shutil.rmtree(s.folder), s.folder.mkdir()), "not signed or not complete"),
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
    "a file that is listed twice": (
        lambda s: s.restate(statement=lambda e: e["subject"].append(dict(e["subject"][0]))), "twice"
    ),
    "a digest in capitals": (
        lambda s: s.restate(statement=lambda e: e["subject"][0]["digest"].update(sha256="A" * 64)),
        "not in the expected form at subject/0/digest/sha256",
    ),
    "a second digest beside the first": (
        lambda s: s.restate(statement=lambda e: e["subject"][0]["digest"].update(sha512="0" * 128)), "'sha512' was un"
    ),
    "no files listed": (lambda s: s.restate(statement=lambda e: e.update(subject=[])), "at subject: [] should be"),
    "another kind of predicate": (
        lambda s: s.restate(statement=lambda e: e.update(predicateType="https://slsa.dev/provenance/v1")),
        "not in the expected form at predicateType",
    ),
    "reports that may be detached": (
        lambda s: s.restate(statement=lambda e: e["predicate"].update(detachable=["evidence/", "derived/"])),
        "not in the expected form at predicate/detachable",
    ),
    "an issuer that the run does not know": (
        lambda s: s.restate(statement=lambda e: e["predicate"].update(issuer="An authority")),
        "do not say the same about issuer",
    ),
    "a page of one's own": (
        lambda s: (s.add("README.html", b"Official."), s.restate()), "README.html belongs to no part of a bundle"
    ),
    "a page of one's own in the view": (
        lambda s: (s.add("view/note.jsonl", b"{}"), s.restate()), "view/note.jsonl belongs to no part of a bundle"
    ),
    "another pack beside that of the run": (
        lambda s: (s.add("pack/suites/other/pack.yaml", b"id: other"), s.restate()),
        "pack/suites/other/pack.yaml belongs to no part of a bundle",
    ),
    "one more file in the pack": (
        lambda s: (s.add("pack/suites/neighbours/note.yaml", b"x: 1"), s.restate()), "pack of the bundle is not the one"
    ),
    "half a line behind the end of the log": (
        lambda s: (s.rewrite("evidence/events.jsonl", lambda data: data + b'{"seq":99,"kind":"no'), s.restate()),
        "behind the end of the run, events.jsonl goes on with half a line",
    ),
    "names twice in an event": (
        lambda s: (s.line(5, lambda line: line.replace(b'{"seq"', b'{"kind":"lag","seq"', 1)), s.restate()),
        "is not written the way this tool writes it",
    ),
    "one more word in an event": (
        lambda s: (s.line(5, lambda line: line.replace(b'{"seq"', b'{"note":1,"seq"', 1)), s.restate()),
        "the log is damaged: this line is not the event",
    ),
    "an event without its end": (lambda s: (s.line(-1, lambda _: b""), s.restate()), "not what the evidence gives"),
    "bytes before the first message": (
        lambda s: (s.rewrite("evidence/messages-0001.bin", lambda data: b"hidden\n" + data), s.restate()),
        "evidence is missing",
    ),
    "lines of the view in another order": (
        lambda s: (s.rewrite("view/messages.jsonl", lambda data: b"".join(reversed(data.splitlines(keepends=True)))),
                   s.restate()),
        "it differs in line 1",
    ),
    "a comment in a report": (
        lambda s: changed(s, "derived/junit.xml", b"<testsuites", b"<!-- Fine. --><testsuites"),
        "derived/junit.xml is not what the record gives",
    ),
    "bytes behind the summary": (
        lambda s: (s.rewrite("derived/summary.pdf", lambda data: data + b"%"), s.restate()),
        "derived/summary.pdf is not what the record gives",
    ),
    "another pack's name": (
        lambda s: changed(s, "plan.json", b'"id": "open-neighbours"', b'"id": "../neighbours"'),
        "does not hold the pack",
    ),
}  # fmt: skip


def other_record(change: Callable[[dict[str, Any]], object]) -> Callable[[Scene], None]:
    """Sign a record that is none, under a statement about the right one."""

    def attack(scene: Scene) -> None:
        right = loads(scene.path("record.json").read_bytes(), "record.json")
        wrong = dict(right)
        change(wrong)
        scene.path("record.json").write_bytes(dumps(wrong))
        scene.path(STATEMENT).write_bytes(sign(make_statement(right, inventory(scene.folder), demo=False), [scene.key]))

    return attack


NO_RECORD: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "without cases": (lambda r: r.pop("cases"), "record.json is not a record, at $: 'cases' is a required property"),
    "cases of another kind": (lambda r: r.update(cases=7), "record.json is not a record, at $.cases: 7 is not of type"),
    "a waiver that is none": (lambda r: r.update(waivers=3), "record.json is not a record, at $.waivers"),
}


@pytest.mark.parametrize("name", NO_RECORD)
def test_a_record_that_is_none_is_refused_in_words(name: str, scene: Scene) -> None:
    change, reason = NO_RECORD[name]
    other_record(change)(scene)
    assert reason in reasons(scene.folder, scene.key)


def test_a_record_of_another_version_is_refused_with_what_it_lacks(scene: Scene) -> None:
    record = json.loads((scene.folder / "record.json").read_bytes())
    del record["plan"]["by_hand"]
    with pytest.raises(BundleFault, match=r"not one that this version can read: KeyError\('by_hand'\)"):
        check_predicate({"demo": False}, record)


def test_bytes_that_no_event_speaks_of_are_told(scene: Scene) -> None:
    """A crash can leave them: so they are no reason to refuse the bundle."""
    before = verify_bundle(scene.folder, [scene.key.public], AT)
    scene.add("evidence/messages-0002.bin", b"nobody looked at this")
    scene.restate()
    after = verify_bundle(scene.folder, [scene.key.public], AT)
    assert (before.exit_code, after.exit_code) == (0, 0)
    told = [(part.name, part.outcome, part.text.split()[0]) for part in after.parts if "belong to none" in part.text]
    assert told == [("files", "not proved", "21")]
    assert not [part for part in before.parts if "belong to none" in part.text]


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


def one_file() -> bytes:
    """A zip with one file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("record.json", b"{}")
    return made.getvalue()


ARCHIVES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a name that leaves the bundle": (lambda a: entry(a, "../outside"), "'../outside' is not allowed"),
    "an absolute name": (lambda a: entry(a, "/tmp/outside"), "'/tmp/outside' is not allowed"),
    "a link": (lambda a: entry(a, "derived/link", b"/etc/passwd", 0o120777), "derived/link is a link"),
    "an encrypted entry": (flagged_as_encrypted, "is encrypted"),
    "too many bytes": (lambda a: entry(a, "derived/big", bytes(10_000_000)), "is larger than a bundle may be"),
    "an extra entry": (lambda a: entry(a, "derived/extra"), "derived/extra is not in the statement"),
    "cut off": (lambda a: a.write_bytes(a.read_bytes()[:-40]), "the zip cannot be read"),
    "no zip": (lambda a: a.write_bytes(b"hello"), "the zip cannot be read"),
    "a name that goes round": (lambda a: entry(a, "./record.json"), "'./record.json' is not allowed"),
    "a name with two slashes": (lambda a: entry(a, "evidence//events.jsonl"), "is not allowed in a bundle"),
    "a name with a stroke back": (lambda a: entry(a, "derived\\x"), "is not allowed in a bundle"),
    "a folder with bytes of its own": (lambda a: entry(a, "derived/folder/"), "is not allowed in a bundle"),
    "a device": (lambda a: entry(a, "derived/device", b"", 0o020644), "derived/device is a link or a special file"),
    "a program before it": (lambda a: a.write_bytes(b"MZ" + a.read_bytes()), "before its first or behind its last"),
    "bytes behind it": (lambda a: a.write_bytes(a.read_bytes() + b"x"), "before its first or behind its last"),
    "a comment": (lambda a: a.write_bytes(a.read_bytes()[:-2] + b"\1\0x"), "before its first or behind its last"),
    "another archive behind it": (
        lambda a: a.write_bytes(a.read_bytes() + one_file()),
        "before its first or behind its last",
    ),
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
