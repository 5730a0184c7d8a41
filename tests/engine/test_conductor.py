"""Hosts in lock-step: they begin a task together, in their order, and nothing that goes wrong is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opsplay.engine.conductor import Linear, Turn
from tests.engine.playing import play, write_inventory


def test_hosts_begin_in_their_order_whoever_comes_last() -> None:
    task: Any = SimpleNamespace(uid="t")
    begun: list[str] = []

    async def all_of_them() -> None:
        linear = Linear(["a", "b", "c"], lambda turn: None)

        async def one(host: str, after: float) -> None:
            await asyncio.sleep(after)
            await linear.turn(host, (0,), task)
            begun.append(host)

        await asyncio.gather(one("a", 0.02), one("b", 0.01), one("c", 0))

    asyncio.run(all_of_them())
    assert begun == ["a", "b", "c"]


def test_an_error_at_the_beginning_of_a_task_meets_a_host() -> None:
    task: Any = SimpleNamespace(uid="t")

    def begin(turn: Turn) -> None:
        raise ValueError("told")

    async def all_of_them() -> Any:
        linear = Linear(["a", "b"], begin)

        async def one(host: str) -> None:
            try:
                await linear.turn(host, (0,), task)
            finally:
                linear.active.discard(host)
                linear.waiting.clear()

        first = asyncio.ensure_future(one("a"))
        with pytest.raises(ValueError, match="told"):
            await asyncio.wait_for(one("b"), 5)
        first.cancel()
        return await asyncio.gather(first, return_exceptions=True)

    assert isinstance(asyncio.run(all_of_them())[0], asyncio.CancelledError)


def test_a_step_without_an_answer_ends_the_run_for_all_hosts(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: 1}}]\n")
    played = play(tmp_path, inventory=[write_inventory(tmp_path, ["h1", "h2", "h3"])], step=True)
    assert played.error is not None and "--step asks before each task" in played.error.message
