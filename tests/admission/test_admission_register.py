"""The register: the same behaviour in SQLite and PostgreSQL, its status list, its page, and the way to it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree, html

from harness.admission.admit import in_register
from harness.admission.model import Certificate
from harness.admission.page import make_pages
from harness.admission.policy import Submission
from harness.admission.status import ask, make_status_list, must_continue, sign_status_list
from harness.admission.store import Register, entry, open_register
from harness.bundle.verify import Verification, verify_bundle
from harness.cli.main import main
from harness.errors import BundleFault, ConfigurationFault
from harness.evidence.clock import stamp
from harness.host import write_private
from harness.security.statement_key import SigningKey, key_id, load_public_keys, public_pem

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = SigningKey(ed25519.Ed25519PrivateKey.generate())
ONE = Certificate(
    id="0123456789abcdef",
    statement="sha256:" + "0" * 64,
    word="admitted with waivers",
    authority="Ministry <of> Finance",
    product="Ōmi & Co",
    version="3.1",
    role="customs",
    positions=("transit",),
    pack="p 1",
    waivers=("start-twice@transit",),
    issued="2026-03-01T12:00:00.000000Z",
    until="2027-03-01T12:00:00.000000Z",
    tester="T",
    reviewer="R",
    policy="p-1 sha256:0",
    evidence=("sha256:" + "a" * 64, "sha256:" + "b" * 64),
)
TWO = replace(
    ONE,
    id="fedcba9876543210",
    statement="sha256:" + "1" * 64,
    issued="2026-03-02T12:00:00.000000Z",
    until="2027-03-02T12:00:00.000000Z",
    evidence=(),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A register that is not there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "register.db")
    import psycopg

    server, database = request.getfixturevalue("postgresql"), f"test{abs(hash(tmp_path))}"
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}".encode())
    return str(server.format(database))


@pytest.fixture
def register(name: str) -> Iterator[Register]:
    """A register with two certificates."""
    with open_register(name) as register:
        for each in (TWO, ONE):
            register.add(each, entry(each.id, AT, "admitted", "R", "policy p-1"))
        yield register


def test_what_is_entered_is_kept(register: Register, name: str) -> None:
    with open_register(name) as again:
        assert again.certificates() == [ONE, TWO] or [c.to_json() for c in again.certificates()] == [
            json.loads(json.dumps(each.to_json())) for each in (ONE, TWO)
        ]
        assert again.status(ONE, AT)[0] == "valid"
        assert again.status(ONE, AT + timedelta(days=366))[0] == "expired"
        assert [each.action for each in again.history(ONE.id)] == ["admitted"]


def test_a_history_is_only_added_to(register: Register) -> None:
    for days, action, status in ((1, "suspended", "suspended"), (2, "resumed", "valid"), (3, "revoked", "revoked")):
        register.note(entry(ONE.id, AT + timedelta(days=days), action, "R", f"{action}: why"))  # type: ignore[arg-type]
        assert register.status(ONE, AT)[0] == status
    assert [each.action for each in register.history(ONE.id)] == ["admitted", "suspended", "resumed", "revoked"]
    assert register.status(TWO, AT)[0] == "valid"


@pytest.mark.parametrize(
    ("before", "action"),
    [
        ((), "resumed"),
        (("suspended",), "suspended"),
        (("revoked",), "resumed"),
        (("revoked",), "suspended"),
        ((), "admitted"),
    ],
)
def test_what_does_not_follow_is_refused(register: Register, before: tuple[str, ...], action: str) -> None:
    for each in before:
        register.note(entry(ONE.id, AT, each, "R", "why"))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationFault, match=f"cannot be {action}"):
        register.note(entry(ONE.id, AT, action, "R", "why"))  # type: ignore[arg-type]
    assert len(register.history(ONE.id)) == 1 + len(before)


def test_nothing_is_entered_twice_and_nothing_unknown_is_found(register: Register) -> None:
    with pytest.raises(ConfigurationFault, match="in the register already"):
        register.add(ONE, entry(ONE.id, AT, "admitted", "R", ""))
    assert len(register.history(ONE.id)) == 1
    with pytest.raises(ConfigurationFault, match="there is no certificate 'x'"):
        register.get("x")
    with pytest.raises(ConfigurationFault, match="there is no certificate 'x'"):
        register.note(entry("x", AT, "revoked", "R", ""))


LATE = "2027-05-01T12:00:00.000000Z"


def test_evidence_is_known_again_under_another_id(register: Register) -> None:
    again = replace(ONE, id="0" * 16, statement="sha256:" + "2" * 64, until=LATE)
    for shared in ONE.evidence:
        grown = replace(again, evidence=(shared, "sha256:" + "c" * 64))
        found = register.known(grown.id, grown.evidence, grown.until)
        assert found is not None
        assert found.id == ONE.id
        with pytest.raises(ConfigurationFault, match=f"certificate {ONE.id} of the same evidence is in the register"):
            register.add(grown, entry(grown.id, AT, "admitted", "R", ""))
    other = replace(again, evidence=("sha256:" + "c" * 64,))
    assert register.known(other.id, other.evidence, other.until) is None
    register.add(other, entry(other.id, AT, "admitted", "R", ""))
    assert len(register.certificates()) == 3


def test_an_entry_of_an_older_version_is_known_by_the_microsecond_at_which_it_ends(register: Register) -> None:
    evidence = ("sha256:" + "c" * 64,)
    found = register.known("0" * 16, evidence, TWO.until)
    assert found is not None
    assert found.id == TWO.id
    assert register.known("0" * 16, evidence, TWO.until.replace(".000000Z", ".000001Z")) is None


@pytest.mark.parametrize(
    ("finished", "evidence", "words"),
    [
        ("2026-03-02T12:00:00.000000Z", "c", f"as certificate {TWO.id}, which was revoked on {stamp(AT)}: Its key."),
        ("2026-04-02T12:00:00.000000Z", "b", f"as certificate {ONE.id}, which is suspended since {stamp(AT)}: Why."),
        ("2026-04-02T12:00:00.000000Z", "c", "does not know this evidence yet"),
    ],
)
def test_admission_asks_the_register_for_evidence_and_for_the_end_of_the_run(
    finished: str, evidence: str, words: str, register: Register
) -> None:
    register.note(entry(TWO.id, AT, "revoked", "R", "Its key."))
    register.note(entry(ONE.id, AT, "suspended", "R", "Why."))
    record = {"evidence": ["sha256:" + evidence * 64], "finished": finished}
    outcome = in_register(register, Submission(Verification(True, 0, ()), record, digest="sha256:" + "9" * 64), AT)
    assert words in outcome.text
    assert outcome.met == ("does not know" in words)


def test_a_register_of_an_older_version_goes_on(name: str) -> None:
    """Before, there was no table of evidence, and entries did not name theirs."""
    content = json.dumps({key: value for key, value in TWO.to_json().items() if key != "evidence"})
    with open_register(name) as register:
        register._run("DROP TABLE evidence")
        register._run("INSERT INTO certificate VALUES (?, ?)", TWO.id, content)
        register._append(entry(TWO.id, AT, "admitted", "R", ""))
        register.connection.commit()
    with open_register(name) as register:
        assert [each.id for each in register.certificates()] == [TWO.id]
        register.note(entry(TWO.id, AT, "revoked", "R", "why"))
        assert register.status(register.get(TWO.id), AT)[0] == "revoked"
        new = replace(ONE, until=LATE)
        register.add(new, entry(new.id, AT, "admitted", "R", ""))
        assert register.known("0" * 16, ONE.evidence, "") is not None
        listed = make_status_list(register, "Operator", AT, timedelta(days=7))["certificates"]
        assert [len(each["evidence"]) for each in listed] == [2, 0]


def test_a_list_knows_evidence_that_was_admitted_as_it_was_judged_before(register: Register) -> None:
    register.note(entry(ONE.id, AT, "revoked", "R", "Its key was published."))
    data = sign_status_list(make_status_list(register, "Operator", AT, timedelta(days=7)), KEY)
    answer = ask(data, "sha256:" + "9" * 64, [KEY.public], AT, ONE.evidence[:1])
    assert not answer.good
    assert "not in the list" in answer.lines[1]
    assert f"{ONE.id}: admitted with waivers, revoked (Its key was published.)" in answer.lines[2]
    with pytest.raises(ConfigurationFault, match="knows no certificate"):
        ask(data, "sha256:" + "9" * 64, [KEY.public], AT, ["sha256:" + "c" * 64])


def test_valid_evidence_of_another_statement_is_not_good(register: Register) -> None:
    data = sign_status_list(make_status_list(register, "Operator", AT, timedelta(days=7)), KEY)
    assert ask(data, ONE.statement, [KEY.public], AT, ONE.evidence).good
    assert not ask(data, "sha256:" + "9" * 64, [KEY.public], AT, ONE.evidence).good


@pytest.mark.parametrize(
    ("statement", "values", "words"),
    [
        ("DELETE FROM history WHERE certificate = ?", (TWO.id,), "lines of the history are missing; 1 of 2"),
        ("UPDATE history SET action = 'resumed' WHERE certificate = ?", (ONE.id,), "lines of the history are missing"),
        ("UPDATE certificate SET content = ? WHERE id = ?", ("{}", ONE.id), f"the entry {ONE.id} is not what"),
        ("UPDATE certificate SET content = '[' WHERE id = ?", (ONE.id,), f"the entry {ONE.id} is not what"),
        (
            "UPDATE certificate SET content = ? WHERE id = ?",
            (json.dumps(TWO.to_json()), ONE.id),
            "is not what this tool",
        ),
        (
            "UPDATE certificate SET content = ? WHERE id = ?",
            (json.dumps({**ONE.to_json(), "until": "for ever"}), ONE.id),
            f"the entry {ONE.id} is not what",
        ),
    ],
)
def test_a_register_that_was_changed_by_hand_is_refused_by_name(
    statement: str, values: tuple[str, ...], words: str, register: Register
) -> None:
    register._run(statement, *values)
    with pytest.raises(ConfigurationFault, match=words):
        make_status_list(register, "Operator", AT, timedelta(days=7))


def test_what_a_list_told_cannot_be_taken_out_unseen(register: Register) -> None:
    register.note(entry(TWO.id, AT, "suspended", "R", "Under inquiry."))
    data = sign_status_list(make_status_list(register, "Operator", AT, timedelta(days=7)), KEY)
    assert "lines then 3, added since 0." in must_continue(register, data, [KEY.public])
    register.note(entry(TWO.id, AT, "revoked", "R", "Its key was published."))
    assert "lines then 3, added since 1." in must_continue(register, data, [KEY.public])
    with pytest.raises(BundleFault, match="not signed by a trusted key"):
        must_continue(register, data, [SigningKey(ed25519.Ed25519PrivateKey.generate()).public])


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM history WHERE number = 3", "it has 2 lines, and had 3 on"),
        ("UPDATE history SET reason = 'A mistake.' WHERE number = 3", "its first 3 lines are not those of"),
        ("UPDATE certificate SET content = REPLACE(content, '2027', '2099')", "its first 3 lines are not those of"),
    ],
)
def test_the_last_line_of_a_register_is_missed(statement: str, words: str, register: Register) -> None:
    register.note(entry(TWO.id, AT, "suspended", "R", "Under inquiry."))
    data = sign_status_list(make_status_list(register, "Operator", AT, timedelta(days=7)), KEY)
    before = register.head()
    register._run(statement)
    assert register.head() != before
    with pytest.raises(ConfigurationFault, match=words):
        must_continue(register, data, [KEY.public])


def test_a_list_of_an_older_version_says_nothing_about_the_register(register: Register) -> None:
    document = make_status_list(register, "Operator", AT, timedelta(days=7))
    del document["history"]
    with pytest.raises(ConfigurationFault, match="does not say how much"):
        must_continue(register, sign_status_list(document, KEY), [KEY.public])


def test_a_register_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_bytes(b"this is no database, but long enough to be looked at" * 40)
    for name, words in (
        (str(tmp_path / "no.db"), "cannot be used"),
        (str(tmp_path / "none" / "x.db"), "cannot be used"),
        ("mysql://x/y", "no such kind"),
        ("postgresql://u:secret@host/db", "password does not belong"),
    ):
        with pytest.raises(ConfigurationFault, match=words) as caught, open_register(name):
            pass
        assert "secret" not in str(caught.value)


def test_an_offline_answer_says_how_old_it_is(register: Register) -> None:
    register.note(entry(TWO.id, AT, "revoked", "R", "Its key was published."))
    data = sign_status_list(make_status_list(register, "Operator", AT, timedelta(days=7)), KEY)
    good = ask(data, ONE.id, [KEY.public], AT + timedelta(days=3))
    assert good.good
    assert good.lines[0] == f"Signed by trusted key {key_id(KEY.public)}."
    assert "admitted with waivers, valid" in good.lines[1]
    assert "3 days old" in good.lines[2]
    assert "less than an hour" in ask(data, ONE.statement, None, AT).lines[2]
    anybody = ask(data, ONE.id, None, AT + timedelta(days=3))
    assert "NOT checked" in anybody.lines[0]
    assert (anybody.lines[1:], anybody.good) == (good.lines[1:], False)
    revoked = ask(data, TWO.id, [KEY.public], AT)
    assert not revoked.good
    assert "revoked (Its key was published.)" in revoked.lines[1]
    overdue = ask(data, ONE.id, [KEY.public], AT + timedelta(days=8))
    assert not overdue.good
    assert "was due" in overdue.lines[3]
    late = ask(data, ONE.id, None, AT + timedelta(days=400))
    assert "expired" in late.lines[1]


def test_a_list_that_was_changed_or_signed_by_another_is_refused(register: Register) -> None:
    data = sign_status_list(make_status_list(register, "Operator", AT, timedelta(days=7)), KEY)
    other = SigningKey(ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(BundleFault, match="not signed by a trusted key"):
        ask(data, ONE.id, [other.public], AT)
    with pytest.raises(BundleFault, match="statement"):
        ask(data.replace(b'"sig": "', b'"sig": "A', 1), ONE.id, None, AT)
    with pytest.raises(ConfigurationFault, match="knows no certificate"):
        ask(data, "x", None, AT)


def test_the_public_page_shows_every_certificate_and_its_badge(register: Register) -> None:
    register.note(entry(TWO.id, AT, "suspended", "R", "Under inquiry."))
    pages = make_pages(register, "Operator", AT)
    page = html.document_fromstring(pages["index.html"])
    assert page.get("lang") == "en"
    rows = page.xpath("//tbody/tr")
    assert len(rows) == 2
    assert "Ministry <of> Finance" in rows[0].text_content()
    assert "suspended since" in rows[1].text_content()
    assert "Under inquiry." in rows[1].text_content()
    for image in page.xpath("//img"):
        badge = etree.fromstring(pages[image.get("src")])
        assert image.get("alt") in "".join(badge.itertext())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A conformant bundle; not to be changed."""
    folder = tmp_path_factory.mktemp("demo")
    assert main(["demo", "--role", "holder", "--out", str(folder / "bundle")]) == 0
    return folder / "bundle"


