"""A listener of the user's own is told what the run does; a broken one does not break the run."""

from __future__ import annotations

from pathlib import Path

from tests.cli_run.command import LOCAL, opsplay, write

PLAY = "- hosts: h1\n  gather_facts: false\n  tasks: [{name: say, debug: {msg: hello}}, {name: no, debug: {msg: secret}, no_log: true}]\n"
LISTENER = """
import json
def listen(event):
    with open("heard", "a") as heard:
        heard.write(json.dumps(event, default=str) + "\\n")
"""


def test_it_hears_everything_but_secrets(tmp_path: Path) -> None:
    write(tmp_path, play_yml=PLAY, inv=LOCAL)
    (tmp_path / "ear.py").write_text(LISTENER)
    done = opsplay(tmp_path, "run", "-i", "inv", "play.yml", OPSPLAY_LISTENERS="ear.py")
    heard = (tmp_path / "heard").read_text()
    assert done.returncode == 0, done.stderr
    assert heard.startswith('{"event": "RunStarted"') and '"event": "HostFinished"' in heard and "hello" in heard
    assert '"event": "RunFinished"' in heard.splitlines()[-1] and "secret" not in heard


def test_one_that_raises_is_told_no_more(tmp_path: Path) -> None:
    write(tmp_path, play_yml=PLAY, inv=LOCAL)
    (tmp_path / "ear.py").write_text("def listen(event):\n    raise RuntimeError('deaf')\n")
    done = opsplay(tmp_path, "run", "-i", "inv", "play.yml", OPSPLAY_LISTENERS="ear.py")
    assert (done.returncode, done.stderr.count("deaf")) == (0, 1)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    write(tmp_path, play_yml=PLAY, inv=LOCAL)
    (tmp_path / "ear.py").write_text("listn = 1\n")
    done = opsplay(tmp_path, "run", "-i", "inv", "play.yml", OPSPLAY_LISTENERS="ear.py")
    assert done.returncode == 1 and "bad-listener" in done.stderr and "Traceback" not in done.stderr
