"""Verifying a bundle, offline: untouched, complete, signed by whom, in date, and judged rightly.

The order is the order of trust: first the signature, then the files that it lists, then what they say. Nothing is
parsed before its digest was found in a statement whose signature is valid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol

from cryptography import x509

from harness.bundle.agree import beside_installed, check_claims, check_predicate, check_trial
from harness.bundle.cms import read_recipients
from harness.bundle.files import STATEMENT, check_names, inventory, unpack
from harness.bundle.fresh import check_mark
from harness.bundle.rejudge import Bundle, derive_again, judge_again, open_bundle, view_again
from harness.bundle.seal import MOST_SEALED, SEALED
from harness.bundle.statement import DETACHABLE, open_statement
from harness.bundle.timestamp import Stamp, stamps
from harness.bundle.whole import check_belongs, check_evidence, check_subjects
from harness.bundle.write import CLAIMS
from harness.errors import BUNDLE_INVALID, CONFORMANT, NOT_FULLY_VERIFIED, BundleFault, ConfigurationFault, Where
from harness.evidence.clock import stamp
from harness.evidence.log import FILE as LOG
from harness.evidence.store import holds_messages
from harness.judge.model import RunVerdict
from harness.record.strict import dump_lines, loads
from harness.security.statement_key import PublicKey, key_id

_MOST_NAMED = 20
_LARGEST_STATEMENT = 256 * 1024 * 1024


Outcome = Literal["proved", "not proved", "sealed", "invalid"]


class Say(Protocol):
    """Takes down what was seen."""

    def __call__(self, text: str, outcome: Outcome = ..., /) -> None:
        """Take it down."""
        ...


@dataclass(frozen=True)
class Part:
    """What verifying showed about one part of a bundle.

    Parameters:
        name: signature, files, agreement, pack, judgement, freshness, view, reports, meaning or date.
        outcome: whether it is proved.
        text: in plain words.
    """

    name: str
    outcome: Outcome
    text: str


@dataclass(frozen=True)
class Verification:
    """What verifying a bundle showed.

    Parameters:
        ok: the bundle is valid and in date.
        exit_code: 0; 10 when it is valid but not in date; 13 when it is not valid.
        parts: in order: what was proved, what was not, or why the bundle is refused.
        statement: what was signed, when the bundle is valid.
        signers: who signed it.
        stamps: when signatures were there, as time-stamping authorities say.
    """

    ok: bool
    exit_code: int
    parts: tuple[Part, ...]
    statement: Mapping[str, Any] | None = None
    signers: tuple[PublicKey, ...] = ()
    stamps: tuple[Stamp, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The same for people."""
        return tuple(("INVALID: " if part.outcome == "invalid" else "") + part.text for part in self.parts)


@dataclass
class _Report:
    """Collects the parts while they are looked at."""

    name: str = "signature"
    parts: list[Part] = field(default_factory=list)

    def say(self, text: str, outcome: Outcome = "proved") -> None:
        self.parts.append(Part(self.name, outcome, text))


