"""Attacks on a small bundle, and what the verifier says about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from small_run import START, small_run

from harness.bundle import rejudge
from harness.bundle.agree import check_claims
from harness.bundle.files import inventory, write_zip
from harness.bundle.rejudge import first_difference
from harness.bundle.statement import countersign, make_statement, sign
from harness.bundle.verify import Verification, verify_bundle
from harness.bundle.write import write_bundle
from harness.check import registry
from harness.cli.main import main
from harness.errors import BundleFault, ConfigurationFault, HarnessFault
from harness.evidence.store import digest_of
from harness.pack.data import known_packs
from harness.pack.layers import Base, find_installed
from harness.pack.load import load_pack
from harness.record.strict import dumps, loads
from harness.report.derive import DERIVED
from harness.report.facts import facts
from harness.security.issue import Draft, make_certificate, new_key
from harness.security.keys import to_pem
from harness.security.pki import TestPki
from harness.security.statement_key import SigningKey, generate_demo_key, load_public_keys, load_signing_key

AT = START + timedelta(days=30)
Copy = Callable[[], Path]


def verify(path: Path, *keys: SigningKey, at: datetime = AT) -> Verification:
    return verify_bundle(path, [key.public for key in keys] or None, at)


def refusal(path: Path, *keys: SigningKey) -> str:
    """The reasons for which a bundle is refused."""
    verification = verify(path, *keys)
    assert not verification.ok
    assert verification.exit_code == 13
    return "\n".join(line for line in verification.lines if line.startswith("INVALID: "))


def signed_again(
    folder: Path, key: SigningKey, change: Callable[[dict[str, Any]], object] = lambda record: None
) -> None:
    """Sign a changed bundle so that only the content can give it away."""
    record = loads((folder / "record.json").read_bytes(), "record.json")
    change(record)
    (folder / "record.json").write_bytes(dumps(record))
    statement = make_statement(record, inventory(folder), demo=False)
    (folder / "statement.dsse.json").write_bytes(sign(statement, [key]))


def test_a_pack_with_another_content_than_the_installed_one_is_told(
    bundle: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = loads((bundle / "record.json").read_bytes(), "record.json")
    own = {each["id"]: Base(each["id"], each["version"], each["digest"]) for each in record["pack"]["bases"]}
    own["open-neighbours"] = Base("open-neighbours", "1.0", record["pack"]["digest"])
    cases: list[tuple[Base | None, str, str]] = [
        (own["open-neighbours"], "proved", "is the one that comes with this harness"),
        (replace(own["open-neighbours"], digest="sha256:00"), "not proved", "ANOTHER CONTENT"),
        (replace(own["open-neighbours"], version="1.1"), "not proved", "comes with version 1.1"),
        (None, "not proved", "does not come with this harness"),
    ]
    for installed, outcome, words in cases:
        found = own | {"open-neighbours": installed}
        monkeypatch.setattr("harness.bundle.agree.find_installed", found.get)
        verification = verify(bundle, key)
        assert verification.exit_code == 0, "it is told, and no more"
        pack, base = (part for part in verification.parts if part.name == "pack")
        assert (pack.outcome, words in pack.text) == (outcome, True), pack.text
        assert (base.outcome, "neighbours" in base.text) == ("proved", True)
    main(["verify", str(bundle), "--at", "2026-03-31T00:00:00Z", "--json"])
    parts = json.loads(capsys.readouterr().out)["parts"]
    assert [each["outcome"] for each in parts if each["part"] == "pack"] == ["not proved", "proved"]


CLAIMED = {"messages": {"arrival": True, "notice": False}}


@pytest.mark.parametrize(
    ("planned", "ics", "words"),
    [
        (("arrival",), CLAIMED, None),
        (None, {}, None),
        (None, {"messages": 7}, "no claims"),
        (None, CLAIMED, "all of the role, and arrival"),
        (("arrival", "notice"), CLAIMED, "arrival, notice, and arrival"),
        (("arrival",), {}, "arrival, and all of the role"),
    ],
)
def test_what_is_claimed_in_the_bundle_must_be_what_was_planned(
    planned: tuple[str, ...] | None, ics: dict[str, Any], words: str | None
) -> None:
    with pytest.raises(BundleFault, match=words) if words else nullcontext():
        check_claims(ics, planned, ())


@pytest.mark.parametrize(
    ("planned", "ics", "words"),
    [
        (("fallback",), {"procedures": {"fallback": True, "other": False}}, None),
        ((), {"procedures": {"fallback": False}}, None),
        (("fallback",), {}, "procedures: fallback, and none"),
        ((), {"procedures": {"fallback": True}}, "procedures: none, and fallback"),
        ((), {"procedures": ["fallback"]}, "no claims"),
    ],
)
def test_what_persons_work_by_the_bundle_must_be_what_was_planned(
    planned: tuple[str, ...], ics: dict[str, Any], words: str | None
) -> None:
    with pytest.raises(BundleFault, match=words) if words else nullcontext():
        check_claims(ics, None, planned)


def test_a_bundle_with_other_claims_than_its_plan_is_refused(copied: Copy, key: SigningKey) -> None:
    folder = copied()
    (folder / "ics.json").write_bytes(dumps({"messages": {"arrival": True}}))
    signed_again(folder, key)
    assert "plan.json and ics.json do not claim the same messages: all of the role, and arrival" in refusal(folder, key)


def test_the_pack_that_comes_with_the_harness_is_found() -> None:
    for name in known_packs():
        pack, found = load_pack(name), find_installed(name)
        assert found == Base(pack.id, pack.version, pack.digest)
    assert find_installed("no-such-pack") is None


def test_a_good_bundle_is_accepted(bundle: Path, key: SigningKey) -> None:
    verification = verify(bundle, key)
    assert verification.ok
    assert verification.exit_code == 0
    text = "\n".join(verification.lines)
    assert verification.lines[0].startswith("Signed by trusted key ")
    assert "the same record, byte for byte" in text
    assert "are the same, byte for byte" in text
    counts = loads((bundle / "record.json").read_bytes(), "record.json")["counts"]
    assert counts["passed"] > 0
    assert "required {required}, executed {executed}, passed {passed}".format(**counts) in text
    assert "cannot prove by itself" in text


def test_without_trusted_keys_the_first_line_says_so(bundle: Path) -> None:
    verification = verify(bundle)
    assert verification.ok
    assert verification.lines[0].startswith("The signer was NOT checked")


def test_the_zip_is_verified_like_the_folder(bundle: Path, key: SigningKey, tmp_path: Path) -> None:
    write_zip(bundle, tmp_path / "b.zip")
    assert verify(tmp_path / "b.zip", key).lines == verify(bundle, key).lines


def test_nothing_to_verify_is_a_fault_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match="there is no bundle"):
        verify(tmp_path / "none")


@pytest.mark.parametrize(("days", "code"), [(-1, 10), (1, 0), (364, 0), (366, 10)])
def test_out_of_date_is_not_invalid(days: int, code: int, bundle: Path, key: SigningKey) -> None:
    verification = verify(bundle, key, at=START + timedelta(days=days))
    assert (verification.exit_code, verification.ok) == (code, code == 0)
    assert any("NOT IN DATE" in line for line in verification.lines) == (code == 10)


def test_an_unknown_signer_is_refused(bundle: Path) -> None:
    stranger = SigningKey(ed25519.Ed25519PrivateKey.generate())
    assert "not signed by a trusted key" in refusal(bundle, stranger)


def test_a_bundle_signed_again_by_another_key_is_refused(copied: Copy, key: SigningKey) -> None:
    folder = copied()
    signed_again(folder, SigningKey(ed25519.Ed25519PrivateKey.generate()))
    assert "not signed by a trusted key" in refusal(folder, key)
    assert verify(folder).ok


def test_a_countersigned_bundle_names_both(copied: Copy, key: SigningKey) -> None:
    folder = copied()
    operator = SigningKey(ec.generate_private_key(ec.SECP384R1()))
    path = folder / "statement.dsse.json"
    path.write_bytes(countersign(path.read_bytes(), operator))
    assert verify(folder, operator).ok
    assert "Also signed by key" in verify(folder, operator).lines[1]
    assert "Also" not in "".join(verify(folder, key, operator).lines)


def test_a_demo_key_is_named_as_such(tmp_path: Path) -> None:
    run = small_run(tmp_path / "r")
    private, public = generate_demo_key(tmp_path / "keys")
    write_bundle(run.folder, run.plan, run.pack, run.record(), [load_signing_key(private)])
    verification = verify_bundle(run.folder, load_public_keys(public), AT)
    assert verification.ok
    assert any("TEST key" in line for line in verification.lines)


@pytest.mark.parametrize("marked", [True, False])
def test_a_run_with_certificates_for_tests_says_so_whoever_signs(tmp_path: Path, key: SigningKey, marked: bool) -> None:
    test, secret = TestPki.create(tmp_path / "pki", AT).root.certificate, new_key()
    real = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Customs of Imland")])
    draft = Draft(real, (AT, AT + timedelta(days=1)), authority=True)
    anchor = test if marked else make_certificate(draft, secret.public_key(), real, secret)
    run = small_run(tmp_path / "r")
    parameters = replace(run.plan.parameters, anchors=(to_pem((anchor,)).decode(),))
    run = replace(run, plan=replace(run.plan, parameters=parameters))
    write_bundle(run.folder, run.plan, run.pack, run.record(), [key])
    shown = verify(run.folder, key)
    assert shown.ok
    assert shown.statement is not None
    assert shown.statement["predicate"]["demo"] is marked
    signed_again(run.folder, key)
    if marked:
        assert "does not say that the run was made with TEST certificates" in refusal(run.folder, key)
    else:
        assert verify(run.folder, key).ok


def any_evidence(folder: Path) -> Path:
    return folder / "evidence" / "messages-0001.bin"


def test_many_problems_are_cut(copied: Copy) -> None:
    folder = copied()
    for number in range(50):
        (folder / f"x{number}").write_text("x")
    assert "and 30 more" in refusal(folder)


# From here on the attacker has a trusted key: only the content can give the bundle away.


def another_count(record: dict[str, Any]) -> None:
    record["counts"]["passed"] += 1


def test_a_changed_message_is_found_although_everything_is_signed_again(copied: Copy, key: SigningKey) -> None:
    folder = copied()
    victim = any_evidence(folder)
    victim.write_bytes(victim.read_bytes().replace(b"reference", b"Reference", 1))
    signed_again(folder, key)
    assert "evidence was changed" in refusal(folder, key)


def test_a_changed_message_under_its_own_digest_is_found_although_everything_is_signed_again(
    copied: Copy, key: SigningKey
) -> None:
    folder = copied()
    victim = any_evidence(folder)
    line, _, rest = victim.read_bytes().partition(b"\n")
    length = int(line.split()[1])
    message = rest[:length].replace(b"reference", b"Reference", 1)
    again = f"{digest_of(message)} {length}\n".encode()
    victim.write_bytes(again + message + rest[length:])
    signed_again(folder, key)
    assert "evidence is missing" in refusal(folder, key)


@pytest.mark.parametrize("name", ["note.txt", "messages-1.bin", "messages-0001.bin.part"])
def test_a_file_that_is_no_evidence_is_refused_among_it(copied: Copy, key: SigningKey, name: str) -> None:
    folder = copied()
    (folder / "evidence" / name).write_bytes(b"")
    signed_again(folder, key)
    assert f"evidence/{name} is no evidence" in refusal(folder, key)


def test_an_event_of_a_strange_form_is_refused_without_a_traceback(copied: Copy, key: SigningKey) -> None:
    folder = copied()
    log = folder / "evidence" / "events.jsonl"
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    for line in lines:
        line["data"].pop("role", None)
    log.write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines))
    signed_again(folder, key)
    assert "cannot be judged" in refusal(folder, key)


@pytest.mark.parametrize("problem", [KeyError("oops"), ZeroDivisionError("oops")])
def test_a_check_that_fails_is_our_fault_and_names_the_case(
    problem: Exception, bundle: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(subject: object) -> None:
        raise problem

    monkeypatch.setitem(registry.CHECKS, next(iter(registry.CHECKS)), failing)
    case = loads((bundle / "plan.json").read_bytes(), "plan.json")["cases"][0]["id"]
    with pytest.raises(HarnessFault, match=f"the case {case} could not be judged: {type(problem).__name__}"):
        verify(bundle, key)


def test_the_order_of_a_record_is_part_of_its_bytes(copied: Copy, key: SigningKey) -> None:
    def turned(record: dict[str, Any]) -> None:
        touched = record["cases"][0]["touched"]
        assert len(touched) > 1
        record["cases"][0]["touched"] = dict(reversed(touched.items()))

    folder = copied()
    signed_again(folder, key, turned)
    assert "differs at the order of its members" in refusal(folder, key)


def test_another_version_of_the_tool_compares_what_is_said(
    bundle: Path, copied: Copy, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejudge, "this_tool", lambda: {"name": "c2c-harness", "version": "9"})
    verification = verify(bundle, key)
    assert verification.ok
    assert sum("byte for byte" in line for line in verification.lines) == 3, "it said the same, and that is told"

    folder = copied()
    events, page = folder / "view" / "events.jsonl", folder / "derived" / "report.html"
    events.write_bytes(events.read_bytes().replace(b'"mono":', b'"mono":1'))
    page.write_bytes(page.read_bytes().replace(b"</body>", b" </body>"))
    signed_again(folder, key, lambda record: record["cases"][0].update(reason="In other words"))
    verification = verify(folder, key)
    assert verification.ok, verification.lines
    assert sum("another version of the tool" in line for line in verification.lines) == 2
    assert any("how they are masked was not compared" in line for line in verification.lines)


def test_another_version_still_finds_another_verdict(
    copied: Copy, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied()
    signed_again(folder, key, another_count)
    monkeypatch.setattr(rejudge, "this_tool", lambda: {"name": "c2c-harness", "version": "9"})
    assert "differs at /counts/passed" in refusal(folder, key)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("sut", "product"), "another product"),
        (("assurance",), "operator"),
        (("plan", "challenge"), "00112233"),
        (("plan", "seed"), 99),
        (("validity", "from"), "2028-01-01T00:00:00.000000Z"),
        (("waivers",), [{"case": "x", "state": "used", "cases": []}]),
        (("statuses", "failed"), 7),
    ],
)
def test_another_version_still_finds_another_fact(
    copied: Copy, key: SigningKey, monkeypatch: pytest.MonkeyPatch, place: tuple[str, ...], value: object
) -> None:
    def change(record: dict[str, Any]) -> None:
        *way, last = place
        for step in way:
            record = record[step]
        record[last] = value

    folder = copied()
    signed_again(folder, key, change)
    monkeypatch.setattr(rejudge, "this_tool", lambda: {"name": "c2c-harness", "version": "9"})
    verification = verify_bundle(folder, [key.public], AT)
    assert verification.exit_code == 13


def test_what_a_report_says_can_be_read_from_each_format(bundle: Path) -> None:
    record = loads((bundle / "record.json").read_bytes(), "record.json")
    for name in DERIVED:
        said = set(facts(name, (bundle / "derived" / name).read_bytes()))
        assert said
        if not name.startswith("summary."):
            assert {each for kind, each, _ in said if kind == "case"} == {case["id"] for case in record["cases"]}


def test_the_first_difference_is_named() -> None:
    assert first_difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}) is None
    assert first_difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == "/a/1/b"
    assert first_difference({"a": 1}, {}) == "/a"
    assert first_difference([1], [1, 2]) == "/"
    assert first_difference(1, True) == "/"


def test_a_run_that_was_cut_off_says_so(tmp_path: Path, key: SigningKey) -> None:
    run = small_run(tmp_path, unfinished=True)
    write_bundle(run.folder, run.plan, run.pack, run.record(), [key])
    verification = verify(run.folder, key)
    assert verification.ok
    assert any("not finished" in line for line in verification.lines)


@pytest.mark.parametrize("wrong", [{}, {"movement@import": "L03"}])
def test_where_nothing_is_found_conformant_nothing_runs_out(
    wrong: dict[str, str], tmp_path: Path, key: SigningKey
) -> None:
    run = small_run(tmp_path, wrong=wrong)
    record = run.record()
    assert record["validity"] == {"from": "", "until": ""}
    write_bundle(run.folder, run.plan, run.pack, record, [key])
    verification = verify(run.folder, key, at=datetime(2099, 1, 1, tzinfo=UTC))
    assert verification.exit_code == 0
    assert f"nothing until a day: what is {record['verdict']} does not run out" in verification.lines[-1]
    assert not any("holds until" in line.lower() for line in verification.lines)


def test_what_stands_on_waivers_holds_only_if_it_is_admitted(bundle: Path, key: SigningKey) -> None:
    assert "at most, and only if an operator admits it" in verify(bundle, key).lines[-1]


def test_a_record_in_another_notation_is_told_with_the_version_that_reads_it(copied: Copy, key: SigningKey) -> None:
    folder = copied()
    signed_again(folder, key, lambda record: record.update(schema="c2c-harness/record/2"))
    said = refusal(folder, key)
    assert "another notation" in said
    assert "Verify it with c2c-harness" in said
