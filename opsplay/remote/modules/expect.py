"""Run a command and answer its prompts."""

import codecs
import datetime
import os
import pty
import select
import shlex
import signal
import time

from opsplay.remote.command_run import judged, not_needed, require_directory, would_run
from opsplay.remote.process import Run
from opsplay.remote.spec import Dictionary, Flag, Listing, ModuleFailure, Number, Path, Spec, Text
from opsplay.remote.text_lines import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "command": Text(required=True, text="The command; no shell reads it."),
        "responses": Dictionary(required=True, secret=True, text="Regex of a prompt: the answer, or a list of answers in turn."),
        "chdir": Path(text="Folder to run in."),
        "creates": Path(text="Skip where this exists."),
        "removes": Path(text="Skip where this does not exist."),
        "timeout": Number(default=30, nullable=True, text="Seconds to wait for the next prompt or the end; null waits for ever."),
        "echo": Flag(default=False, text="Keep the answers in the output."),
    },
    returns={"cmd": Text(), "rc": Text(), "stdout": Text(), "stdout_lines": Listing(), "start": Text(), "end": Text(), "delta": Text()},
    examples=("expect: {command: passwd joe, responses: {'(?i)password': secret}}",),
    check="partial", repeatable=False,
)
FOR_EVER = 1000000.0  # seconds
OUTPUT_LIMIT = 1 << 22


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    if not args.command.strip():
        raise ModuleFailure("no command given", rc=256, changed=False)
    done = not_needed(system, args, args.command)
    if done is not None:
        return done
    if system.check:
        return would_run(args, args.command)
    require_directory(system, args.chdir, args.command)
    started = datetime.datetime.now()
    rc, output = Conversation(system, args).run()
    require_text(args, rc, output)
    return judged(system, args, args.command, Run(rc, output.replace("\r\n", "\n")), started)


def require_text(args: "Args", rc: "int", output: "str") -> "None":
    """A prompt in bytes that are no UTF-8 may have been missed: what the command was told is not known."""
    try:
        output.encode("utf-8")
    except UnicodeEncodeError as error:
        shown = output.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        byte = ord(output[error.start]) - 0xDC00
        raise ModuleFailure("Refusing to deserialize an invalid UTF8 string value: byte 0x%02x in the command's output" % byte, cmd=args.command, rc=rc, stdout=shown, changed=True)


class Conversation(object):
    """A command on a terminal of its own, and the prompts that it may ask."""

    def __init__(self, system: "System", args: "Args") -> "None":
        self.system = system
        self.args = args
        self.answers = [(pattern(str(prompt), "responses"), _answers(value)) for prompt, value in args.responses.items()]
        self.output = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")  # a piece may end within a character
        self.seen = 0  # where the text starts that no prompt was found in yet

    def run(self) -> "Tuple[int, str]":
        child, terminal = pty.fork()
        if child == 0:
            self._become()
        try:
            self._talk(terminal)
        except BaseException:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise
        finally:
            os.close(terminal)
        _, status = os.waitpid(child, 0)
        return (os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)), self.output

    def _become(self) -> "None":
        try:
            if self.args.chdir:
                os.chdir(self.args.chdir)
            words = shlex.split(self.args.command)
            os.execvpe(words[0], words, dict(os.environ, **self.system.environment))
        except BaseException as error:
            os.write(2, ("%s\n" % error).encode("utf-8", "replace"))
        os._exit(127)

    def _talk(self, terminal: "int") -> "None":
        if not self.args.echo:
            _silence(terminal)
        patience = FOR_EVER if self.args.timeout is None else self.args.timeout
        deadline = time.time() + patience
        while True:
            if not select.select([terminal], [], [], max(0.0, deadline - time.time()))[0]:
                raise ModuleFailure("command exceeded timeout", cmd=self.args.command, stdout=self.output, rc=None, changed=True)
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # what Linux gives once nobody holds the other side
                return
            if not piece:
                return
            self.output = (self.output + self.decoder.decode(piece))[-OUTPUT_LIMIT:]
            if self._answered(terminal):
                deadline = time.time() + patience

    def _answered(self, terminal: "int") -> "bool":
        for prompt, answers in self.answers:
            found = prompt.search(self.output, self.seen)
            if not found:
                continue
            if not answers:
                raise ModuleFailure("No remaining responses for '%s'" % prompt.pattern, cmd=self.args.command, changed=True)
            self.seen = len(self.output)
            answer = answers.pop(0) if len(answers) > 1 or answers[0][1] else answers[0]
            os.write(terminal, (answer[0].rstrip("\n") + "\n").encode("utf-8", "surrogateescape"))
            return True
        return False


def _answers(value: "Any") -> "List[Tuple[str, bool]]":
    """(text, used only once) for each answer: those of a list are used in turn, a single one again and again."""
    return [(str(item), True) for item in value] if isinstance(value, list) else [(str(value), False)]


def _silence(terminal: "int") -> "None":
    import termios

    modes = termios.tcgetattr(terminal)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
