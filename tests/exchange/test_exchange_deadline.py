from __future__ import annotations

import asyncio

from harness.exchange.deadline import Deadline


def rings(*moves, wait: float) -> list[float]:
    """When a deadline rang, in seconds from the start, while these moves were made one after the other."""

    async def scene() -> list[float]:
        loop, rang = asyncio.get_running_loop(), []
        start = loop.time()
        deadline = Deadline(lambda: rang.append(loop.time() - start))
        for seconds, move in moves:
            await asyncio.sleep(seconds)
            move(deadline)
        await asyncio.sleep(wait)
        return rang

    return asyncio.run(scene())


def test_a_deadline_rings_once():
    (rang,) = rings((0, lambda it: it.set(0.02)), wait=0.2)
    assert rang >= 0.01


def test_a_deadline_that_moves_away_rings_when_the_last_one_is_over():
    (rang,) = rings((0, lambda it: it.set(0.02)), (0, lambda it: it.set(0.2)), wait=0.5)
    assert rang >= 0.19


def test_a_deadline_that_comes_nearer_rings_then():
    (rang,) = rings((0, lambda it: it.set(30)), (0, lambda it: it.set(0.02)), wait=0.3)
    assert rang < 30


def test_a_deadline_that_is_lifted_or_closed_does_not_ring():
    assert rings((0, lambda it: it.set(0.02)), (0, Deadline.lift), wait=0.1) == []
    assert rings((0, lambda it: it.set(0.02)), (0, Deadline.close), wait=0.1) == []


def test_a_lifted_deadline_can_be_set_again():
    assert len(rings((0, lambda it: it.set(0.02)), (0, Deadline.lift), (0.05, lambda it: it.set(0.02)), wait=0.2)) == 1
