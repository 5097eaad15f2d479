"""Policies: read from a file, and applied to a bundle that verifies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from harness.admission.conditions import annexes, conditions, system_keys, uninterrupted, waivers
from harness.admission.model import Outcome, Policy, Signatory
from harness.bundle.compare import compare
from harness.bundle.review import Signed
from harness.bundle.verify import Verification
from harness.errors import BUNDLE_INVALID
from harness.evidence.clock import stamp
from harness.pack.entry import Entry
from harness.pack.source import read_source
from harness.record.tool import this_tool
from harness.security.statement_key import key_id

_ONE_RUN = timedelta(days=1)
"""A run that took longer is as old as its first message."""


@dataclass(frozen=True)
class Graded:
    """What persons decided about a bundle since it was made.

    Parameters:
        files: the signed files.
        record: of the same evidence, judged with them.
        problem: why they cannot be used, such as that they speak of another bundle; then there is nothing else.
    """

    files: Sequence[Signed] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Submission:
    """What is put before an operator.

    Parameters:
        verification: of the bundle.
        record: of the bundle.
        reviewer: id of the key that countersigns, or ``None`` while nobody does.
        again: verification of a second run, for the rule ``reproduction``.
        again_record: its record.
        graded: reviews of the bundle, where some are given.
        digest: of the statement of the bundle, ``sha256:<hex>``; empty when it is not valid.
        challenge: the one that the operator gave before the run, hexadecimal, where it is said.
    """

    verification: Verification
    record: Mapping[str, Any]
    reviewer: str | None = None
    again: Verification | None = None
    again_record: Mapping[str, Any] = field(default_factory=dict)
    graded: Graded | None = None
    digest: str = ""
    challenge: str | None = None

    @property
    def predicate(self) -> Mapping[str, Any]:
        """What the statement says."""
        statement = self.verification.statement
        return {} if statement is None else statement["predicate"]

    @property
    def judged(self) -> Mapping[str, Any]:
        """The record with what persons decided since, where they did and it can be used."""
        return self.graded.record if self.graded is not None and not self.graded.problem else self.record


def load_policy(path: Path) -> Policy:
    """Read a policy.

    Raises:
        ConfigurationFault: a mistake in the file; one key that is tester and reviewer, or stands there twice.
    """
    source = read_source(path, "policy")
    data = source.data
    signers: dict[str, Signatory] = {}
    for entry in Entry(source, data).list("signers"):
        signer = Signatory(entry.data["name"], entry.data["part"], entry.data["key"])
        if signer.key in signers:
            raise entry.fault(
                f"the key of {signer.name} is also that of {signers[signer.key].name}",
                expected="a key of its own for every signer: who tests does not review",
            )
        signers[signer.key] = signer
    return Policy(
        name=data["policy"],
        digest=f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
        pack=data["pack"]["id"],
        versions=tuple(data["pack"]["versions"]),
        digests=tuple(data["pack"].get("digests", ())),
        signers=tuple(signers.values()),
        roles=tuple(data.get("roles", ())),
        positions=tuple(data.get("positions", ())),
        mandatory=tuple(data.get("mandatory", ())),
        maximum_age=data.get("maximum_age"),
        assurance=tuple(data.get("assurance", ())),
        challenge=data.get("challenge", False),
        waivers=tuple(data.get("waivers", ())),
        depth=tuple(data.get("depth", ())),
        adopt_assumed=data.get("adopt_assumed", False),
        timers=tuple(data["timers"]) if "timers" in data else None,
        unclaimed=tuple(data["unclaimed"]) if "unclaimed" in data else None,
        spared=tuple(data["spared"]) if "spared" in data else None,
        signers_declared=data.get("signers_declared", False),
        revocation=data.get("revocation", False),
        timestamp=data.get("timestamp", False),
        annexes=tuple(data.get("annexes", ())),
        same_tool=data.get("same_tool", False),
        uninterrupted=data.get("uninterrupted", False),
        reproduction=data.get("reproduction", False),
        disputes=data.get("disputes", ""),
        test_keys=data.get("test_keys", False),
    )


def apply_policy(policy: Policy, submission: Submission, at: datetime) -> tuple[Outcome, ...]:
    """Check every rule of a policy. A bundle that is not valid meets none, and none is looked at."""
    if submission.verification.exit_code == BUNDLE_INVALID:
        return (Outcome("bundle", False, " ".join(submission.verification.lines[-1:])),)
    return tuple(_outcomes(policy, submission, at))


def _outcomes(policy: Policy, submission: Submission, at: datetime) -> Iterator[Outcome]:
    said, record = submission.predicate, submission.record
    yield _bundle(policy, submission)
    if record["tool"] != this_tool():
        yield _other_tool(policy, record["tool"])
    elif policy.same_tool:
        yield Outcome("tool", True, "This very version of the tool made it, and every byte was compared.")
    if submission.graded is not None:
        review = _review(policy, submission, submission.graded)
        yield review
        record = submission.graded.record if review.met else record
    yield _verdict(record, at, graded=record is not submission.record)
    yield _pack(policy, said["pack"])
    if policy.roles:
        yield Outcome("roles", said["role"] in policy.roles, f"The role is {said['role']}.")
    if policy.positions:
        missing = [each for each in policy.positions if each not in said["positions"]]
        text = f"Not certified: {', '.join(missing)}." if missing else "Every position is certified."
        yield Outcome("positions", not missing, text)
    if policy.mandatory:
        yield _mandatory(policy, record)
    if policy.maximum_age is not None:
        yield _maximum_age(said, submission.record["observed"], at, timedelta(days=policy.maximum_age))
    if policy.assurance:
        yield Outcome("assurance", said["assurance"] in policy.assurance, f"The level is {said['assurance']}.")
    if policy.challenge or submission.challenge is not None:
        yield _challenge(submission)
    yield from conditions(policy, said["plan"])
    yield from system_keys(policy, said["sut"], submission.record)
    if policy.uninterrupted:
        yield uninterrupted(said)
    yield waivers(policy, record, at)
    if policy.annexes:
        yield annexes(policy, record)
    yield from _signatures(policy, submission)
    if policy.timestamp:
        yield _timestamp(policy, submission.verification)
    if policy.reproduction:
        yield _reproduction(policy, submission)


def _bundle(policy: Policy, submission: Submission) -> Outcome:
    if _is_sealed(submission.verification):
        return Outcome(
            "bundle", False, "The evidence is sealed, so that nothing could be judged again; unseal it first."
        )
    if not submission.verification.ok:
        return Outcome("bundle", False, submission.verification.lines[-1])
    if submission.predicate["demo"] and not policy.test_keys:
        return Outcome("bundle", False, "It was made with TEST keys, for a demonstration or a trial.")
    return Outcome("bundle", True, "It is valid and in date, and its evidence gives the same verdicts.")


def _other_tool(policy: Policy, tool: Mapping[str, Any]) -> Outcome:
    """A bundle says itself which tool made it. Of another one only facts are compared, whatever its pages say."""
    text = (
        f"It says that another version of this tool made it: {tool['name']} {tool['version']}, {tool['source']}. Every "
        f"fact was judged again; the wording of its reports was not compared, so make them anew with `c2c report`."
    )
    return Outcome("tool", not policy.same_tool, text, warning=not policy.same_tool)


def _is_sealed(verification: Verification) -> bool:
    return any(part.outcome == "sealed" for part in verification.parts)


def _review(policy: Policy, submission: Submission, graded: Graded) -> Outcome:
    """Whether what was graded counts: each file is signed by somebody who may review, and who has not tested."""
    if graded.problem:
        return Outcome("review", False, graded.problem)
    testers, names = _testers(policy, submission), []
    for each in graded.files:
        keys = [key_id(key) for key in each.signers]
        reviewer = signer_of(policy, keys, "reviewer")
        if reviewer is None:
            text = f"A review is signed by nobody who may review by this policy, but by {', '.join(keys)}."
            return Outcome("review", False, text)
        signed = {signer.name for signer in policy.signers if signer.key in keys}
        if tested := testers & {*signed, each.reviews[0].person}:
            return Outcome("review", False, f"{min(tested)} has tested, and cannot grade what was seen.")
        names += [f"{one.case} {one.step}: {one.verdict.value}, by {reviewer.name}" for one in each.reviews]
    return Outcome("review", True, f"Graded: {'; '.join(names)}.")


def _verdict(record: Mapping[str, Any], at: datetime, *, graded: bool) -> Outcome:
    words = f"{'With the review ' if graded else ''}{record['verdict']}: {record['reason']}"
    if not record["complete"]:
        return Outcome("verdict", False, f"The run was not finished; {words}")
    until = record["validity"]["until"]
    if until and at > datetime.fromisoformat(until):
        return Outcome("verdict", False, f"It held until {until}; {words}")
    return Outcome("verdict", record["verdict"] == "conformant" or record["on_waivers"], words)


def _pack(policy: Policy, pack: Mapping[str, Any]) -> Outcome:
    right = pack["id"] == policy.pack and pack["version"] in policy.versions
    if right and policy.digests and pack["digest"] not in policy.digests:
        return Outcome("pack", False, f"The pack has another content than this policy names: {pack['digest']}.")
    text = f"The pack is {pack['id']} {pack['version']}."
    if right and not policy.digests:
        text += (
            " Anybody can write a pack of that name and version: list its digest in the policy (pack: digests:), "
            f"after comparing it with the one that you published: {pack['digest']}."
        )
    return Outcome("pack", right, text, warning=right and not policy.digests)


def _maximum_age(said: Mapping[str, Any], observed: Mapping[str, str], at: datetime, most: timedelta) -> Outcome:
    """How old what was observed may be. Where the run is not one, or took longer than a day, its oldest part counts.

    The messages of the system count, whose times its signatures bear out; when a run ended, a line of its log says.
    """
    times = (observed["first"] or said["started"], observed["last"] or said["finished"])
    first, last = map(datetime.fromisoformat, times)
    parts = bool(said["resumed"] or said["repeated"]) or last - first > _ONE_RUN
    age = at - (first if parts else last)
    what = "began, and went on for long or later," if parts else "ended"
    text = f"The run {what} {age.days} days ago; at most {most.days} are allowed."
    return Outcome("maximum_age", timedelta() <= age <= most, text)


def _mandatory(policy: Policy, record: Mapping[str, Any]) -> Outcome:
    waived = {name for each in record["waivers"] if each["state"] == "used" for name in each["cases"]}
    for pattern in policy.mandatory:
        cases = [case for case in record["cases"] if fnmatchcase(case["id"], pattern)]
        if not cases:
            return Outcome("mandatory", False, f"No case fits {pattern}.")
        for case in cases:
            if case["verdict"] not in ("pass", "warning") and case["id"] not in waived:
                return Outcome("mandatory", False, f"{case['id']} is {case['verdict']}.")
    return Outcome("mandatory", True, "Every case that this policy names was passed, or is waived.")


def _challenge(submission: Submission) -> Outcome:
    if not submission.predicate["plan"]["challenge"]:
        return Outcome("challenge", False, "The run had no challenge.")
    there, given = submission.predicate["plan"]["challenge"], submission.challenge
    if given is not None and given.lower() != there.lower():
        return Outcome("challenge", False, f"The run answers another challenge than the one that was given: {there}.")
    shown = [part for part in submission.verification.parts if part.name == "freshness"]
    proved = any(part.outcome == "proved" for part in shown)
    text = " ".join(part.text for part in shown)
    if given is None:
        text += f" Anybody can choose a challenge: compare it with the one that you gave (--challenge): {there}."
    return Outcome("challenge", proved, text, warning=proved and given is None)


def signer_of(policy: Policy, keys: Sequence[str], part: str) -> Signatory | None:
    """The first of the keys that belongs to a signer with that part."""
    by_key = {each.key: each for each in policy.signers if each.part == part}
    return next((by_key[key] for key in keys if key in by_key), None)


def _testers(policy: Policy, submission: Submission) -> set[str]:
    """Everybody who signed the bundle as one who has tested."""
    keys = _keys(submission.verification)
    return {each.name for each in policy.signers if each.part == "tester" and each.key in keys}


def _keys(verification: Verification) -> list[str]:
    return [key_id(each) for each in verification.signers]


def _signatures(policy: Policy, submission: Submission) -> Iterator[Outcome]:
    keys = _keys(submission.verification)
    tester = signer_of(policy, keys, "tester")
    yield Outcome(
        "tester",
        tester is not None,
        f"Signed by {tester.name}." if tester else "No tester of this policy has signed; signed by " + ", ".join(keys),
    )
    candidates = keys if submission.reviewer is None else [submission.reviewer]
    reviewer = signer_of(policy, candidates, "reviewer")
    if reviewer is None:
        yield Outcome("reviewer", False, "Nobody who may review by this policy signs.")
    elif reviewer.name in _testers(policy, submission):
        yield Outcome("reviewer", False, f"{reviewer.name} has tested, and cannot review it.")
    else:
        yield Outcome("reviewer", True, f"Reviewed by {reviewer.name}.")


def _timestamp(policy: Policy, verification: Verification) -> Outcome:
    """Whether somebody whom nobody here controls says when the tester had signed."""
    tester = signer_of(policy, _keys(verification), "tester")
    found = [each for each in verification.stamps if tester is not None and each.key == tester.key]
    checked = next((each for each in found if each.checked), None)
    if checked is not None:
        return Outcome(
            "timestamp", True, f"A trusted authority says that the tester had signed on {stamp(checked.at)}."
        )
    text = "The signature of the tester has no time stamp; `c2c sign --timestamp` adds one with a signature."
    if found:
        text = "The time stamp on the signature of the tester was not checked: give the authority (--tsa)."
    return Outcome("timestamp", False, text)


def _reproduction(policy: Policy, submission: Submission) -> Outcome:
    again, first = submission.again, submission.predicate
    if again is None:
        return Outcome("reproduction", False, "No second run was given.")
    if again.statement is None or not again.ok:
        return Outcome("reproduction", False, "The second bundle is not valid: " + " ".join(again.lines[-1:]))
    if _is_sealed(again):
        text = "The second bundle is sealed, so that its evidence could not be judged again; unseal it first."
        return Outcome("reproduction", False, text)
    other = again.statement["predicate"]
    if other["demo"] and not policy.test_keys:
        return Outcome("reproduction", False, "The second run was made with TEST keys.")
    if signer_of(policy, _keys(again), "reviewer") is None:
        return Outcome("reproduction", False, "The second run is not signed by somebody who may review by this policy.")
    for name, mine, theirs in (
        ("baseline", first["plan"]["baseline"], other["plan"]["baseline"]),
        ("system", first["sut"], other["sut"]),
        ("verdict", first["verdict"], other["verdict"]),
    ):
        if mine != theirs:
            return Outcome("reproduction", False, f"The second run has another {name}.")
    mine, theirs = (set(each.get("evidence", ())) for each in (submission.record, submission.again_record))
    if first["started"] == other["started"] or mine & theirs:
        return Outcome("reproduction", False, "The second run is the first one.")
    changes = compare(submission.record, submission.again_record)
    worse = [each.id for each in changes if each.kind in ("new failure", "waived failure")]
    if worse:
        return Outcome("reproduction", False, f"What passed in the first run did not in the second: {worse[0]}.")
    shown = (*conditions(policy, other["plan"]), *([uninterrupted(other)] if policy.uninterrupted else ()))
    unmet = next((each.text for each in shown if not each.met), None)
    if unmet is not None:
        return Outcome("reproduction", False, f"Of the second run: {unmet}")
    return Outcome("reproduction", True, f"A run of {other['finished']} gave the same verdict.")
