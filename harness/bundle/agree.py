"""Whether the parts of a bundle say the same: statement and record, claims and plan; and which pack it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from cryptography import x509
from jsonschema.exceptions import best_match

from harness.bundle.statement import make_predicate
from harness.errors import BundleFault
from harness.pack.data import published_validator
from harness.pack.layers import find_installed
from harness.record.tool import this_tool
from harness.scenario.claim import claims_of, procedures_of
from harness.security.issue import is_test


def check_record(record: Any) -> None:
    """Whether a record is what the published schema says.

    Raises:
        BundleFault: it is not; names the place.
    """
    problem = best_match(published_validator("record").iter_errors(record))
    if problem is not None:
        raise BundleFault(f"record.json is not a record, at {problem.json_path}: {problem.message[:200]}")


def check_predicate(predicate: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """Whether the statement says what the record says.

    Raises:
        BundleFault: it does not, or the record is none.
    """
    try:
        expected = make_predicate(record, demo=predicate["demo"])
    except (KeyError, TypeError, AttributeError) as unread:
        check_record(record)
        raise BundleFault(f"record.json is not one that this version can read: {unread!r}") from None
    names = {*expected, *predicate} if record["tool"] == this_tool() else expected.keys() & predicate.keys()
    for name in sorted(names):
        if expected.get(name) != predicate.get(name):
            raise BundleFault(f"the statement and record.json do not say the same about {name}")


def is_trial(plan: Mapping[str, Any]) -> bool:
    """Whether the system's messages were believed on an authority that is marked TEST: that certifies nothing."""
    anchors = plan["parameters"]["anchors"]
    return any(is_test(x509.load_pem_x509_certificate(each.encode())) for each in anchors)


def check_trial(predicate: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
    """Whether the statement about a trial says that it is one.

    Raises:
        BundleFault: it does not.
    """
    if is_trial(plan) and not predicate["demo"]:
        raise BundleFault("the statement does not say that the run was made with TEST certificates")


def check_claims(ics: Mapping[str, Any], planned: Collection[str] | None, procedures: Collection[str]) -> None:
    """Whether the cases were selected by what the system claims.

    Parameters:
        ics: the claims in the bundle; empty where there are none.
        planned: the messages that the plan says are claimed; ``None`` means all of the role.
        procedures: those that the plan says persons work.

    Raises:
        BundleFault: they are not the same.
    """
    try:
        claimed, worked = claims_of(ics), procedures_of(ics)
    except AttributeError:
        raise BundleFault("ics.json holds no claims") from None
    if (None if claimed is None else set(claimed)) != (None if planned is None else set(planned)):
        raise BundleFault(
            f"plan.json and ics.json do not claim the same messages: {_listed(planned)}, and {_listed(claimed)}"
        )
    if set(worked) != set(procedures):
        raise BundleFault(
            f"plan.json and ics.json do not claim the same procedures: {_listed(procedures)}, and {_listed(worked)}"
        )


def _listed(names: Collection[str] | None) -> str:
    return "all of the role" if names is None else ", ".join(sorted(names)) or "none"


def beside_installed(pack: Mapping[str, Any]) -> tuple[str, Literal["proved", "not proved"]]:
    """Whether a pack of a bundle is the one that comes with this harness: in words, and how far that is proved.

    Parameters:
        pack: its ``id``, ``version`` and ``digest``.
    """
    name, here = f"{pack['id']} {pack['version']}", find_installed(pack["id"])
    if here is None:
        return f"The pack {name} does not come with this harness, so that it was compared with none.", "not proved"
    if here.version != pack["version"]:
        return f"The pack {name} was compared with none: this harness comes with version {here.version}.", "not proved"
    if here.digest != pack["digest"]:
        return (
            f"The pack {name} of this bundle has ANOTHER CONTENT than the one of the same version that comes with this "
            f"harness: {pack['digest']}, here {here.digest}. The bundle was judged with its own; `c2c rejudge` shows "
            f"what the other one says.",
            "not proved",
        )
    return f"The pack {name} is the one that comes with this harness.", "proved"