def signer(folder: Path, name: str) -> tuple[Path, str]:
    private = ed25519.Ed25519PrivateKey.generate()
    file = folder / f"{name}.pem"
    write_private(file, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.with_suffix(".pub.pem").write_bytes(public_pem(private.public_key()))
    return file, key_id(private.public_key())


def test_the_way_of_an_operator(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(demo, bundle)
    reviewer, reviewer_id = signer(tmp_path, "reviewer")
    tester, other_id = signer(tmp_path, "tester")
    tester_id = key_id(load_public_keys(demo.with_name("bundle.pub.pem"))[0])
    record = json.loads((bundle / "record.json").read_bytes())
    pack = {"id": record["pack"]["id"], "versions": [record["pack"]["version"]]}
    policy = {
        "policy": "region-2026",
        "pack": pack,
        "mandatory": ["nominal-movement@*"],
        "maximum_age": 30,
        "test_keys": True,
        "signers": [
            {"name": "Ministry", "part": "tester", "key": tester_id},
            {"name": "Ministry", "part": "tester", "key": other_id},
            {"name": "Operator", "part": "reviewer", "key": reviewer_id},
        ],
    }
    rules, register, public = tmp_path / "policy.yaml", str(tmp_path / "register.db"), tmp_path / "public"
    rules.write_text(json.dumps(policy))

    assert main(["admit", str(bundle), "--policy", str(rules)]) == 1  # nobody reviews
    assert "NOT MET  reviewer" in capsys.readouterr().out
    arguments = ["admit", str(bundle), "--policy", str(rules), "--register", register, "--key", str(reviewer)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "admitted: certificate " in printed
    certificate = printed.rpartition("admitted: certificate ")[2].split(",")[0]
    verification = verify_bundle(bundle, load_public_keys(reviewer.with_suffix(".pub.pem")), datetime.now(UTC))
    assert verification.exit_code == 0
    assert len(verification.signers) == 2

    assert main(arguments) == 1
    assert f"as certificate {certificate}, which is valid until" in capsys.readouterr().out
    assert main(["register", "list", "--register", register]) == 0
    assert f"{certificate}  valid" in capsys.readouterr().out
    status_list = tmp_path / "status.dsse.json"
    export = ["register", "export", "--register", register, "--operator", "O", "--key", str(reviewer)]
    assert main([*export, "--out", str(status_list)]) == 0
    question = ["register", "status", str(bundle), "--list", str(status_list)]
    question += ["--trust", str(reviewer.with_suffix(".pub.pem"))]
    assert main(question) == 0
    assert "less than an hour old" in capsys.readouterr().out
    why = ["--reason", "Its key was published.", "--person", "B. Reviewer", "--register", register]
    assert main(["register", "revoke", certificate, *why]) == 0
    assert main(["register", "suspend", certificate, *why]) == 11
    check = ["register", "check", "--register", register, "--list", str(status_list)]
    check += ["--trust", str(reviewer.with_suffix(".pub.pem"))]
    assert main(check) == 0
    assert "lines then 1, added since 1." in capsys.readouterr().out
    assert main([*export, "--out", str(status_list)]) == 0
    shutil.copyfile(register, tmp_path / "shortened.db")
    with closing(sqlite3.connect(tmp_path / "shortened.db")) as connection:
        connection.execute("DELETE FROM history WHERE number = 2")
        connection.commit()
    shortened = [each if each != register else str(tmp_path / "shortened.db") for each in (*export, "--out")]
    assert main([*shortened, str(status_list)]) == 11
    assert "it has 1 lines, and had 2 on" in capsys.readouterr().err
    assert main(question) == 10
    assert "revoked (Its key was published.)" in capsys.readouterr().out
    assert main(["register", "history", certificate, "--register", register]) == 0
    assert "B. Reviewer: Its key was published." in capsys.readouterr().out
    assert main(["register", "page", "--register", register, "--operator", "O", "--out", str(public)]) == 0
    assert (public / "badges" / f"{certificate}.svg").is_file()
    assert main(["register", "list", "--register", register, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.rpartition("index.html\n")[2])
    assert [each["status"] for each in answer] == ["revoked"]
    with closing(sqlite3.connect(register)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM history").fetchone() == (2,)

    judged_again = tmp_path / "again"
    shutil.copytree(demo, judged_again)
    for part in ("derived", "view"):
        shutil.rmtree(judged_again / part)
    for part in ("record.json", "statement.dsse.json"):
        (judged_again / part).unlink()
    plan = (judged_again / "plan.json").read_bytes()
    (judged_again / "plan.json").write_bytes(
        plan.replace(b'"assurance": "self-declaration"', b'"assurance": "witnessed"')
    )
    assert main(["judge", str(judged_again), "--key", str(tester)]) == 0
    assert main(["admit", str(judged_again), *arguments[2:]]) == 1
    printed = capsys.readouterr().out
    assert (
        f"NOT MET  register      This evidence was admitted before, as certificate {certificate}, which was" in printed
    )
    assert "Its key was published. Make a new run." in printed
    assert printed.count("NOT MET") == 1
    assert main(["admit", str(judged_again), "--policy", str(rules), "--register", register]) == 1
    assert "NOT MET  register" in capsys.readouterr().out
    assert main(["register", "status", str(judged_again), *question[3:]]) == 10
    assert "judged before, as certificate" in capsys.readouterr().out
    assert main(["admit", str(judged_again), "--policy", str(rules), "--register", str(tmp_path / "none.db")]) == 1
    assert not (tmp_path / "none.db").exists()


def test_an_altered_bundle_is_not_admitted(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(demo, bundle)
    (bundle / "derived" / "junit.xml").write_bytes(b"<testsuites/>")
    reviewer, reviewer_id = signer(tmp_path, "reviewer")
    rules = tmp_path / "policy.yaml"
    signers = f"signers: [{{name: O, part: reviewer, key: {reviewer_id}}}]"
    rules.write_text(f"policy: p\npack: {{id: p, versions: ['1']}}\n{signers}\n")
    register = tmp_path / "register.db"
    arguments = ["--policy", str(rules), "--key", str(reviewer), "--register", str(register)]
    assert main(["admit", str(bundle), *arguments]) == 13
    assert "derived/junit.xml was changed" in capsys.readouterr().out
    with open_register(str(register)) as opened:
        assert opened.certificates() == []
