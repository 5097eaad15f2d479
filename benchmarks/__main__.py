"""Run all benchmarks and print their tables: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeVar

from benchmarks.floor import Pair, floor
from benchmarks.machine import PLAIN, UVLOOP, WIRE, Machine, machine, receiving, sending
from benchmarks.measure import Against, Series, measure
from benchmarks.memory import Growth, watch_memory
from benchmarks.rooms import AVAILABLE, profiled
from benchmarks.verifying import Verifying, measure_verifying
from benchmarks.whole import Whole, play_whole
from benchmarks.world import PACK, World, world
from harness.scenario.model import Case

_Result = TypeVar("_Result")

PER_CASE = 10
"""Exchanges of one case that sends; about as many as a real case has."""


@dataclass(frozen=True)
class Row:
    """One kind of exchange: the machine over each transport, and the floor.

    Parameters:
        name: what is exchanged.
        pairs: the bytes.
        machine: by transport, each with the floor beside it.
        parts: the floor in parts.
    """

    name: str
    pairs: Sequence[Pair]
    machine: Sequence[Against]
    parts: Sequence[Series]

    @property
    def line(self) -> Series:
        """The floor as one straight line, from all its turns."""
        return _together([each.beside for each in self.machine])

    @property
    def whole(self) -> Series | None:
        """The floor of the whole case, from all its turns; ``None`` where the case is only its exchanges."""
        found = [each.whole for each in self.machine if each.whole is not None]
        return _together(found) if found else None


def _together(series: Sequence[Series]) -> Series:
    return Series(series[0].name, [sample for each in series for sample in each.samples])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything and print it."""
    options = _options(arguments)
    if options.full is not None:
        _measure_whole(options)
        return
    with world() as setting:
        print(_about(setting, options), end="\n\n")
        rows = []
        for row in _rows(setting, options):
            rows.append(row)
            print(_exchange_lines(row), end="\n\n", flush=True)
        print(_floor_lines(rows), end="\n\n", flush=True)
        for each in measure_verifying(setting, units=options.units, repeats=options.repeats):
            print(_verifying_lines(each), end="\n\n", flush=True)
        case = sending(setting, options.messages[0], PER_CASE)
        if AVAILABLE:
            print(_room_lines(setting, case, options), end="\n\n", flush=True)
        if options.exchanges:
            print(_memory_line(_play(setting, case, WIRE, lambda it: watch_memory(it, options.exchanges))))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--units", type=int, default=200, help="exchanges in one repeat")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of each measurement")
    parser.add_argument("--exchanges", type=int, default=5_000, help="exchanges while memory is watched; 0: not")
    parser.add_argument("--messages", nargs="+", default=["I9", "I7"], help="messages that are sent")
    parser.add_argument(
        "--full",
        nargs="?",
        const="",
        metavar="ROLE",
        help="instead: play the whole default suite of a role once, and compare it with the floor (takes minutes)",
    )
    parser.add_argument("--select", action="append", default=[], metavar="EXPR", help="only these cases of --full")
    return parser.parse_args(arguments)


def _measure_whole(options: argparse.Namespace) -> None:
    """Play a whole run, and compare it with as many exchanges of the floor, by the side that begins them."""
    whole = play_whole(options.full or None, options.select)
    with world() as setting:
        print(_about(setting, options), end="\n\n")
        here = _least(setting, sending(setting, options.messages[0], PER_CASE), options)
        there = _least(setting, _receiving(setting, options), options)
    print(_whole_lines(whole, here, there))


def _least(setting: World, case: Case, options: argparse.Namespace) -> Series:
    with floor(setting, *_play(setting, case, WIRE, Machine.told)) as least:
        return measure("floor", least.line, units=options.units, repeats=options.repeats)


def _receiving(setting: World, options: argparse.Namespace) -> Case:
    seat = next(name for name, party in setting.pack.parties.items() if party.position)
    return receiving(setting, f"lifecycle-{options.messages[0]}-accepted", seat)


def _rows(setting: World, options: argparse.Namespace) -> Iterator[Row]:
    transports = (PLAIN, WIRE, UVLOOP) if find_spec("uvloop") else (PLAIN, WIRE)
    for message in options.messages:
        yield _row(setting, f"{message} sent", sending(setting, message, PER_CASE), transports, options)
    case = _receiving(setting, options)
    yield _row(setting, f"up to {options.messages[0]} received", case, transports[1:], options)


def _row(setting: World, name: str, case: Case, transports: Sequence[str], options: argparse.Namespace) -> Row:
    pairs, beside = _play(setting, case, WIRE, Machine.told)
    measured = []
    with floor(setting, pairs, beside) as least:
        for transport in transports:

            def measure(it: Machine, transport: str = transport) -> Coroutine[Any, Any, Against]:
                return it.measure(transport, least, units=options.units, repeats=options.repeats)

            measured.append(_play(setting, case, transport, measure))
        return Row(name, pairs, measured, least.parts(units=options.units, repeats=options.repeats))


def _play(setting: World, case: Case, transport: str, do: Callable[[Machine], Coroutine[Any, Any, _Result]]) -> _Result:
    """Do something with a machine of its own, on an event loop of its own."""

    async def session() -> _Result:
        async with machine(setting, case, transport) as it:
            return await do(it)

    factory = None
    if transport == UVLOOP:
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(session())


