"""On a real terminal: what debug says is on the screen, prompts are asked and answered, Ctrl-C works from the keyboard."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import termios
import time
from pathlib import Path

import pytest

from tests.cli_run.command import LOCAL, OPSPLAY, environment, write

ASK = """
- hosts: all
  gather_facts: false
  tasks: [{name: before, debug: {msg: before the prompt}}]
- hosts: h1
  gather_facts: false
  vars_prompt: [{name: who, prompt: Who is it, private: false}]
  tasks:
    - {name: say, debug: {msg: "it is {{ who }}"}}
    - {name: looped, debug: {msg: "item {{ item }}"}, loop: [1, 2]}
"""
HIDDEN = {  # a prompt, what is typed at it, and how the program ends
    "a pause": ("  tasks: [{pause: {prompt: Password, echo: false}}]\n", b"\x03\x03", 2, "user requested abort!"),
    "a variable": ("  vars_prompt: [{name: secret, prompt: Password}]\n", b"\x03", 130, "interrupted"),
}
PAUSES = {"timed": "{seconds: 30}", "with a prompt": "{prompt: Look}", "timed with a prompt": "{seconds: 30, prompt: Look}"}
SLOW = "- hosts: all\n  gather_facts: false\n  tasks: [{command: sleep 60}]\n"


class Terminal:
    """opsplay on a pseudo-terminal of its own session: what it shows, and keys typed at it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.master, self.slave = pty.openpty()
        self.process = subprocess.Popen(["env", "--default-signal=INT", OPSPLAY, *arguments], cwd=folder, env=environment(folder, TERM="xterm"), stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, start_new_session=True, preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)))  # fmt: skip
        self.text = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        os.close(self.slave)
        os.close(self.master)

    def until(self, wanted: str, seconds: float = 30) -> bool:
        ends = time.monotonic() + seconds
        while wanted not in self.text and time.monotonic() < ends:
            if not self._read(0.2) and self.process.poll() is not None:
                break
        return wanted in self.text

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        try:
            data = os.read(self.master, 65536) if ready else b""
        except OSError:
            data = b""
        self.text += data.decode(errors="replace")
        return bool(data)

    def end(self) -> int:
        self.until("\0never\0", 30)
        return self.process.wait(10)


def test_prompt_and_debug_on_the_screen(tmp_path: Path) -> None:
    with Terminal(write(tmp_path, ask_yml=ASK, inv=LOCAL), "run", "-i", "inv", "ask.yml") as screen:
        assert screen.until("Who is it"), screen.text
        assert "h1| " in screen.text and "before the prompt" in screen.text, "what was said before is there before the prompt"
        os.write(screen.master, b"me\n")
        assert (screen.end(), "it is me" in screen.text, "item 2" in screen.text) == (0, True, True), screen.text
        assert screen.text.rstrip().endswith("+0000") or "began" in screen.text


def test_ctrl_c_from_the_keyboard(tmp_path: Path) -> None:
    with Terminal(write(tmp_path, slow_yml=SLOW, inv=LOCAL), "run", "-i", "inv", "slow.yml") as screen:
        assert screen.until("command"), screen.text
        begun = time.monotonic()
        os.write(screen.master, b"\x03")
        assert (screen.end(), "interrupted" in screen.text) == (130, True), screen.text
        assert time.monotonic() - begun < 5
        assert screen.text.count("\x1b[?25l") <= screen.text.count("\x1b[?25h"), "the cursor is visible again"


@pytest.mark.parametrize("kind", PAUSES)
@pytest.mark.parametrize(("key", "code", "said"), [(b"c", 0, "went on"), (b"a", 2, "user requested abort!")])
def test_ctrl_c_in_a_pause_asks_what_to_do(tmp_path: Path, kind: str, key: bytes, code: int, said: str) -> None:
    play = f"- hosts: all\n  gather_facts: false\n  tasks: [{{name: wait, pause: {PAUSES[kind]}}}, {{debug: {{msg: went on}}}}]\n"
    with Terminal(write(tmp_path, ask_yml=play, inv=LOCAL), "run", "-i", "inv", "ask.yml") as screen:
        assert screen.until("Look:" if "Look" in play else "= abort)"), screen.text
        before = termios.tcgetattr(screen.slave)[6][termios.VINTR]
        os.write(screen.master, b"\n" if "30" in play else b"typed")  # a timed pause heeds no line
        os.write(screen.master, b"\x03")
        assert screen.until("Press 'C' to continue the play or 'A' to abort"), screen.text
        os.write(screen.master, b"x" + key)
        assert (screen.end(), said in screen.text) == (code, True), screen.text
        assert (before, termios.tcgetattr(screen.slave)[6][termios.VINTR]) == (b"\0", b"\x03")


@pytest.mark.parametrize("kind", HIDDEN)
def test_ctrl_c_at_a_hidden_prompt(tmp_path: Path, kind: str) -> None:
    prompt, keys, code, said = HIDDEN[kind]
    play = "- hosts: all\n  gather_facts: false\n" + prompt
    with Terminal(write(tmp_path, ask_yml=play, inv=LOCAL), "run", "-i", "inv", "ask.yml") as screen:
        assert screen.until("Password"), screen.text
        os.write(screen.master, b"typed ")
        time.sleep(0.3)
        assert not termios.tcgetattr(screen.slave)[3] & termios.ECHO
        os.write(screen.master, keys[:1])
        if keys[1:]:
            assert screen.until("or 'A' to abort"), screen.text
            os.write(screen.master, keys[1:])
        assert (screen.end(), "typed" in screen.text, said in screen.text) == (code, False, True), screen.text
        assert termios.tcgetattr(screen.slave)[3] & termios.ECHO, "what is typed is shown again"
