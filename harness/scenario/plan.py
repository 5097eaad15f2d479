"""The plan of a run: pack + cases + parameters, hashed as *baseline* and *environment* apart.

The baseline is what is tested (pack and cases); the environment is with whom and with which data. A plan can
be written down and read again; the cases are then made anew from the pack and must come out the same.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from harness.errors import BundleFault, ConfigurationFault
from harness.pack.model import Pack
from harness.scenario.cases import cases_of
from harness.scenario.claim import not_claimed, rule
from harness.scenario.control import controls_of
from harness.scenario.guide import COVERED, acts, choose
from harness.scenario.load import load_scenarios
from harness.scenario.mistakes import mistakes
from harness.scenario.model import Attest, Case, Depth
from harness.scenario.project import exchanges, mode, seats
from harness.scenario.waiver import Waiver, check_waivers, waiver_from_json, waiver_to_json

_MARK = 16
NOT_SELECTED = "not selected"
"""The rule that leaves a case out because of a selection."""

END = "~end"
"""Suffix of a positive control that is played once more at the end."""


@dataclass(frozen=True)
class Subject:
    """The SUT as the plan knows it.

    Parameters:
        role: its role.
        positions: the positions that it claims; empty for a role with one seat.
        facts: what messages say about it (``country``, ``office``, ...), by seat id, or ``""`` for all seats.
        authority, product, version, contact: who it is, for reports.
        language: of the reports for people.
        observable: whether a control interface can be asked for its state.
        claims: messages that it supports; ``None`` means all (from the ICS).
        procedures: those that persons beside it work in the run (from the ICS).
        signers: SHA-256 of the certificates (DER) that it signs with, hexadecimal; empty means not known.
    """

    role: str
    positions: tuple[str, ...] = ()
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    authority: str = ""
    product: str = ""
    version: str = ""
    contact: str = ""
    language: str = "en"
    observable: bool = True
    claims: tuple[str, ...] | None = None
    signers: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameters:
    """Everything of a run that is not the pack and not the SUT.

    Parameters:
        seed: all generated data follow from it.
        first: number of the first movement: never used twice against one system that cannot be reset.
        token: goes into the reference of every message that we send, see :func:`mark_of`: the challenge, or the run.
        challenge: what an operator gave before the run, hexadecimal, or ``None``.
        select: patterns over case ids; empty means all.
        timers: the pack's timers with the target's changes.
        pools: the pack's pools with the target's.
        anchors, crls, ocsp: what the SUT's signatures are believed on; PEM texts, and OCSP answers in Base64.
        adopt_assumed: the operator's policy counts requirements whose source is ``assumed``.
        assurance: ``self-declaration``, ``witnessed`` or ``operator``.
        waivers: failures that an operator has accepted.
        depth: how many cases are derived from the tables of the pack.
        shuffle: the cases between the controls are played in an order that follows from this number; ``None`` keeps
            that of the pack.
        by_hand: a person makes the system act: as few cases as carry every requirement, see
            :mod:`harness.scenario.guide`.
    """

    seed: int = 0
    first: int = 0
    token: str = ""
    challenge: str | None = None
    select: tuple[str, ...] = ()
    timers: Mapping[str, timedelta] = field(default_factory=dict)
    pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    anchors: tuple[str, ...] = ()
    crls: tuple[str, ...] = ()
    ocsp: tuple[str, ...] = ()
    adopt_assumed: bool = False
    assurance: str = "self-declaration"
    waivers: tuple[Waiver, ...] = ()
    depth: Depth = "full"
    shuffle: int | None = None
    by_hand: bool = False


def mark_of(token: str) -> str:
    """What every reference of a run begins with: the token, or instead of a long one the start of its SHA-256.

    Its 16 characters leave room for what makes a reference unique, within the 35 that customs data models allow.
    """
    return hashlib.sha256(token.encode()).hexdigest()[:_MARK] if len(token) > _MARK else token or "R"


@dataclass(frozen=True)
class Excluded:
    """A case that is not played.

    Parameters:
        id: of the case.
        rule: what excluded it: ``not claimed: MESSAGE, ...`` or ``not selected``.
        requirements: the demands that it would have tested.
        unclaimed: the messages and procedures that it needs, or its positive control, and that are not claimed.
    """

    id: str
    rule: str
    requirements: tuple[str, ...] = ()
    unclaimed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Annex:
    """Questions of another pack, which are asked beside a run and change nothing in its verdict.

    Parameters:
        plan: its cases.
        pack: the pack that asks.
    """

    plan: Plan
    pack: Pack


@dataclass(frozen=True)
class Plan:
    """What is played against whom, with which data.

    Parameters:
        pack, pack_version, pack_digest: the profile.
        subject: the SUT.
        parameters: the rest.
        cases: in playing order: positive controls first, then the others, then the controls once more.
        excluded: everything else that the pack could have played.
        annexes: what is asked beside it.
    """

    pack: str
    pack_version: str
    pack_digest: str
    subject: Subject
    parameters: Parameters
    cases: tuple[Case, ...]
    excluded: tuple[Excluded, ...] = ()
    annexes: tuple[Annex, ...] = ()

    @property
    def baseline(self) -> str:
        """Short hash of what is tested: pack, case ids and versions."""
        return _short("TB", [self.pack, self.pack_digest, [[case.id, case.version] for case in self.cases]])

    @property
    def environment(self) -> str:
        """Short hash of with whom and with which data."""
        document = plan_to_json(self)
        return _short("TE", [document["sut"], document["parameters"]])


def make_plan(pack: Pack, subject: Subject, parameters: Parameters, annexes: Sequence[Pack] = ()) -> Plan:
    """Choose and order the cases.

    Parameters:
        pack: the profile.
        subject: the SUT.
        parameters: the rest.
        annexes: packs whose questions are asked beside it.

    Raises:
        ConfigurationFault: the role or a position is not in the pack, a selection matches no case, a
            scenario contradicts the life-cycle table or cannot be played, or an annex does more than ask.
    """
    for scenario in load_scenarios(pack):
        for fault in mistakes(scenario, pack):
            raise fault
    timers = {**pack.timers, **parameters.timers}
    pools = {**pack.pools, **parameters.pools}
    parameters = replace(parameters, timers=timers, pools=pools)
    candidates = [
        case
        for seat in _seats(pack, subject)
        for case in cases_of(pack, seat, {**subject.facts.get("", {}), **subject.facts.get(seat, {})}, parameters.depth)
    ]
    check_waivers(parameters.waivers, {case.id for case in candidates}, set(pack.requirements))
    controls = controls_of(candidates)
    unclaimed = {case.id: not_claimed(case, subject.claims, subject.procedures) for case in candidates}
    wanted, excluded = [], []
    for case in candidates:
        missing = unclaimed[case.id] or unclaimed.get(controls.get(case.id, ""), ())
        if missing:
            excluded.append(Excluded(case.id, rule(pack, subject.role, missing), case.requirements, missing))
        elif not _selected(case, parameters):
            excluded.append(Excluded(case.id, NOT_SELECTED, case.requirements))
        else:
            wanted.append(replace(case, control=controls.get(case.id)))
    if parameters.select and not wanted:
        raise ConfigurationFault(
            f"no case matches {' '.join(parameters.select)!r}",
            expected="a case id or a pattern such as 'lifecycle-*@departure'",
            remedy="`c2c list` shows all case ids.",
        )
    ordered = tuple(_ordered(wanted, candidates, parameters.shuffle))
    if parameters.by_hand:
        ordered, spared = by_hand(ordered, pack)
        excluded.extend(Excluded(case.id, COVERED, case.requirements) for case in spared)
    return Plan(
        pack.id,
        pack.version,
        pack.digest,
        subject,
        parameters,
        tuple(replace(case, serial=parameters.first + number) for number, case in enumerate(ordered)),
        tuple(excluded),
        tuple(_annex(each, subject, {case.id for case in ordered}) for each in annexes),
    )


def _annex(pack: Pack, subject: Subject, taken: Collection[str]) -> Annex:
    """All questions of a pack that only asks; whoever runs the SUT answers them, in its only role."""
    role = next(iter(pack.roles))
    asked = replace(subject, role=role, positions=(), facts={}, claims=None, procedures=tuple(pack.procedures))
    plan = make_plan(pack, asked, Parameters())
    for case in plan.cases:
        if case.id in taken or len(pack.roles) > 1 or not all(isinstance(step, Attest) for step in case.steps):
            raise ConfigurationFault(
                f"the pack {pack.id} cannot be an annex: {case.id} does more than ask, or is not alone of its name",
                where=case.where,
                expected="a pack with one role whose scenarios consist of `attest:` steps",
            )
    return Annex(plan, pack)


def by_hand(ordered: Sequence[Case], pack: Pack) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """The cases that are played where a person makes the system act, and those that are spared.

    What a person does is done once: such a control is not played once more at the end.
    """
    acting = [case for case in ordered if acts(case) and not case.id.endswith(END)]
    free = [case for case in ordered if not acts(case)]
    chosen = choose(acting, [case for case in free if not case.id.endswith(END)], pack)
    ids = {case.id for case in chosen}
    return (*free, *chosen), tuple(case for case in acting if case.id not in ids and not case.is_control)


def _seats(pack: Pack, subject: Subject) -> Iterator[str]:
    if subject.role not in pack.roles:
        raise ConfigurationFault(
            f"the pack {pack.id} has no role {subject.role!r}", expected="one of " + ", ".join(pack.roles)
        )
    for seat in seats(pack, subject.role):
        if not subject.positions or pack.parties[seat].position in subject.positions:
            yield seat
    for position in subject.positions:
        if position not in pack.roles[subject.role].positions:
            raise ConfigurationFault(
                f"the role {subject.role} has no position {position!r}",
                expected="one of " + ", ".join(pack.roles[subject.role].positions),
            )


def _selected(case: Case, parameters: Parameters) -> bool:
    return not parameters.select or any(fnmatchcase(case.id, pattern) for pattern in parameters.select)


def _ordered(wanted: Sequence[Case], candidates: Sequence[Case], shuffle: int | None) -> Iterator[Case]:
    """Controls first (those of selected cases are pulled in), then the rest, then the controls at the end."""
    chosen = {case.id for case in wanted}
    needed = {case.control for case in wanted if case.control}
    controls = [
        case if case.id in chosen else replace(case, is_control=True) for case in candidates if case.id in needed
    ]
    yield from controls
    rest = [case for case in wanted if case.id not in needed]
    if shuffle is not None:
        random.Random(shuffle).shuffle(rest)  # noqa: S311 - an order, not a secret
    yield from rest
    yield from (replace(case, id=case.id + END, is_control=True, control=None) for case in controls)


def selected_by(plan: Plan, case: Case) -> str:
    """The rule that selected a case of a plan, in a few words."""
    if case.id.endswith(END):
        return "positive control, once more at the end"
    if case.is_control:
        return f"positive control of {sum(each.control == case.id for each in plan.cases)} selected cases"
    pattern = next((each for each in plan.parameters.select if fnmatchcase(case.id, each)), None)
    if pattern is not None:
        return f"selected by {pattern}"
    claims = plan.subject.claims
    needed = dict.fromkeys(step.message for step in exchanges(case.steps) if mode(step, case.sut) != "simulate")
    return "everything is claimed" if claims is None else f"claimed: {', '.join(needed)}"


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan as it stands in ``plan.json``."""
    subject, parameters = plan.subject, plan.parameters
    return {
        "schema": "c2c-harness/plan/1",
        "pack": {"id": plan.pack, "version": plan.pack_version, "digest": plan.pack_digest},
        "sut": {
            "role": subject.role,
            "positions": list(subject.positions),
            "facts": {seat: dict(facts) for seat, facts in subject.facts.items()},
            "authority": subject.authority,
            "product": subject.product,
            "version": subject.version,
            "contact": subject.contact,
            **({} if subject.language == "en" else {"language": subject.language}),
            "observable": subject.observable,
            "claims": None if subject.claims is None else list(subject.claims),
            "signers": list(subject.signers),
            **({"procedures": list(subject.procedures)} if subject.procedures else {}),
        },
        "parameters": {
            "seed": parameters.seed,
            "first": parameters.first,
            "token": parameters.token,
            "challenge": parameters.challenge,
            "select": list(parameters.select),
            "timers": {name: value.total_seconds() for name, value in sorted(parameters.timers.items())},
            "pools": {name: list(entries) for name, entries in sorted(parameters.pools.items())},
            "anchors": list(parameters.anchors),
            "crls": list(parameters.crls),
            **({"ocsp": list(parameters.ocsp)} if parameters.ocsp else {}),
            "adopt_assumed": parameters.adopt_assumed,
            "assurance": parameters.assurance,
            "waivers": [waiver_to_json(each) for each in parameters.waivers],
            "depth": parameters.depth,
            **({} if parameters.shuffle is None else {"shuffle": parameters.shuffle}),
            **({"by_hand": True} if parameters.by_hand else {}),
        },
        "cases": [{"id": case.id, "version": case.version, "control": case.control} for case in plan.cases],
        "excluded": [{"id": case.id, "rule": case.rule} for case in plan.excluded],
        **({"annexes": [plan_to_json(annex.plan) for annex in plan.annexes]} if plan.annexes else {}),
    }


