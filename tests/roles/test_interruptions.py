"""Database work over SSH: peer, password and refused logins, and a controller that is killed (fault row 37)."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from opsplay_run import OPSPLAY, PROJECT

PLAY = """
- hosts: db1
  gather_facts: false
  {become}
  tasks:
    - {{{task}, register: answer}}
    - assert: {{that: "(answer.query_result | first).me | default('') == '{me}'"}}
"""
AS_POSTGRES = "become: true\n  become_user: postgres"


def play(folder: Path, task: str, become: str = AS_POSTGRES, me: str = "") -> Path:
    path = folder / "play.yml"
    path.write_text(PLAY.format(become=become, task=task, me=me))
    return path


def sleeping(lab: Any) -> str:
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND application_name = 'opsplay'"
    return str(lab.run("db1", f'cd /; sudo -u postgres psql -XAtc "{query}"', check=True).stdout).strip()


def test_a_killed_controller_leaves_no_backend_at_work(lab: Any, tmp_path: Path) -> None:
    path = play(tmp_path, "postgresql_query: {query: SELECT pg_sleep(60)}")
    process = subprocess.Popen([OPSPLAY, "run", str(path), "-i", str(lab.inventory_path), "--no-history"], cwd=PROJECT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while sleeping(lab) != "1":
        assert time.monotonic() < deadline
    process.kill()
    process.wait()
    killed = time.monotonic()
    while sleeping(lab) != "0":
        assert time.monotonic() - killed <= 5
    print(f"over SSH as the become user: backend gone {time.monotonic() - killed:.2f} s after the controller was killed")


def test_logins(run: Any, tmp_path: Path) -> None:
    peer = run(play(tmp_path, "postgresql_query: {login_db: app, query: SELECT current_user AS me}", me="postgres"))
    assert peer.code == 0, peer.text
    password = "login_host: localhost, login_user: maintainer, login_password: maintainer-lab, login_db: app"
    by_password = run(play(tmp_path, f"postgresql_query: {{{password}, query: SELECT current_user AS me}}", become="", me="maintainer"))
    assert by_password.code == 0, by_password.text
    wrong = run(play(tmp_path, f"postgresql_query: {{{password.replace('r-lab', 'x')}, query: SELECT 1}}", become=""))
    assert wrong.code == 2 and "password authentication failed" in wrong.text, wrong.text
    nobody = run(play(tmp_path, "postgresql_query: {query: SELECT 1}", become=""))
    assert nobody.code == 2 and "Peer authentication failed" in nobody.text, nobody.text
    gone = run(play(tmp_path, "postgresql_query: {login_port: 1, query: SELECT 1}"))
    assert gone.code == 2 and "is the server running" in gone.text, gone.text


def test_sqlite_is_maintained_with_its_service_stopped_and_started(lab: Any, run: Any) -> None:
    script = "import sqlite3; d = sqlite3.connect('/srv/app/app.sqlite3'); d.execute('CREATE TABLE IF NOT EXISTS waste (a)'); " \
             "d.executemany('INSERT INTO waste VALUES (?)', [('x' * 999,)] * 900); d.commit(); d.execute('DELETE FROM waste'); d.commit()"
    lab.run("web1", f'python3 -c "{script}"', check=True)
    first, second = run("playbooks/sqlite_maintenance.yml"), run("playbooks/sqlite_maintenance.yml")
    assert first.code == 0 and first.hosts()["web1"]["changed"] == 3 and second.changed() == 0, first.text
    lab.run("web1", "systemctl is-active lab-app", check=True)
    lab.run("web1", "cp /srv/app/app.sqlite3 /root/kept; printf 'rubbish rubbish rubbish' | dd of=/srv/app/app.sqlite3 bs=1 seek=9000 conv=notrunc 2>/dev/null", check=True)
    broken = run("playbooks/sqlite_maintenance.yml")
    lab.run("web1", "systemctl is-active lab-app; mv /root/kept /srv/app/app.sqlite3", check=True)
    assert broken.code in (0, 2)
