"""Verifying a bundle, offline: untouched, complete, signed by whom, in date, and judged rightly.

The order is the order of trust: first the signature, then the files that it lists, then what they say. Nothing is
parsed before its digest was found in a statement whose signature is valid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.bundle.files import STATEMENT, check_names, inventory, unpack
from harness.bundle.fresh import check_mark
from harness.bundle.rejudge import Bundle, derive_again, judge_again, open_bundle
from harness.bundle.statement import make_predicate, open_statement
from harness.errors import BUNDLE_INVALID, CONFORMANT, NOT_FULLY_VERIFIED, BundleFault, ConfigurationFault, Where
from harness.evidence.log import FILE as LOG
from harness.evidence.log import read_events
from harness.evidence.store import holds_messages
from harness.record.strict import dumps, loads
from harness.security.statement_key import PublicKey, key_id

_MOST_NAMED = 20
_LARGEST_STATEMENT = 256 * 1024 * 1024


@dataclass(frozen=True)
class Verification:
    """What verifying a bundle showed.

    Parameters:
        ok: the bundle is valid and in date.
        exit_code: 0; 10 when it is valid but not in date; 13 when it is not valid.
        lines: for people, in order: what was proved, what was not, or why the bundle is refused.
    """

    ok: bool
    exit_code: int
    lines: tuple[str, ...]


def verify_bundle(path: Path, trust_keys: Sequence[PublicKey] | None, at: datetime) -> Verification:
    """Verify a bundle.

    Parameters:
        path: the folder, or its ``.zip``.
        trust_keys: the keys whose statements are believed; ``None`` leaves the signer unchecked, which the first line
            says.
        at: the time at which it must be valid, aware.

    Raises:
        ConfigurationFault: there is no bundle at *path*.
    """
    lines: list[str] = []
    try:
        with _folder(path) as folder:
            until = _verify(folder, trust_keys, at, lines.append)
    except BundleFault as fault:
        return Verification(False, BUNDLE_INVALID, (*lines, *(f"INVALID: {line}" for line in str(fault).split("\n"))))
    in_date = until is None
    if until is not None:
        lines.append(until)
    return Verification(in_date, CONFORMANT if in_date else NOT_FULLY_VERIFIED, tuple(lines))


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
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
    folder: Path, trust_keys: Sequence[PublicKey] | None, at: datetime, say: Callable[[str], None]
) -> str | None:
    statement, signers = open_statement(_read(folder / STATEMENT, _LARGEST_STATEMENT))
    predicate = statement["predicate"]
    _check_signers(signers, trust_keys, say)
    if predicate["demo"]:
        say("It was signed with a TEST key, made for a demonstration: it certifies nothing.")
    count = _check_files(folder, statement["subject"])
    say(f"All {count} files are there, unchanged, and nothing else is.")

    record, plan = (_document(folder / name) for name in ("record.json", "plan.json"))
    _check_predicate(predicate, record)
    bundle = open_bundle(folder, record, plan)
    _check_evidence(bundle)
    say(f"Plan, record, statement and pack belong together: {bundle.plan.baseline}, {bundle.plan.environment}.")
    say(judge_again(bundle))
    say(check_mark(bundle))
    say(derive_again(bundle))
    _say_what_it_means(predicate, trust_keys is not None, say)
    return _out_of_date(predicate["validity"], at, say)


def _check_signers(
    signers: Sequence[PublicKey], trust_keys: Sequence[PublicKey] | None, say: Callable[[str], None]
) -> None:
    ids = [key_id(signer) for signer in signers]
    if trust_keys is None:
        say(
            "The signer was NOT checked, because no trusted key was given (--trust). The bundle is signed by key "
            + ", ".join(ids)
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
        say(f"Also signed by key {stranger}, which is not among the trusted keys; this proves nothing more.")


def _check_files(folder: Path, subject: Sequence[Mapping[str, Any]]) -> int:
    names = [each["name"] for each in subject]
    check_names(names)
    listed = {each["name"]: each["digest"]["sha256"] for each in subject}
    found = inventory(folder)
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
    return len(found)


def _document(path: Path) -> dict[str, Any]:
    data = _read(path)
    document = loads(data, path.name)
    if dumps(document) != data:
        raise BundleFault(f"{path.name} is not written the way this tool writes it")
    return document


def _check_predicate(predicate: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    try:
        expected = make_predicate(record, demo=predicate["demo"])
    except (KeyError, TypeError, AttributeError) as problem:
        raise BundleFault(f"record.json is not a record: {problem!r}") from None
    for name in (*expected, *predicate):
        if expected.get(name) != predicate.get(name):
            raise BundleFault(f"the statement and record.json do not say the same about {name}")


def _check_evidence(bundle: Bundle) -> None:
    """Whether every byte that an event speaks of is there."""
    for event in read_events(bundle.folder / "evidence"):
        digest = event.data.get("digest")
        if digest is not None:
            bundle.fetch(str(digest))


def _say_what_it_means(predicate: Mapping[str, Any], trusted: bool, say: Callable[[str], None]) -> None:
    counts = predicate["counts"]
    say(
        f"It says: {predicate['verdict']}, {predicate['role']} {' '.join(predicate['positions'])}".rstrip()
        + f", {predicate['pack']['id']} {predicate['pack']['version']}; required {counts['required']}, "
        f"executed {counts['executed']}, passed {counts['passed']}; {predicate['assurance']}."
    )
    if not predicate["complete"]:
        say("The run was not finished: the record is incomplete.")
    open_questions = ["that the messages were exchanged with the system it names, at the time it names"]
    if not predicate["plan"]["challenge"]:
        open_questions.append("that the run is fresh (no challenge was given before it)")
    if not trusted:
        open_questions.append("who signed it")
    say("A bundle cannot prove by itself: " + "; ".join(open_questions) + ".")


def _out_of_date(validity: Mapping[str, str], at: datetime, say: Callable[[str], None]) -> str | None:
    try:
        since, until = (datetime.fromisoformat(validity[name]) for name in ("from", "until"))
        early, late = at < since, at > until
    except (ValueError, TypeError):
        raise BundleFault("the statement's validity is not a period of time") from None
    if early:
        return f"NOT IN DATE: it is valid only from {validity['from']}."
    if late:
        return f"NOT IN DATE: it was valid until {validity['until']}."
    say(f"It is valid until {validity['until']}.")
    return None


def _read(path: Path, most: int | None = None) -> bytes:
    try:
        if path.is_symlink() or (most is not None and path.stat().st_size > most):
            raise BundleFault(f"{path.name} is a link, or larger than it may be")
        return path.read_bytes()
    except FileNotFoundError:
        raise BundleFault(f"{path.name} is missing: the bundle is not signed or not complete") from None
    except OSError as problem:
        raise BundleFault(f"{path.name} cannot be read: {problem.strerror}") from None