def plan_from_json(document: Mapping[str, Any], pack: Pack, annexes: Sequence[Pack] = ()) -> Plan:
    """Read a plan; the cases are made from the packs, and must be the planned ones.

    Raises:
        BundleFault: the document is no plan, or the pack is not the planned one.
    """
    try:
        sut, parameters = document["sut"], document["parameters"]
        claims = sut["claims"]
        plan = make_plan(
            pack,
            Subject(
                **{
                    **sut,
                    "positions": tuple(sut["positions"]),
                    "claims": None if claims is None else tuple(claims),
                    "signers": tuple(sut["signers"]),
                    "procedures": tuple(sut.get("procedures", ())),
                }
            ),
            Parameters(
                **{
                    **parameters,
                    **{name: tuple(parameters.get(name, ())) for name in ("select", "anchors", "crls", "ocsp")},
                    "timers": {name: timedelta(seconds=value) for name, value in parameters["timers"].items()},
                    "pools": {name: tuple(entries) for name, entries in parameters["pools"].items()},
                    "waivers": tuple(waiver_from_json(each) for each in parameters["waivers"]),
                }
            ),
            annexes,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise BundleFault(f"plan.json is not a plan: {problem}") from problem
    if plan_to_json(plan) != document:
        raise BundleFault("the cases made from the pack are not the planned ones", expected="the pack of the plan")
    return plan


def _short(prefix: str, document: Any) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
