"""Each rule of a policy: once met, once not."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from harness.admission.admit import until_of
from harness.admission.model import Certificate, Entry, Outcome, Policy, Signatory, status_of
from harness.admission.policy import Graded, Submission, apply_policy, load_policy
from harness.bundle.review import Signed
from harness.bundle.timestamp import Stamp
from harness.bundle.verify import Part, Verification
from harness.errors import ConfigurationFault
from harness.judge.model import Verdict
from harness.judge.review import Review
from harness.record.tool import this_tool
from harness.security.statement_key import key_id

AT = datetime(2026, 3, 11, tzinfo=UTC)
TESTER, REVIEWER = (ed25519.Ed25519PrivateKey.generate().public_key() for _ in range(2))
SIGNERS = (Signatory("Ministry", "tester", key_id(TESTER)), Signatory("Operator", "reviewer", key_id(REVIEWER)))
POLICY = Policy(
    name="p-1",
    digest="sha256:0",
    pack="p",
    versions=("1", "2"),
    signers=SIGNERS,
    digests=("sha256:aa",),
    roles=("customs",),
    positions=("transit",),
    mandatory=("start-*", "nominal@transit"),
    maximum_age=30,
    assurance=("witnessed",),
    challenge=True,
    waivers=("start-*", "R-9"),
    depth=("full", "exhaustive"),
    adopt_assumed=True,
    timers=("action",),
    unclaimed=("I13",),
    spared=("lifecycle-*",),
    signers_declared=True,
    revocation=True,
    uninterrupted=True,
    timestamp=True,
    annexes=("readiness",),
    same_tool=True,
    reproduction=True,
)
CHALLENGE = "0011223344556677"
PREDICATE: dict[str, Any] = {
    "verdict": "conformant",
    "demo": False,
    "sut": {"authority": "A", "product": "P", "version": "1", "signers": ["ab"]},
    "role": "customs",
    "positions": ["transit", "departure"],
    "pack": {"id": "p", "version": "1", "digest": "sha256:aa"},
    "plan": {
        "baseline": "TB-1",
        "challenge": CHALLENGE,
        "depth": "full",
        "adopt_assumed": True,
        "timers": {"action": {"pack": None, "run": 28800.0}},
        "unclaimed": ["I13"],
        "spared": ["lifecycle-1@transit"],
    },
    "assurance": "witnessed",
    "started": "2026-03-01T08:00:00+00:00",
    "finished": "2026-03-01T09:00:00+00:00",
    "resumed": [],
    "repeated": [],
}


def signed(revocation: str, *, trusted: bool = True) -> list[dict[str, Any]]:
    """The steps of a case in which the system signed something."""
    signature = {"trusted": trusted, "revocation": revocation}
    return [{"messages": [{"signature": signature}, {"signature": None}]}]


CASE = {"reason": "", "version": 1, "seconds": 1.0, "steps": signed("good")}
RECORD: dict[str, Any] = {
    "tool": this_tool(),
    "evidence": ["sha256:1", "sha256:2"],
    "observed": {"first": "2026-03-01T08:00:00+00:00", "last": "2026-03-01T09:00:00+00:00"},
    "verdict": "conformant",
    "reason": "All of it.",
    "complete": True,
    "on_waivers": False,
    "validity": {"from": "2026-03-01T09:00:00+00:00", "until": "2027-03-01T09:00:00+00:00"},
    "waivers": [],
    "cases": [
        {"id": "start-twice@transit", "verdict": "pass", **CASE},
        {"id": "nominal@transit", "verdict": "warning", **CASE},
    ],
    "requirements": [],
    "annexes": [{"pack": {"id": "readiness"}, "statuses": {"passed": 13, "passed with warning": 1}}],
}
STAMP = Stamp(key_id(TESTER), AT, checked=True)
FRESH = Part("freshness", "proved", "")
Change = Callable[[Submission], Submission]


def submission() -> Submission:
    first, second = copy.deepcopy(PREDICATE), copy.deepcopy(PREDICATE)
    second |= {"started": "2026-03-05T08:00:00+00:00", "finished": "2026-03-05T09:00:00+00:00"}
    verified = Verification(True, 0, (FRESH,), {"predicate": first}, (TESTER,), (STAMP,))
    again = Verification(True, 0, (FRESH,), {"predicate": second}, (REVIEWER,))
    first_record, second_record = copy.deepcopy(RECORD), copy.deepcopy(RECORD) | {"evidence": ["sha256:3"]}
    return Submission(verified, first_record, key_id(REVIEWER), again, second_record, challenge=CHALLENGE.upper())


def said(**more: Any) -> Change:
    return lambda each: replace(
        each, verification=replace(each.verification, statement={"predicate": {**each.predicate, **more}})
    )


def planned(**more: Any) -> Change:
    return said(plan={**PREDICATE["plan"], **more})


def recorded(**more: Any) -> Change:
    return lambda each: replace(each, record={**each.record, **more})


def verified(**more: Any) -> Change:
    return lambda each: replace(each, verification=replace(each.verification, **more))


def repeated(**more: Any) -> Change:
    def change(each: Submission) -> Submission:
        assert each.again is not None
        assert each.again.statement is not None
        other = {"predicate": {**each.again.statement["predicate"], **more}}
        return replace(each, again=replace(each.again, statement=other))

    return change


def seen_again(**more: Any) -> Change:
    def change(each: Submission) -> Submission:
        assert each.again is not None
        return replace(each, again=replace(each.again, **more))

    return change


def in_both_runs(**more: Any) -> Change:
    return lambda each: repeated(**more)(said(**more)(each))


def given(challenge: str | None) -> Change:
    return lambda each: replace(each, challenge=challenge)


def observed(first: str, last: str) -> Change:
    return recorded(observed={"first": first, "last": last})


def cases(steps: list[dict[str, Any]]) -> Change:
    return recorded(cases=[{**RECORD["cases"][0], "steps": steps}, *RECORD["cases"][1:]])


def answered(statuses: Mapping[str, int]) -> Change:
    return recorded(annexes=[{"pack": {"id": "readiness"}, "statuses": statuses}])


def waived(name: str, expires: str = "2026-12-31") -> Change:
    waiver = {"case": name, "state": "used", "cases": [name], "expires": expires}
    return recorded(on_waivers=True, verdict="not fully verified", waivers=[waiver])


def failed(each: Submission) -> Submission:
    return recorded(cases=[{**RECORD["cases"][0], "verdict": "fail"}, *RECORD["cases"][1:]])(each)


def shown_again(record: Mapping[str, Any]) -> Change:
    return lambda each: replace(each, again_record={**record, "evidence": ["sha256:3"]})


def repeated_on_waivers(each: Submission) -> Submission:
    """What passed in the first run is waived in the second."""
    return shown_again(waived("start-twice@transit")(failed(each)).record)(each)


def wrong(outcomes: tuple[Outcome, ...]) -> set[str]:
    return {each.rule for each in outcomes if not each.met}


def test_all_rules_are_met() -> None:
    outcomes = apply_policy(POLICY, submission(), AT)
    assert wrong(outcomes) == set()
    rules = (
        "bundle tool verdict pack roles positions mandatory maximum_age assurance challenge depth adopt_assumed timers"
    )
    rules += " unclaimed spared signers_declared revocation uninterrupted waivers annexes tester reviewer timestamp"
    rules += " reproduction"
    assert [each.rule for each in outcomes] == rules.split()


@pytest.mark.parametrize(
    ("rule", "change", "words"),
    [
        ("bundle", said(demo=True), "TEST key"),
        ("bundle", verified(ok=False, parts=(FRESH, Part("date", "not proved", "NOT IN DATE"))), "NOT IN DATE"),
        ("bundle", verified(parts=(FRESH, Part("judgement", "sealed", ""))), "sealed"),
        ("verdict", recorded(verdict="not conformant", reason="Failed: R."), "not conformant: Failed: R."),
        ("verdict", recorded(verdict="not fully verified"), "not fully verified"),
        ("verdict", recorded(complete=False), "not finished"),
        ("verdict", recorded(validity={"from": "", "until": "2026-03-10T00:00:00+00:00"}), "It held until 2026-03-10"),
        ("pack", said(pack={"id": "q", "version": "1", "digest": "sha256:aa"}), "q 1"),
        ("pack", said(pack={"id": "p", "version": "3", "digest": "sha256:aa"}), "p 3"),
        ("pack", said(pack={"id": "p", "version": "1", "digest": "sha256:bb"}), "another content"),
        ("roles", said(role="holder"), "holder"),
        ("positions", said(positions=["departure"]), "Not certified: transit"),
        ("mandatory", failed, "start-twice@transit is fail"),
        ("mandatory", recorded(cases=RECORD["cases"][1:]), "No case fits start-*"),
        ("maximum_age", observed("2026-01-01T08:00:00+00:00", "2026-01-01T09:00:00+00:00"), "68 days ago"),
        ("maximum_age", observed("2026-03-12T08:00:00+00:00", "2026-03-12T09:00:00+00:00"), "days ago"),
        ("maximum_age", observed("2026-01-01T09:00:00+00:00", "2026-03-10T09:00:00+00:00"), "began, and went on"),
        ("reproduction", repeated(plan={**PREDICATE["plan"], "depth": "quick"}), "Of the second run: The depth"),
        ("reproduction", repeated(repeated=["2026-03-05T08:30:00Z"]), "played again at 2026-03-05T08:30:00Z"),
        ("reproduction", repeated_on_waivers, "did not in the second: start"),
        ("assurance", said(assurance="self-declaration"), "self-declaration"),
        ("challenge", planned(challenge=None), "no challenge"),
        ("challenge", given("8899aabbccddeeff"), f"another challenge than the one that was given: {CHALLENGE}"),
        (
            "spared",
            planned(spared=["lifecycle-1@transit", "other@transit"]),
            "Not allowed by this policy: other@transit.",
        ),
        ("signers_declared", in_both_runs(sut={**PREDICATE["sut"], "signers": []}), "any key of its authority"),
        ("revocation", cases(signed("not checked")), "Of 2 trusted signatures of the system, 1 were held"),
        ("reproduction", recorded(evidence=["sha256:0", "sha256:3"]), "is the first one"),
        ("uninterrupted", said(resumed=["2026-03-01T08:30:00Z"]), "went on at 2026-03-01T08:30:00Z"),
        ("uninterrupted", said(repeated=["2026-03-02T08:00:00Z"]), "played again at 2026-03-02T08:00:00Z"),
        ("depth", planned(depth="quick"), "quick"),
        ("adopt_assumed", planned(adopt_assumed=False), "counted apart"),
        ("timers", planned(timers={"answer": {"pack": 20.0, "run": 90.5}}), "answer 20 s -> 90.5 s"),
        ("unclaimed", planned(unclaimed=["I13", "I7"]), "Not allowed by this policy: I7."),
        ("challenge", verified(parts=(Part("freshness", "not proved", "In 1 of the 2"),)), "In 1 of the 2"),
        ("waivers", waived("nominal@transit"), "Not allowed by this policy: nominal@transit"),
        ("annexes", recorded(annexes=[]), "The questions of readiness were not answered beside the run."),
        (
            "annexes",
            answered({"passed": 12, "not verified": 1, "failed": 1}),
            "met: not verified 1, failed 1. A reviewer",
        ),
        ("timestamp", verified(stamps=()), "has no time stamp"),
        ("timestamp", verified(stamps=(replace(STAMP, checked=False),)), "was not checked: give the authority (--tsa)"),
        ("timestamp", verified(stamps=(replace(STAMP, key=key_id(REVIEWER)),)), "has no time stamp"),
        (
            "tool",
            recorded(tool={**this_tool(), "version": "9.9"}),
            "another version of this tool made it: c2c-harness 9.9",
        ),
        (
            "tester",
            lambda each: replace(each, verification=replace(each.verification, signers=(REVIEWER,), stamps=())),
            "No tester",
        ),
        ("reviewer", lambda each: replace(each, reviewer=key_id(TESTER)), "Nobody who may review"),
        ("reproduction", lambda each: replace(each, again=None), "No second run"),
        ("reproduction", repeated(verdict="not conformant"), "another verdict"),
        ("reproduction", repeated(sut={"authority": "A", "product": "P", "version": "2"}), "another system"),
        ("reproduction", repeated(plan={"baseline": "TB-2"}), "another baseline"),
        ("reproduction", repeated(started=PREDICATE["started"]), "is the first one"),
        ("reproduction", repeated(demo=True), "TEST key"),
        ("reproduction", seen_again(parts=(Part("judgement", "sealed", ""),)), "is sealed"),
        ("reproduction", seen_again(ok=False, parts=(Part("date", "not proved", "NOT IN DATE"),)), "NOT IN DATE"),
        ("reproduction", lambda each: shown_again(failed(each).record)(each), "did not in the second: start"),
    ],
)
def test_each_rule_can_refuse(rule: str, change: Change, words: str) -> None:
    outcomes = apply_policy(POLICY, change(submission()), AT)
    assert wrong(outcomes) == {rule} | ({"timestamp"} if rule == "tester" else set())
    assert words in next(each.text for each in outcomes if each.rule == rule)


@pytest.mark.parametrize("how", ["resumed", "repeated"])
def test_the_age_of_a_run_in_parts_is_that_of_its_oldest_part(how: str) -> None:
    loose = replace(POLICY, uninterrupted=False)
    for began, refused in (("2026-03-01T08:00:00+00:00", set()), ("2026-01-01T08:00:00+00:00", {"maximum_age"})):
        in_parts = said(**{how: ["2026-03-01T08:30:00Z"]})(observed(began, RECORD["observed"]["last"])(submission()))
        assert wrong(apply_policy(loose, in_parts, AT)) == refused


def test_the_age_of_a_run_does_not_hang_on_when_its_log_says_that_it_ended() -> None:
    late = said(started="2026-03-10T08:00:00+00:00", finished="2026-03-10T09:00:00+00:00")
    old = observed("2026-01-01T08:00:00+00:00", "2026-01-01T09:00:00+00:00")
    assert wrong(apply_policy(POLICY, late(old(submission())), AT)) == {"maximum_age"}


def test_a_bundle_without_a_signature_shows_no_revocation() -> None:
    unsigned = cases(signed("not checked", trusted=False))(submission())
    assert wrong(apply_policy(POLICY, unsigned, AT)) == set()
    none = recorded(cases=[{**each, "steps": []} for each in RECORD["cases"]])(submission())
    assert wrong(apply_policy(POLICY, none, AT)) == {"revocation"}


def warned(outcomes: tuple[Outcome, ...]) -> dict[str, str]:
    return {each.rule: each.text for each in outcomes if each.warning}


def test_it_is_told_where_a_run_departs_and_the_policy_says_nothing() -> None:
    silent = replace(POLICY, timers=None, unclaimed=None, spared=None)
    outcomes = apply_policy(silent, submission(), AT)
    assert wrong(outcomes) == set()
    said_of = warned(outcomes)
    assert said_of.keys() == {"timers", "unclaimed", "spared"}
    assert "action none -> 28800 s" in said_of["timers"]
    plain = planned(timers={}, unclaimed=[], spared=[])
    assert warned(apply_policy(silent, plain(submission()), AT)) == {}


def test_a_challenge_that_was_not_compared_is_told() -> None:
    outcomes = apply_policy(POLICY, given(None)(submission()), AT)
    assert wrong(outcomes) == set()
    assert CHALLENGE in warned(outcomes)["challenge"]
    loose = replace(POLICY, challenge=False)
    assert "challenge" not in [each.rule for each in apply_policy(loose, given(None)(submission()), AT)]
    assert wrong(apply_policy(loose, given("8899aabbccddeeff")(submission()), AT)) == {"challenge"}


def test_a_bundle_that_says_that_another_tool_made_it_is_told() -> None:
    loose = replace(POLICY, same_tool=False)
    outcomes = apply_policy(loose, recorded(tool={**this_tool(), "version": "9.9"})(submission()), AT)
    assert wrong(outcomes) == set()
    assert "9.9" in warned(outcomes)["tool"]


def test_what_stands_on_a_waiver_that_has_expired_since_is_not_admitted() -> None:
    for expires, refused in (("2026-03-11", set()), ("2026-03-10", {"waivers"})):
        outcomes = apply_policy(POLICY, waived("start-twice@transit", expires)(failed(submission())), AT)
        assert wrong(outcomes) == refused
    assert "Expired since the run: start-twice@transit" in next(each.text for each in outcomes if not each.met)


def test_a_certificate_ends_with_the_first_waiver_on_which_it_stands() -> None:
    assert until_of(RECORD) == RECORD["validity"]["until"]
    used, unused = (
        {"state": state, "expires": day} for state, day in (("used", "2026-05-01"), ("unused", "2026-04-01"))
    )
    assert until_of({**RECORD, "waivers": [used, unused]}) == "2026-05-01T23:59:59.999999Z"
    assert until_of({**RECORD, "waivers": [{**used, "expires": "2029-01-01"}]}) == RECORD["validity"]["until"]


def test_conditions_that_a_policy_does_not_speak_of_are_free() -> None:
    silent = replace(
        POLICY,
        depth=(),
        adopt_assumed=False,
        timers=None,
        unclaimed=None,
        spared=None,
        signers_declared=False,
        revocation=False,
        timestamp=False,
        annexes=(),
        same_tool=False,
    )
    change = planned(depth="quick", adopt_assumed=False, timers={"answer": {"pack": 1.0, "run": 2.0}}, unclaimed=["I7"])
    plain = recorded(annexes=[], tool={**this_tool(), "version": "9.9"})(verified(stamps=())(change(submission())))
    outcomes = apply_policy(silent, plain, AT)
    assert wrong(outcomes) == set()
    assert {"timestamp", "annexes"}.isdisjoint(each.rule for each in outcomes)


def test_a_policy_that_lists_no_digest_of_the_pack_is_warned_about() -> None:
    outcomes = apply_policy(replace(POLICY, digests=()), submission(), AT)
    assert wrong(outcomes) == set()
    assert [(each.rule, "sha256:aa" in each.text) for each in outcomes if each.warning] == [("pack", True)]
    assert not any(each.warning for each in apply_policy(POLICY, submission(), AT))


def test_what_is_waived_can_be_admitted() -> None:
    change = waived("start-twice@transit")
    assert wrong(apply_policy(POLICY, change(failed(submission())), AT)) == set()


@pytest.mark.parametrize(
    ("pattern", "refused"),
    [
        ("start-twice@transit/SIG-*", set()),
        ("start-*/*", set()),
        ("start-*", {"waivers"}),
        ("*", {"waivers"}),
        ("start-twice@transit", {"waivers"}),
        ("SIG-1", {"waivers"}),
        ("nominal@transit/SIG-1", {"waivers"}),
    ],
)
def test_what_is_waived_in_a_case_must_be_allowed_by_both_names(pattern: str, refused: set[str]) -> None:
    waiver = {
        "case": "start-twice@transit",
        "requirement": "SIG-1",
        "state": "used",
        "cases": ["start-twice@transit"],
        "expires": "2026-12-31",
    }
    given = recorded(on_waivers=True, verdict="not fully verified", waivers=[waiver])(failed(submission()))
    assert wrong(apply_policy(replace(POLICY, waivers=(pattern,)), given, AT)) == refused


WAITING = {**RECORD["cases"][0], "verdict": "review"}


def graded(*, key: Any = REVIEWER, person: str = "B. Reviewer", verdict: str = "pass") -> Submission:
    """A run in which a case waited for a person, and what became of it."""
    review = Review("start-twice@transit", "attest", Verdict(verdict), "Seen.", person)
    waits = recorded(verdict="not fully verified", cases=[WAITING, *RECORD["cases"][1:]])(submission())
    cases = [{**WAITING, "verdict": verdict}, *RECORD["cases"][1:]]
    again = {**RECORD, "verdict": "conformant" if verdict == "pass" else "not conformant", "cases": cases}
    return replace(waits, graded=Graded((Signed("sha256:9", (review,), (key,)),), again))


def test_what_waits_for_a_person_is_admitted_with_a_review_of_the_policy() -> None:
    assert wrong(apply_policy(POLICY, replace(graded(), graded=None), AT)) == {"verdict", "mandatory"}
    outcomes = apply_policy(POLICY, graded(), AT)
    assert wrong(outcomes) == set()
    texts = {each.rule: each.text for each in outcomes}
    assert texts["review"] == "Graded: start-twice@transit attest: pass, by Operator."
    assert texts["verdict"].startswith("With the review conformant")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (graded(key=TESTER), "signed by nobody who may review"),
        (graded(person="Ministry"), "Ministry has tested"),
        (replace(graded(), graded=Graded(problem="r: it speaks of another bundle.")), "another bundle"),
    ],
)
def test_a_review_by_the_wrong_person_or_of_another_bundle_counts_nothing(given: Submission, words: str) -> None:
    outcomes = apply_policy(POLICY, given, AT)
    assert wrong(outcomes) == {"review", "verdict", "mandatory"}
    assert words in next(each.text for each in outcomes if each.rule == "review")


def test_who_tested_cannot_grade_with_another_key() -> None:
    same = replace(POLICY, signers=(SIGNERS[0], replace(SIGNERS[1], name="Ministry")))
    assert {"review", "reviewer"} <= wrong(apply_policy(same, graded(), AT))


def test_who_tested_does_not_sign_a_review_beside_the_reviewer() -> None:
    given = graded()
    assert given.graded is not None
    both = replace(given.graded.files[0], signers=(REVIEWER, TESTER))
    outcomes = apply_policy(POLICY, replace(given, graded=replace(given.graded, files=(both,))), AT)
    assert "Ministry has tested" in next(each.text for each in outcomes if each.rule == "review")


def test_a_review_that_grades_a_failure_admits_nobody() -> None:
    assert wrong(apply_policy(POLICY, graded(verdict="fail"), AT)) == {"verdict", "mandatory"}


def test_who_has_tested_cannot_review_with_another_key() -> None:
    same = (SIGNERS[0], replace(SIGNERS[1], name="Ministry"))
    outcomes = apply_policy(replace(POLICY, signers=same), submission(), AT)
    assert wrong(outcomes) == {"reviewer"}
    assert "Ministry has tested" in next(each.text for each in outcomes if not each.met)


def test_the_second_run_must_be_signed_and_valid() -> None:
    first = submission()
    assert first.again is not None
    unsigned = replace(first, again=replace(first.again, signers=(TESTER,)))
    assert wrong(apply_policy(POLICY, unsigned, AT)) == {"reproduction"}
    invalid = replace(first, again=Verification(False, 13, (Part("files", "invalid", "x was changed"),)))
    assert "x was changed" in apply_policy(POLICY, invalid, AT)[-1].text


def test_nothing_is_looked_at_in_a_bundle_that_is_not_valid() -> None:
    invalid = Submission(Verification(False, 13, (Part("files", "invalid", "x was changed"),)), {})
    assert apply_policy(POLICY, invalid, AT) == (Outcome("bundle", False, "INVALID: x was changed"),)


def test_a_test_key_is_accepted_where_the_policy_says_so() -> None:
    assert wrong(apply_policy(replace(POLICY, test_keys=True), said(demo=True)(submission()), AT)) == set()


FILE = f"""\
policy: region-2026
pack: {{id: p, versions: ["1"]}}
mandatory: ["start-*"]
maximum_age: 30
depth: [full]
timers: []
spared: []
signers_declared: true
timestamp: true
annexes: [readiness]
same_tool: true
signers:
  - {{name: Ministry, part: tester, key: {"a" * 64}}}
  - {{name: Operator, part: reviewer, key: {"b" * 64}}}
