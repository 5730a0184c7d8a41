"""Requests beside others: a process each on the host, one connection; cancels, deaths and ends as everywhere."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opsplay.transport.protocol import Step
from tests.transport.hosts import ask, finish, gone, opened, processes_with
from tests.transport.test_interpreter import marked_sleep

Make = Callable[..., Any]


def beside(module: str, **args: Any) -> Step:
    return Step(module, args, beside=True)


def test_they_overlap_and_each_gets_its_own_answer(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            await ask(session, "t_echo", {"beside": True}, n=-1)
            begun = time.monotonic()
            slow = [session.submit([beside("t_sleep", seconds=0.8 + n / 10)]) for n in range(3)]
            quick = session.submit([Step("t_echo", {"n": 1}, body=b"raw" * 100_000, beside=True)])
            reply = await quick.replies[0]
            assert (reply.result["n"], reply.body) == (1, b"raw" * 100_000)
            assert not any(request.replies[0].done() for request in slow)
            assert (await ask(session, "ping", data="between"))["ping"] == "between", "others do not wait for them"
            done = [(await request.replies[0]).result["slept"] for request in slow]
            assert done == [0.8, 0.9, 1.0]
            assert time.monotonic() - begun < 2.4, "one after the other they take 2.7 s"

    finish(work)


def test_workers_are_used_again_and_learn_new_modules(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            async def pid() -> str:
                request = session.submit([beside("t_spawn", argv=["sh", "-c", "echo $PPID"])])
                return str((await request.replies[0]).result["stdout"])

            first = await pid()
            session.teach("t_late", "from opsplay.remote.spec import Spec\nSPEC = Spec(open_ended=True)\ndef act(system, args):\n    return {'late': 1}\n")
            assert (await session.submit([beside("t_late")]).replies[0]).result["late"] == 1
            assert await pid() == first
            await ask(session, "ping", data="the loop is over")
            assert await pid() != first, "nothing is kept that is not needed"

    finish(work)


def test_one_is_cancelled_and_the_others_go_on(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            mark, argv = marked_sleep()
            doomed = session.submit([beside("t_spawn", argv=argv)])
            other = session.submit([beside("t_sleep", seconds=1)])
            while not processes_with(mark):
                await asyncio.sleep(0.05)
            await doomed.cancel()
            assert await gone(mark, 3)
            assert (await doomed.replies[0]).result["cancelled"] is True
            assert (await other.replies[0]).result["slept"] == 1

    finish(work)


def test_a_deadline_holds(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            requests = [session.submit([Step("t_sleep", {"seconds": 20}, deadline=0.5, beside=True)]) for _ in range(2)]
            results = [(await request.replies[0]).result for request in requests]
            assert [result["timedout"] for result in results] == [{"period": 0.5}] * 2

    finish(work)


def test_a_worker_that_is_killed_fails_its_step_alone(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            mark, argv = marked_sleep()
            doomed = session.submit([beside("t_spawn", argv=argv)])
            other = session.submit([beside("t_sleep", seconds=1)])
            while not processes_with(mark):
                await asyncio.sleep(0.05)
            status = Path(f"/proc/{min(processes_with(mark))}/status").read_text().split()
            os.kill(int(status[status.index("PPid:") + 1]), signal.SIGKILL)
            result = (await doomed.replies[0]).result
            assert result["failed"] is True and "ended before its answer" in result["msg"]
            assert (await other.replies[0]).result["slept"] == 1
            for pid in processes_with(mark):
                os.kill(pid, signal.SIGKILL)

    finish(work)


def test_nothing_is_left_when_the_controller_goes(real: Make) -> None:
    async def work() -> None:
        mark, argv = marked_sleep()
        async with opened(real()) as session:
            for _ in range(2):
                session.submit([beside("t_spawn", argv=argv)])
            while len(processes_with(mark)) < 4:
                await asyncio.sleep(0.05)
        assert await gone(mark, 10)

    finish(work)