# --- tables -----------------------------------------------------------------------------------------------------------


def _about(setting: World, options: argparse.Namespace) -> str:
    here, there = setting.cores
    place = "not pinned" if here is None else f"on core {here}, its counterpart on core {there}"
    return (
        f"{PACK}; {platform.python_implementation()} {platform.python_version()}, {platform.system()}, "
        f"{os.cpu_count()} cores; {place}.\n"
        f"Processor time of this process for one exchange in microseconds: median (least-most) of {options.repeats} "
        f"repeats of {options.units} exchanges."
    )


def _exchange_lines(row: Row) -> str:
    sent = sum(len(pair.sent) for pair in row.pairs) / len(row.pairs)
    received = sum(len(pair.received) for pair in row.pairs) / len(row.pairs)
    lines = [
        f"{row.name}: {sent:,.0f} bytes out, {received:,.0f} in",
        f"  {'':26}{'CPU':>22} {'1/CPU':>9} {'seen':>9} {'to floor of':>14}",
        f"  {'':26}{'us':>22} {'per s':>9} {'per s':>9} {'exchange':>9}{'case':>6}",
    ]
    shown = [(each.series, f"{each.ratio:9.2f}{each.to_whole:6.2f}") for each in row.machine]
    for series, ratios in (*shown, (row.line, ""), *([(row.whole, "")] if row.whole else [])):
        spread = f"{series.cpu:,.0f} ({series.least:,.0f}-{series.most:,.0f})"
        rates = f"{1e6 / series.cpu:9,.0f} {series.rate:9,.0f} {ratios}"
        lines.append(f"  {series.name:26}{spread:>22} {rates}".rstrip())
    return "\n".join(lines)


def _whole_lines(whole: Whole, here: Series, there: Series) -> str:
    least, run = whole.floor(here, there), whole.sample
    return "\n".join(
        (
            f"Whole run of {whole.role}: {whole.verdict}, {whole.cases:,} cases, {run.units:,} exchanges "
            f"({whole.begun_here:,} begun here, {whole.begun_there:,} by the other side)",
            f"  wall time                 {run.wall:10.1f} s",
            f"  processor time            {run.cpu:10.1f} s   {1e3 * run.cpu / run.units:.2f} ms for an exchange",
            f"  as many of the floor      {least:10.1f} s   {here.cpu:,.0f} us for one begun here, "
            f"{there.cpu:,.0f} us for the others",
            f"  ratio to floor            {run.cpu / least:10.2f}     the floor is {least / run.cpu:.1%} of the run",
        )
    )


def _floor_lines(rows: Sequence[Row]) -> str:
    lines = ["The floor in parts, us", "  " + " " * 26 + "".join(f"{row.name:>22}" for row in rows)]
    for number, part in enumerate(rows[0].parts):
        lines.append(f"  {part.name:26}" + "".join(f"{row.parts[number].cpu:22,.0f}" for row in rows))
    lines.append(f"  {'sum of the parts':26}" + "".join(f"{sum(p.cpu for p in row.parts):22,.0f}" for row in rows))
    lines.append(f"  {'one straight line':26}" + "".join(f"{row.line.cpu:22,.0f}" for row in rows))
    return "\n".join(lines)


def _verifying_lines(found: Verifying) -> str:
    lines = [f"Verifying an envelope of {found.size:,} bytes, {found.key}", f"  {'':26}{'CPU, us':>22} {'ratio':>8}"]
    rows = [(each.series, each.ratio) for each in found.compared]
    for series, ratio in (*rows, (found.compared[0].beside, 1.0)):
        spread = f"{series.cpu:,.0f} ({series.least:,.0f}-{series.most:,.0f})"
        lines.append(f"  {series.name:26}{spread:>22} {ratio:8.2f}")
    lines.append(f"  {'path to the anchor, apart':26}{found.path.cpu:22,.0f}")
    if found.of_the_other is not None:
        lines.append(f"  this harness takes {found.of_the_other:.2f} of what python-xmlsec takes")
    return "\n".join(lines)


def _room_lines(setting: World, case: Case, options: argparse.Namespace) -> str:
    async def watch(it: Machine) -> str:
        await it.play(PER_CASE)
        with profiled() as profile:
            await it.play(max(1, 5 * options.units // PER_CASE))
        shares = [f"  {share:6.1%}  {place}" for place, share in profile.by_room()]
        modules = [f"  {share:6.1%}  {place}" for place, share in profile.by_module() if share >= 0.02]
        return "\n".join([f"Where the time goes: {case.title} sent, {WIRE}", *shares, "Modules from 2 % on", *modules])

    return _play(setting, case, WIRE, watch)


def _memory_line(growth: Growth | None) -> str:
    if growth is None:
        return "Memory: this system does not tell how much a process holds."
    first, last = (f"{growth.bytes[n] / 1e6:.1f} MB after {growth.exchanges[n]:,} exchanges" for n in (0, -1))
    return (
        f"Memory: {first}, {last}; "
        f"growth in the second half: {growth.per_ten_thousand / 1e6:+.2f} MB for 10,000 exchanges."
    )


if __name__ == "__main__":
    main()