"""


def test_a_policy_is_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(FILE)
    policy = load_policy(path)
    assert (policy.name, policy.versions, policy.maximum_age) == ("region-2026", ("1",), 30)
    assert [each.part for each in policy.signers] == ["tester", "reviewer"]
    assert (policy.depth, policy.timers, policy.unclaimed) == (("full",), (), None)
    assert (policy.spared, policy.signers_declared, policy.revocation) == ((), True, False)
    assert (policy.timestamp, policy.annexes, policy.same_tool) == (True, ("readiness",), True)
    assert policy.digest.startswith("sha256:")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("b" * 64, "a" * 64), "the key of Operator is also that of Ministry"),
        (("part: tester", "part: judge"), "judge"),
        (("maximum_age: 30", "maximum_age: 999"), "999"),
        (("policy: region-2026\n", ""), "policy"),
    ],
)
def test_a_mistake_in_a_policy_is_told(change: tuple[str, str], words: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(FILE.replace(*change))
    with pytest.raises(ConfigurationFault, match=words):
        load_policy(path)


CERTIFICATE = Certificate(
    "c", "sha256:0", "admitted", "A", "P", "1", "customs", (), "p 1", (), "", "2026-06-01T00:00:00+00:00", "T", "R", "p"
)  # fmt: skip


@pytest.mark.parametrize(
    ("actions", "days", "status"),
    [
        ("admitted", 0, "valid"),
        ("admitted", 365, "expired"),
        ("admitted suspended", 0, "suspended"),
        ("admitted suspended", 365, "suspended"),
        ("admitted suspended resumed", 0, "valid"),
        ("admitted revoked", 0, "revoked"),
        ("admitted suspended revoked", 365, "revoked"),
    ],
)
def test_the_status_follows_from_history_and_time(actions: str, days: int, status: str) -> None:
    history = [Entry("c", "", action, "", "") for action in actions.split()]  # type: ignore[arg-type]
    assert status_of(CERTIFICATE, history, AT + timedelta(days=days)) == status
