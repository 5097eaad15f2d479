"""Reviews of a bundle: a file of its own, signed by whoever decided. The bundle stays as it is.

A review speaks of one record, by its digest, and of steps in it whose verdict is *review*. Judging with reviews is
judging the same evidence again, with one input more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.bundle.files import check_names
from harness.bundle.rejudge import judge_evidence, open_bundle
from harness.bundle.statement import STATEMENT_TYPE, open_statement, sign, statement_digest
from harness.errors import BundleFault, ConfigurationFault, Where
from harness.evidence.clock import stamp
from harness.evidence.log import read_events
from harness.evidence.store import Store
from harness.judge.model import Verdict
from harness.judge.review import Review
from harness.judge.run import RunJudgement
from harness.pack.source import read_source
from harness.record.strict import loads
from harness.record.tool import this_tool
from harness.security.statement_key import PublicKey, Signer

PREDICATE_TYPE = "urn:c2c-harness:predicate:review:1"
RECORD, PLAN = "record.json", "plan.json"


@dataclass(frozen=True)
class Open:
    """A step that waits for a person.

    Parameters:
        case, step: ids.
        question: what the person must decide.
        answer: what was said to it; empty where nobody has answered.
        files: what shows it: names and digests.
    """

    case: str
    step: str
    question: str
    answer: str = ""
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Signed:
    """A signed file of reviews.

    Parameters:
        digest: of what is signed, ``sha256:<hex>``.
        reviews: of one person.
        signers: the keys that signed it.
    """

    digest: str
    reviews: tuple[Review, ...]
    signers: tuple[PublicKey, ...]


def open_steps(record: Mapping[str, Any]) -> tuple[Open, ...]:
    """The steps of a record that only a person can decide, also of its annexes."""
    cases = [*record["cases"], *(case for annex in record.get("annexes", ()) for case in annex["cases"])]
    return tuple(
        Open(
            case["id"],
            step["id"],
            step["expected"] or step["reason"],
            f"{step['person']}: {step['answer']}" if step.get("answer") else "",
            tuple((each["name"], each["digest"]) for each in step.get("files", ())),
        )
        for case in cases
        for step in case["steps"]
        if step["verdict"] == Verdict.REVIEW.value
    )


def write_files(folder: Path, target: Path) -> int:
    """Write the documents that were attached to answers, each below the case that it belongs to.

    Parameters:
        folder: of the bundle; verify it first, when it comes from others.
        target: folder for the documents.

    Returns:
        how many.

    Raises:
        ConfigurationFault: one of them is there already, or the evidence has been sealed.
        BundleFault: a name that is not allowed, or bytes that are missing.
    """
    if not (folder / "evidence").is_dir():
        raise ConfigurationFault(
            "the evidence of this bundle is sealed",
            where=Where(folder),
            remedy="A recipient opens it with `c2c unseal`.",
        )
    store, number = Store(folder / "evidence"), 0
    for event in read_events(folder / "evidence"):
        for each in event.data.get("files", ()):
            name = f"{event.case}/{each['name']}"
            check_names([name])
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                raise ConfigurationFault("this file is there already", where=Where(path), remedy="Name another folder.")
            path.write_bytes(store.get(each["digest"]))
            number += 1
    return number


def read_grades(file: Path, record: Mapping[str, Any]) -> tuple[Review, ...]:
    """Read the form that a reviewer filled in.

    Raises:
        ConfigurationFault: it is not filled in, or grades a step that does not wait for a person.
    """
    source = read_source(file, "grades")
    waiting = {(each.case, each.step) for each in open_steps(record)}
    reviews = []
    for number, each in enumerate(source.data["grades"]):
        if (each["case"], each["step"]) not in waiting:
            raise ConfigurationFault(
                f"the step {each['step']} of {each['case']} does not wait for a person",
                where=source.where(("grades", number)),
                remedy="`c2c review BUNDLE` shows the steps that do.",
            )
        verdict = Verdict(each["verdict"])
        reviews.append(Review(each["case"], each["step"], verdict, each["reason"], source.data["person"]))
    return tuple(reviews)


def sign_reviews(record: bytes, reviews: Sequence[Review], at: datetime, key: Signer) -> bytes:
    """The signed file of what one person decided.

    Parameters:
        record: the bytes of the record.
        reviews: of one person.
        at: when, aware.
        key: of the person.
    """
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": RECORD, "digest": {"sha256": hashlib.sha256(record).hexdigest()}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "person": reviews[0].person,
            "at": stamp(at),
            "grades": [
                {"case": each.case, "step": each.step, "verdict": each.verdict.value, "reason": each.reason}
                for each in reviews
            ],
        },
    }
    return sign(statement, [key])


def open_reviews(data: bytes, record: bytes) -> Signed:
    """What a signed file says about a record.

    Raises:
        BundleFault: a signature is not valid, it speaks of another record, or of a step that waits for nobody.
    """
    statement, signers = open_statement(data, "review")
    if statement["subject"][0]["digest"]["sha256"] != hashlib.sha256(record).hexdigest():
        raise BundleFault("The review speaks of another bundle", expected="a review of this record")
    predicate = statement["predicate"]
    reviews = tuple(
        Review(each["case"], each["step"], Verdict(each["verdict"]), each["reason"], predicate["person"])
        for each in predicate["grades"]
    )
    waiting = {(each.case, each.step) for each in open_steps(loads(record, RECORD))}
    strange = next((each for each in reviews if (each.case, each.step) not in waiting), None)
    if strange is not None:
        raise BundleFault(f"The review grades {strange.step} of {strange.case}, which waits for nobody")
    return Signed(statement_digest(data), reviews, signers)


def judge_reviewed(folder: Path, reviews: Iterable[Review]) -> tuple[RunJudgement, dict[str, Any]]:
    """Judge the evidence of a bundle that verifies again, with what persons decided; the record of it stays unwritten.

    Raises:
        BundleFault: the evidence cannot be judged.
    """
    record, plan = (loads((folder / name).read_bytes(), name) for name in (RECORD, PLAN))
    bundle = open_bundle(folder, record, plan)
    return judge_evidence(folder, bundle.plan, bundle.pack, this_tool(), reviews=tuple(reviews))


def write_form(file: Path, record: Mapping[str, Any]) -> int:
    """Write a form with every step that waits for a person; returns how many there are.

    Raises:
        ConfigurationFault: the file is there already.
    """
    waiting = open_steps(record)
    if not waiting:
        return 0
    if file.exists():
        raise ConfigurationFault(
            "the form is there already, and is not overwritten", where=Where(file), remedy="Choose another name."
        )
    lines = [
        "# What only a person can see. For each question: verdict pass, warning, inconclusive or fail, and in one",
        "# sentence what you saw. Then: c2c review BUNDLE --grades FORM --key KEY --out REVIEW",
        "person:        # your name and office",
        "grades:",
    ]
    for each in waiting:
        lines += [
            f"  - case: {_quoted(each.case)}",
            f"    step: {_quoted(each.step)}",
            f"    question: {_quoted(each.question)}",
            *([f"    # answered: {_quoted(each.answer)}"] if each.answer else []),
            *(f"    # file: {name} {digest}" for name, digest in each.files),
            "    verdict:",
            "    reason:",
        ]
    file.write_text("\n".join(lines) + "\n", "utf-8", newline="\n")
    return len(waiting)


def _quoted(text: str) -> str:
    """A text as YAML: JSON is YAML."""
    return json.dumps(text, ensure_ascii=False)