def verify_bundle(
    path: Path,
    trust_keys: Sequence[PublicKey] | None,
    at: datetime,
    authorities: Sequence[x509.Certificate] = (),
) -> Verification:
    """Verify a bundle.

    Parameters:
        path: the folder, or its ``.zip``.
        trust_keys: the keys whose statements are believed; ``None`` leaves the signer unchecked, which the first line
            says.
        at: the time at which it must be valid, aware.
        authorities: certificates of trusted time-stamping authorities, roots and intermediates.

    Raises:
        ConfigurationFault: there is no bundle at *path*, or what reads its time stamps is not installed.
    """
    report = _Report()
    try:
        with opened(path) as folder:
            envelope = _read(folder / STATEMENT, _LARGEST_STATEMENT)
            statement, signers = open_statement(envelope)
            _check_signers(signers, trust_keys, report.say)
            stamped = _check_stamps(envelope, authorities, report.say)
            in_date = _verify(folder, statement, trust_keys, at, report)
    except BundleFault as fault:
        for line in str(fault).split("\n"):
            report.say(line, "invalid")
        return Verification(False, BUNDLE_INVALID, tuple(report.parts))
    code = CONFORMANT if in_date else NOT_FULLY_VERIFIED
    return Verification(in_date, code, tuple(report.parts), statement, signers, stamped)


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder of a bundle; that of a ``.zip`` is there while the block lasts.

    Raises:
        ConfigurationFault: there is no bundle.
        BundleFault: the ``.zip`` is not one of ours.
    """
    if path.is_dir():
        yield path
    elif path.is_file():
        with TemporaryDirectory(prefix="c2c-verify-") as temporary:
            unpack(path, Path(temporary))
            yield Path(temporary)
    else:
        raise ConfigurationFault(
            "there is no bundle",
            where=Where(path),
            expected="a bundle's folder or its .zip",
            remedy="Check the path.",
        )


def _verify(
    folder: Path,
    statement: Mapping[str, Any],
    trust_keys: Sequence[PublicKey] | None,
    at: datetime,
    report: _Report,
) -> bool:
    """Verify part by part; returns whether it is in date."""
    predicate = statement["predicate"]
    if predicate["demo"]:
        report.say("It was made with TEST keys, for a demonstration or a trial: it certifies nothing.", "not proved")
    report.name = "files"
    check_subjects(statement["subject"])
    listed = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    sealed = _check_files(folder, listed, report)
    report.name = "agreement"
    record, plan = (read_document(folder / name) for name in ("record.json", "plan.json"))
    check_predicate(predicate, record)
    bundle = open_bundle(folder, record, plan, sealed=sealed)
    check_trial(predicate, plan)
    ics = read_document(folder / CLAIMS) if (folder / CLAIMS).exists() else {}
    check_claims(ics, bundle.plan.subject.claims, bundle.plan.subject.procedures)
    for each in check_belongs(bundle, listed):
        report.say(*each)
    report.say(f"Plan, record, statement and pack belong together: {bundle.plan.baseline}, {bundle.plan.environment}.")
    report.name = "pack"
    for pack in (predicate["pack"], *predicate["pack"]["bases"]):
        report.say(*beside_installed(pack))
    if sealed:
        _verify_sealed(report)
        source: Mapping[str, Any] = record
    else:
        source = _verify_evidence(bundle, report)
    report.name = "reports"
    for text, outcome in derive_again(bundle, source):
        report.say(text, outcome)
    report.name = "meaning"
    _say_what_it_means(predicate, trust_keys is not None, report.say)
    report.name = "date"
    return _in_date(predicate, at, report.say)


def _verify_evidence(bundle: Bundle, report: _Report) -> Mapping[str, Any]:
    """Verify what needs the evidence; returns the record from which the reports are made again."""
    report.name = "files"
    for each in check_evidence(bundle):
        report.say(*each)
    report.name = "judgement"
    text, record = judge_again(bundle)
    report.say(text)
    if resumed := bundle.record.get("resumed"):
        report.say(f"The run was interrupted, and went on at {' and '.join(resumed)}.")
    if repeated := bundle.record.get("repeated"):
        count = len({name for each in repeated for name in each["cases"]})
        report.say(
            f"It is NOT one uninterrupted run: {count} cases were played again at "
            f"{' and '.join(each['at'] for each in repeated)}; the record keeps every attempt."
        )
    report.name = "freshness"
    covered, text = check_mark(bundle)
    report.say(text, "proved" if covered and bundle.plan.parameters.challenge else "not proved")
    report.name = "view"
    report.say(view_again(bundle))
    return record


def _verify_sealed(report: _Report) -> None:
    report.name = "judgement"
    report.say(
        f"The exact bytes are sealed in {SEALED}, so that the evidence was not judged again here. A recipient opens "
        f"them with `c2c unseal` and verifies everything.",
        "sealed",
    )
    report.name = "freshness"
    report.say("Who signed what, and when, stands in the sealed bytes.", "sealed")
    report.name = "view"
    report.say("The masked view is the one that was signed; whether it shows what is sealed cannot be seen.", "sealed")


def _check_signers(signers: Sequence[PublicKey], trust_keys: Sequence[PublicKey] | None, say: Say) -> None:
    ids = [key_id(signer) for signer in signers]
    if trust_keys is None:
        say(
            "The signer was NOT checked, because no trusted key was given (--trust). The bundle is signed by key "
            + ", ".join(ids),
            "not proved",
        )
        return
    trusted = set(map(key_id, trust_keys))
    known = [each for each in ids if each in trusted]
    if not known:
        raise BundleFault(
            "the statement is not signed by a trusted key, but by " + ", ".join(ids),
            expected="a signature by one of " + ", ".join(sorted(trusted)),
        )
    say("Signed by trusted key " + ", ".join(known) + ".")
    for stranger in (each for each in ids if each not in trusted):
        say(
            f"Also signed by key {stranger}, which is not among the trusted keys; this proves nothing more.",
            "not proved",
        )


def _check_stamps(envelope: bytes, authorities: Sequence[x509.Certificate], say: Say) -> tuple[Stamp, ...]:
    try:
        found = tuple(stamps(envelope, authorities))
    except ConfigurationFault as fault:
        if authorities:
            raise
        say(f"Its time stamps were NOT checked: {fault.what}.", "not proved")
        return ()
    for each in found:
        text = f"The signature by key {each.key[:16]} was there on {stamp(each.at)}, says a time-stamping authority"
        if each.checked:
            say(f"{text} that is trusted.")
        else:
            say(f"{text} that was NOT checked, because none was given (--tsa).", "not proved")
    return found


def _check_files(folder: Path, listed: Mapping[str, str], report: _Report) -> bool:
    """Compare every file with its digest; returns whether the detachable part is sealed."""
    check_names(listed)
    found = inventory(folder)
    sealed = SEALED in found and not any(name.startswith(DETACHABLE) for name in found)
    if sealed:
        del found[SEALED]
        left_out = {name for name in listed if name.startswith(DETACHABLE)}
        listed = {name: digest for name, digest in listed.items() if name not in left_out}
    problems = [f"{name} is missing" for name in listed if name not in found]
    problems += [f"{name} is not in the statement" for name in found if name not in listed]
    problems += [f"{name} was changed" for name in listed if name in found and found[name] != listed[name]]
    for name in found:
        top, _, rest = name.partition("/")
        if top == "evidence" and rest != LOG and not holds_messages(rest):
            problems.append(f"{name} is no evidence")
    if problems:
        more = [f"and {len(problems) - _MOST_NAMED} more"] if len(problems) > _MOST_NAMED else []
        raise BundleFault("\n".join([*problems[:_MOST_NAMED], *more]))
    if not sealed:
        report.say(f"All {len(found)} files are there, unchanged, and nothing else is.")
        return False
    report.say(f"All {len(found)} files that are not sealed are there, unchanged, and nothing else is.")
    names = "1 file" if len(left_out) == 1 else f"{len(left_out)} files"
    recipients = "; ".join(map(str, read_recipients(_read(folder / SEALED, MOST_SEALED + _LARGEST_STATEMENT))))
    report.say(f"The statement lists {names} of evidence with their digests; sealed to {recipients}.", "sealed")
    return True


def read_document(path: Path) -> dict[str, Any]:
    """Read a JSON document of a bundle.

    Raises:
        BundleFault: it is missing, or not written the way this tool writes it.
    """
    data = _read(path)
    document = loads(data, path.name)
    if not _is(data, dump_lines(document)):
        raise BundleFault(f"{path.name} is not written the way this tool writes it")
    return document


def _is(data: bytes, pieces: Iterable[bytes]) -> bool:
    """Whether pieces make up a text."""
    end = 0
    for piece in pieces:
        if not data.startswith(piece, end):
            return False
        end += len(piece)
    return end == len(data)


def _say_what_it_means(predicate: Mapping[str, Any], trusted: bool, say: Say) -> None:
    counts = predicate["counts"]
    say(
        f"It says: {predicate['verdict']}, {predicate['role']} {' '.join(predicate['positions'])}".rstrip()
        + f", {predicate['pack']['id']} {predicate['pack']['version']}; required {counts['required']}, "
        f"executed {counts['executed']}, passed {counts['passed']}; {predicate['assurance']}."
    )
    if not predicate["complete"]:
        say("The run was not finished: the record is incomplete.", "not proved")
    open_questions = ["that the messages were exchanged with the system it names, at the time it names"]
    if not predicate["plan"]["challenge"]:
        open_questions.append("that the run is fresh (no challenge was given before it)")
    if not trusted:
        open_questions.append("who signed it")
    say("A bundle cannot prove by itself: " + "; ".join(open_questions) + ".", "not proved")


def _in_date(predicate: Mapping[str, Any], at: datetime, say: Say) -> bool:
    validity, verdict = predicate["validity"], predicate["verdict"]
    if verdict != RunVerdict.CONFORMANT and validity == {"from": "", "until": ""}:
        say(f"It vouches for nothing until a day: what is {verdict} does not run out.")
        return True
    try:
        since, until = (datetime.fromisoformat(validity[name]) for name in ("from", "until"))
        early, late = at < since, at > until
    except (ValueError, TypeError):
        raise BundleFault("the statement's validity is not a period of time") from None
    if early:
        say(f"NOT IN DATE: it is valid only from {validity['from']}.", "not proved")
    elif late:
        say(f"NOT IN DATE: it was valid until {validity['until']}.", "not proved")
    else:
        what = (
            "" if verdict == RunVerdict.CONFORMANT else " at most, and only if an operator admits it with its waivers"
        )
        say(f"What it says holds until {validity['until']}{what}.")
    return not early and not late


def _read(path: Path, most: int | None = None) -> bytes:
    try:
        if path.is_symlink() or (most is not None and path.stat().st_size > most):
            raise BundleFault(f"{path.name} is a link, or larger than it may be")
        return path.read_bytes()
    except FileNotFoundError:
        raise BundleFault(f"{path.name} is missing: the bundle is not signed or not complete") from None
    except OSError as problem:
        raise BundleFault(f"{path.name} cannot be read: {problem.strerror}") from None
