"""Reference parties talk to each other over TLS, and every fault changes what it says and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from reference_bench import Play, Table

from harness.pack.model import Pack

Sit = Callable[..., None]

DEPARTURE, TRANSIT = "customs.departure", "customs.transit"
HOLDER = {"holder": "UZB/999/000017"}


async def register(table: Table) -> dict[str, str]:
    """The chain registers a guarantee; its number is what everybody needs from then on."""
    assert await table.act("chain", "E1", "platform", HOLDER) == "accepted (accepted)"
    (number,) = {value for name, value in table.parties["chain"].party.book.heard if name == "guarantee"}
    return {"guarantee": number, **HOLDER}


async def start(table: Table) -> dict[str, str]:
    """Everything up to and with the start in the country of departure."""
    given = await register(table)
    for message in ("I1", "I7", "I9"):
        assert (await table.act(DEPARTURE, message, "platform", given)).startswith("accepted")
    return given


def test_a_movement_from_registration_to_discharge(sit: Sit, etir: Pack) -> None:
    async def play(table: Table) -> None:
        given = await register(table)
        number = given["guarantee"]
        assert (await table.act("holder", "E9", "platform", given)).startswith("accepted")
        assert "E9 from platform: accepted" in table.lines, "customs has seen what the holder sent"
        for message in ("I1", "I7", "I9", "I11"):
            assert (await table.act(DEPARTURE, message, "platform", given)).startswith("accepted")
        assert table.state("platform", "operation", guarantee=number, country="UZ") == "terminated"
        assert table.state("customs", "operation", guarantee=number, country="UZ") == "terminated"
        for message in ("I9", "I11", "I13"):
            assert (await table.act(TRANSIT, message, "platform", given)).startswith("accepted")
        assert table.state("platform", "operation", guarantee=number, country="TM") == "discharged"
        await table.until(lambda: table.lines.count("E7 to chain: accepted (accepted)") == 6)
        await table.until(lambda: sum(line.startswith("I15 to customs") for line in table.lines) == 12)
        assert not [line for line in table.lines if "I15" in line and "accepted" not in line]

    sit(etir, play)


def test_notifications_leave_out_who_caused_them(sit: Sit, etir: Pack) -> None:
    async def play(table: Table) -> None:
        given = await register(table)
        await table.act(DEPARTURE, "I1", "platform", given)
        await table.act(DEPARTURE, "I7", "platform", given)
        await table.until(lambda: sum(line.startswith("I15 to") for line in table.lines) == 2)
        assert not [line for line in table.lines if line.startswith(f"I15 to {DEPARTURE}")]

    sit(etir, play)


@pytest.mark.parametrize(
    ("message", "change", "answer"),
    [
        ("I1", {"guarantee": "XC95999999"}, "refused (301 at /ObligationGuarantee/ReferenceID)"),
        ("I1", {"holder": "UZB/999/000025"}, "refused (320 at /)"),
        ("I9", {}, "refused (201 at /)"),
        ("I11", {}, "refused (201 at /)"),
    ],
)
def test_the_table_refuses(sit: Sit, etir: Pack, message: str, change: dict[str, str], answer: str) -> None:
    async def play(table: Table) -> None:
        given = await register(table)
        assert await table.act(DEPARTURE, message, "platform", {**given, **change}) == answer
        assert table.state("customs", "operation", guarantee=given["guarantee"], country="UZ") == "none"

    sit(etir, play)


def test_a_missing_field_is_answered_with_its_pointer(sit: Sit, etir: Pack) -> None:
    async def play(table: Table) -> None:
        given = await register(table)
        answer = await table.act(DEPARTURE, "I1", "platform", {**given, "holder": None})
        assert answer.startswith("refused (101 at /ObligationGuarantee/Principal")

    sit(etir, play)


def test_neighbours_without_a_platform(sit: Sit, neighbours: Pack) -> None:
    async def play(table: Table) -> None:
        arrival = {"consignment": "XA26AA000001"}
        assert (await table.act("customs.import", "arrival", "customs.export", arrival)).startswith("refused (L02")
        assert (await table.act("customs.export", "notice", "customs.import", arrival)).startswith("accepted")
        assert (await table.act("customs.import", "arrival", "customs.export", arrival)).startswith("accepted")
        assert (await table.act("customs.import", "arrival", "customs.export", arrival)).startswith("refused (L03")

    sit(neighbours, play, apart=True)


async def starts_early(table: Table) -> None:
    """Start without a declaration: 220."""
    given = await register(table)
    await table.act(DEPARTURE, "I1", "platform", given)
    await table.act(DEPARTURE, "I9", "platform", given)


async def starts(table: Table) -> None:
    await start(table)


async def starts_twice(table: Table) -> None:
    await table.act(DEPARTURE, "I9", "platform", await start(table))


async def accepts_twice(table: Table) -> None:
    await table.act(DEPARTURE, "I1", "platform", {**await register(table), "holder": "UZB/999/000025"})


async def ends(table: Table) -> None:
    await table.act(DEPARTURE, "I11", "platform", await start(table))


async def advances(table: Table) -> None:
    await table.act("holder", "E9", "platform", await register(table))


# fault, role that makes it, what is played, what is logged with the fault, what is logged without it
FAULTS: list[tuple[str, str, Play, str, str]] = [
    (
        "starts-without-declaration",
        "platform",
        starts_early,
        "I9 to platform: accepted (accepted)",
        "I9 to platform: refused (220 at /)",
    ),
    (
        "starts-twice",
        "platform",
        starts_twice,
        "I9 from customs.departure: accepted",
        "I9 from customs.departure: refused 210 at /",
    ),
    (
        "ignores-holder",
        "platform",
        accepts_twice,
        "I1 to platform: accepted (accepted)",
        "I1 to platform: refused (320 at /)",
    ),
    (
        "answers-with-default-of-wrong-class",
        "platform",
        starts_early,
        "I9 to platform: refused (300 at /)",
        "I9 to platform: refused (220 at /)",
    ),
    (
        "answers-for-another-request",
        "platform",
        starts_early,
        "I9 to platform: broken (I10 answers another message)",
        "I9 to platform: refused (220 at /)",
    ),
    (
        "answers-start-with-web-page",
        "platform",
        starts_early,
        "I9 to platform: broken (the message cannot be read",
        "I9 to platform: refused (220 at /)",
    ),
    ("does-not-forward", "platform", advances, "E9 to platform: accepted (accepted)", "E9 to customs.departure"),
    ("starts-although-refused", "customs", starts_early, "goes on with I11 although refused", "no such line"),
    (
        "does-not-sign-termination",
        "customs",
        ends,
        "I11 to platform: broken (a SOAP fault",
        "I11 to platform: accepted (accepted)",
    ),
    (
        "alters-start-after-signing",
        "customs",
        starts_early,
        "I9 to platform: broken (a SOAP fault",
        "I9 to platform: refused (220 at /)",
    ),
    (
        "signs-with-foreign-certificate",
        "customs",
        starts_early,
        "I9 to platform: broken (a SOAP fault",
        "I9 to platform: refused (220 at /)",
    ),
    (
        "forgets-holder",
        "customs",
        starts_early,
        "I9 to platform: refused (101 at",
        "I9 to platform: refused (220 at /)",
    ),
    ("chain-hangs-up", "chain", starts, "E7 to chain: broken (no answer", "E7 to chain: accepted (accepted)"),
]


def has(table: Table, text: str) -> bool:
    return any(line.startswith(text) for line in table.lines)


@pytest.mark.parametrize(("fault", "role", "play", "said", "instead"), FAULTS, ids=[case[0] for case in FAULTS])
def test_a_fault_changes_what_it_says(
    sit: Sit, etir: Pack, fault: str, role: str, play: Play, said: str, instead: str
) -> None:
    async def with_fault(table: Table) -> None:
        await play(table)
        await table.until(lambda: has(table, said))
        assert not has(table, instead)

    sit(etir, with_fault, **{role: (fault,)})


@pytest.mark.parametrize("play", [starts_early, starts_twice, accepts_twice, ends, advances])
def test_without_a_fault_nothing_of_it_is_said(sit: Sit, etir: Pack, play: Play) -> None:
    cases = [case for case in FAULTS if case[2] is play]

    async def faultless(table: Table) -> None:
        await play(table)
        for _, _, _, said, instead in cases:
            assert instead == "no such line" or has(table, instead)
            assert not has(table, said) or "accepted" in said

    sit(etir, faultless)


@pytest.mark.parametrize("fault", ["takes-silence-to-advance-data-for-acceptance", "passes-on-unsigned-answer"])
def test_what_customs_do_not_answer_counts_as_accepted_only_where_that_is_switched_on(
    sit: Sit, etir: Pack, fault: str
) -> None:
    takes = fault == "takes-silence-to-advance-data-for-acceptance"

    async def play(table: Table) -> None:
        given = await register(table)
        said = await table.act("holder", "E9", "platform", given)
        assert has(table, "E9 to customs.departure: broken")
        assert said.startswith("accepted" if takes else "broken"), said
        assert table.state("platform", "advance", **given) == ("held" if takes else "none")

    sit(etir, play, platform=(fault,), customs=("refuses-forwarded-data",))
