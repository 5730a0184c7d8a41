"""What the kept interpreter promises, over real transports: framing, deadlines, cancels, capped output, no orphans."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from opsplay.errors import OpsError
from opsplay.transport.local import LocalTransport
from opsplay.transport.protocol import Address, ConnectionLost, Reply, Step
from opsplay.transport.ssh import SshTransport
from opsplay.transport.tuning import Tuning
from tests.transport.accounts import ROOT, account
from tests.transport.hosts import TAUGHT, ask, finish, gone, opened, processes_with
from tests.transport.private_sshd import PrivateSshd

Make = Callable[..., Any]
SLOW = 20.0


def marked_sleep() -> tuple[str, list[str]]:
    """A command that ignores SIGTERM and has a child that left its session; both can be found by the mark."""
    mark = f"mark-{secrets.token_hex(6)}"
    child = f'trap "" TERM; : {mark}; sleep 300; :'
    return mark, ["sh", "-c", f"trap '' TERM; setsid sh -c '{child}' & : {mark}; sleep 300; :"]


def test_a_module_that_prints_does_not_break_the_frames(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            assert await ask(session, "t_say") == {"read": "", "changed": False}
            assert (await ask(session, "ping", data="still here"))["ping"] == "still here"

    finish(work)


@pytest.mark.parametrize("what", ["exit", "value", "memory", "interrupt"])
def test_a_module_that_raises_is_a_failure(real: Make, what: str) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            result = await ask(session, "t_raise", what=what)
            assert result["failed"] is True
            assert "on purpose" in result["msg"]
            assert "opsplay/remote/modules/t_raise.py" in result["exception"]
            assert 'raise {"exit"' in result["exception"], "the traceback shows source lines that are in no file"
            secret = await ask(session, "t_raise", {"secret": True}, what=what)
            assert "exception" not in secret
            assert (await ask(session, "ping", data="x"))["ping"] == "x"

    finish(work)


def test_bodies_travel_both_ways(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            bodies = [os.urandom(3_000_000), b"", None, b"tail"]
            replies = await asyncio.gather(
                *session.submit([Step("t_echo", {"n": n}, body=body) for n, body in enumerate(bodies)]).replies
            )
            assert [reply.body for reply in replies] == bodies
            assert [reply.result["n"] for reply in replies] == [0, 1, 2, 3]

    finish(work)


def test_text_of_all_kinds_survives(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            texts = {"plain": "a", "uml": "ü€😀", "nul": "a\0b", "file name": "caf\udce9", "{{ x }}": "{% raw %}"}
            assert await ask(session, "t_echo", **{"texts": texts}) == {"texts": texts, "changed": False}

    finish(work)


def test_arguments_that_are_no_json_are_an_error_here(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            with pytest.raises(OpsError) as caught:
                session.submit([Step("ping", {"data": object()})])
            assert caught.value.code == "argument-not-json"
            with pytest.raises(OpsError) as caught:
                session.submit([Step("no_such_module", {})])
            assert caught.value.code == "unknown-module"
            assert (await ask(session, "ping", data="x"))["ping"] == "x"

    finish(work)


def test_the_environment_is_of_the_step_alone(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            one = await ask(
                session, "t_spawn", {"environment": {"SECRET_ONE": "s3cret"}}, argv=["sh", "-c", "echo $SECRET_ONE"]
            )
            two = await ask(session, "t_spawn", argv=["sh", "-c", "echo $SECRET_ONE"])
            assert (one["stdout"], two["stdout"]) == ("s3cret\n", "\n")
            mine = await ask(
                session, "t_spawn", {"environment": {"SECRET_ONE": "s3cret"}, "secret": True},
                argv=["sh", "-c", "cat /proc/$PPID/environ /proc/$PPID/cmdline | tr '\\0' '\\n'"],
            )  # fmt: skip
            assert "s3cret" not in mine["stdout"]

    finish(work)


@pytest.mark.parametrize("kind", ["python", "process"])
def test_a_deadline_ends_the_step(real: Make, kind: str) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            mark, argv = marked_sleep()
            begun = time.monotonic()
            step = (
                Step("t_sleep", {"seconds": 60}, deadline=1)
                if kind == "python"
                else Step("t_spawn", {"argv": argv}, deadline=1)
            )
            result = (await session.submit([step]).replies[0]).result
            assert result["failed"] is True
            assert result["timedout"] == {"period": 1}
            assert time.monotonic() - begun < 4.5
            assert await gone(mark, 0.5)
            assert (await ask(session, "ping", data="x"))["ping"] == "x"

    finish(work)


@pytest.mark.parametrize("kind", ["python", "process"])
def test_a_cancel_ends_all_that_runs(real: Make, kind: str) -> None:
    """Fault row 24: also a child that ignores SIGTERM and one that left the process group."""

    async def work() -> None:
        async with opened(real()) as session:
            mark, argv = marked_sleep()
            step = Step("t_sleep", {"seconds": 60}) if kind == "python" else Step("t_spawn", {"argv": argv})
            request = session.submit([step])
            await asyncio.sleep(1)
            assert bool(processes_with(mark)) is (kind == "process")
            begun = time.monotonic()
            await request.cancel()
            assert time.monotonic() - begun < 5
            assert request.replies[0].result().result["cancelled"] is True
            assert await gone(mark, 0.5)
            assert (await ask(session, "ping", data="x"))["ping"] == "x"

    finish(work)


def test_closing_ends_all_that_runs(real: Make) -> None:
    """Fault row 24: the end of the connection ends the work, within the grace and two signals."""

    async def work() -> None:
        mark, argv = marked_sleep()
        async with opened(real(Tuning(grace=0.5))) as session:
            session.submit([Step("t_spawn", {"argv": argv})])
            await asyncio.sleep(1)
            assert processes_with(mark)
        assert await gone(mark, 5)

    finish(work)


def test_an_end_at_any_moment_leaves_nothing(real: Make) -> None:
    """Fault row 24: the connection ends at twenty random moments of a start and of a step; no process is left."""

    async def one(mark: str, after: float) -> None:
        transport = real(Tuning(grace=0))

        async def use() -> None:
            session = await transport.session()
            session.teach("t_spawn", TAUGHT["t_spawn"])
            await session.submit(
                [Step("t_spawn", {"argv": ["sh", "-c", f"(: {mark}; sleep 300; :) & : {mark}; sleep 300; :"]})]
            ).replies[0]

        using = asyncio.ensure_future(use())
        await asyncio.sleep(after)
        using.cancel()
        await asyncio.gather(using, return_exceptions=True)
        await transport.close()

    async def work() -> None:
        dice = random.Random(24)
        marks = [f"mark-{secrets.token_hex(6)}" for _ in range(20)]
        for at in range(0, 20, 5):
            await asyncio.gather(*(one(mark, dice.uniform(0, 1.2)) for mark in marks[at : at + 5]))
        for mark in marks:
            assert await gone(mark, 5)

    finish(work, 60)


def test_work_that_is_nearly_done_is_finished_within_the_grace(real: Make, tmp_path: Any) -> None:
    async def work() -> None:
        done = tmp_path / "done"
        async with opened(real(Tuning(grace=5))) as session:
            session.submit([Step("t_spawn", {"argv": ["sh", "-c", f"sleep 1; echo x > {done}"]})])
            await asyncio.sleep(0.4)
        for _ in range(30):
            await asyncio.sleep(0.1)
            if done.exists():
                return
        raise AssertionError("the step was cut off")

    finish(work)


def test_a_killed_interpreter_is_a_lost_connection_and_a_new_one_starts(real: Make) -> None:
    async def work() -> None:
        transport = real()
        async with opened(transport) as session:
            hello = await session.ready()
            request = session.submit([Step("t_sleep", {"seconds": 60})])
            await asyncio.sleep(0.2)
            os.kill(hello["pid"], signal.SIGKILL)
            with pytest.raises(ConnectionLost):
                await request.replies[0]
            again = await transport.session()
            assert again is not session
            assert (await ask(again, "ping", data="x"))["ping"] == "x"

    finish(work)


def test_live_lines(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            lines: list[tuple[str, str]] = []
            script = "echo one; sleep 0.3; echo two >&2; printf three"
            request = session.submit(
                [Step("t_spawn", {"argv": ["sh", "-c", script]}, on_line=lambda *line: lines.append(line))]
            )
            await asyncio.sleep(0.25)
            assert lines == [("stdout", "one")]
            await request.replies[0]
            assert sorted(lines) == [("stderr", "two"), ("stdout", "one"), ("stdout", "three")]

    finish(work)


def test_live_lines_of_long_steps_only(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            lines: list[str] = []

            def step(script: str) -> Step:
                return Step("t_spawn", {"argv": ["sh", "-c", script]}, on_line=lambda _, line: lines.append(line), lines_after=0.6)

            assert (await session.submit([step("echo short; printf rest")]).replies[0]).result["stdout"] == "short\nrest"
            assert lines == []
            request = session.submit([step("for n in $(seq 500); do echo $n; done; sleep 2; echo last")])
            await asyncio.sleep(0.3)
            assert lines == []
            await asyncio.sleep(1.2)
            assert lines[0].endswith("lines not shown ...]") and lines[-1] == "500", "held till then, the newest of them"
            await request.replies[0]
            assert lines[-1] == "last" and len(lines) <= 202

    finish(work)


def test_very_many_live_lines_are_thinned_out(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            lines: list[str] = []
            argv = ["sh", "-c", "yes | head -n 1000000"]
            await session.submit([Step("t_spawn", {"argv": argv}, on_line=lambda _, line: lines.append(line))]).replies[
                0
            ]
            assert 100 < len(lines) < 2000
            assert any("lines not shown" in line for line in lines)

    finish(work)


def test_a_daemon_that_keeps_the_pipes_open_does_not_hold_the_step(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            mark = f"mark-{secrets.token_hex(6)}"
            begun = time.monotonic()
            result = await ask(session, "t_spawn", argv=["sh", "-c", f"sh -c ': {mark}; sleep 30; :' & echo started"])
            assert result["stdout"] == "started\n"
            assert time.monotonic() - begun < 2
            assert processes_with(mark), "what a command leaves running on purpose runs on"
            for pid in processes_with(mark):
                os.kill(pid, signal.SIGKILL)

    finish(work)


def test_a_timeout_of_system_run(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            result = await ask(session, "t_spawn", argv=["sh", "-c", "echo begun; sleep 60"], timeout=0.5)
            assert result["timed_out"] is True
            assert result["stdout"] == "begun\n"
            assert result["rc"] < 0

    finish(work)


def test_background_jobs_outlive_the_connection(real: Make, tmp_path: Any) -> None:
    async def work() -> None:
        environment = {"ANSIBLE_ASYNC_DIR": str(tmp_path / "jobs")}
        async with opened(real(Tuning(grace=0))) as session:
            started = await ask(
                session,
                "t_spawn",
                {"background": 30, "environment": environment},
                argv=["sh", "-c", "sleep 1; echo done"],
            )
            assert (started["started"], started["finished"]) == (True, False)
            early = await ask(
                session, "async_status", {"environment": environment}, jid=started["ansible_job_id"], mode="status"
            )
            assert early["finished"] is False
        await asyncio.sleep(1.3)
        async with opened(real()) as session:
            for _ in range(20):
                late = await ask(
                    session, "async_status", {"environment": environment}, jid=started["ansible_job_id"], mode="status"
                )
                if late["finished"]:
                    break
                await asyncio.sleep(0.2)
            assert (late["finished"], late["stdout"]) == (1, "done\n")
            erased = await ask(
                session, "async_status", {"environment": environment}, jid=started["ansible_job_id"], mode="cleanup"
            )
            assert erased["erased"] == started["results_file"]
            assert not os.path.exists(started["results_file"])
            unknown = await ask(
                session, "async_status", {"environment": environment}, jid="../etc/passwd", mode="status"
            )
            assert unknown["failed"] is True

    finish(work)


def test_a_background_job_ends_at_its_time(real: Make, tmp_path: Any) -> None:
    async def work() -> None:
        environment = {"ANSIBLE_ASYNC_DIR": str(tmp_path / "jobs")}
        async with opened(real()) as session:
            mark, argv = marked_sleep()
            started = await ask(session, "t_spawn", {"background": 1, "environment": environment}, argv=argv)
            await asyncio.sleep(1)
            for _ in range(30):
                state = await ask(
                    session, "async_status", {"environment": environment}, jid=started["ansible_job_id"], mode="status"
                )
                if state["finished"]:
                    break
                await asyncio.sleep(0.2)
            assert state["failed"] is True
            assert "timed out" in state["msg"]
            assert await gone(mark, 1)

    finish(work)


def test_a_cancelled_request_behind_another_never_runs(real: Make) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            first = session.submit([Step("t_sleep", {"seconds": 1})])
            second = session.submit([Step("ping", {"data": "x"})])
            await second.cancel()
            assert second.replies[0].result().result["cancelled"] is True
            assert isinstance(await first.replies[0], Reply)

    finish(work)


@pytest.mark.parametrize("how", ["timeout", "cancel"])
@pytest.mark.parametrize("kind", ["ssh", "local"])
def test_a_raw_command_that_is_given_up_is_ended(sshd: PrivateSshd, kind: str, how: str) -> None:
    """sshd passes signals on, except, up to OpenSSH 9.7, for root."""
    if kind == "local" or not ROOT:
        transport: Any = LocalTransport(Address("h1", "local")) if kind == "local" else SshTransport(sshd.address())
        finish(lambda: _give_up(transport, how))
        return
    with account() as who:
        who.let_in(sshd.client_key.with_suffix(".pub"))
        finish(lambda: _give_up(SshTransport(sshd.address(user=who.name)), how))


async def _give_up(transport: Any, how: str) -> None:
    mark = f"mark-{secrets.token_hex(6)}"
    await transport.connect()
    running = asyncio.ensure_future(transport.exec(f": {mark}; echo begun; sleep 300; :", timeout=1.5))
    await asyncio.sleep(1)
    assert processes_with(mark)
    if how == "cancel":
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    else:
        assert await running == {"rc": 124, "stdout": "begun\n", "stderr": "", "timed_out": True}
    assert await gone(mark, 3)
    await transport.close()
