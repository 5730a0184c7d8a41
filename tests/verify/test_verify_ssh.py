"""`opsplay verify` and plain pytest against a private sshd: real connections, real tests, real exit codes."""

import getpass
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.transport.private_sshd import PrivateSshd

ROOT = Path(__file__).parents[2]
PASSING = """
import os

testinfra_hosts = ["opsplay://web"]


def test_over_ssh(host):
    assert host.backend.get_pytest_id() in ("opsplay://web1", "opsplay://web2")
    assert "SSH_CONNECTION" not in os.environ
    assert host.run("test -n \\"$SSH_CONNECTION\\"").rc == 0


def test_modules_of_testinfra(host):
    assert host.file("/etc/passwd").contains("root")
    assert host.user("root").uid == 0
    assert host.system_info.type == "linux"


def test_texts_come_through(host):
    done = host.run("printf %s; printf err >&2; exit 7", "a 'b' $c \\u00fc")
    assert (done.rc, done.stdout, done.stderr) == (7, "a 'b' $c \\u00fc", "err")
    assert len(host.check_output("yes | head -c 300000")) == 299999


def test_sudo_uses_the_become_rules_of_the_host(host):
    me = host.check_output("id -un")
    with host.sudo("BECOME"):
        assert host.check_output("id -un; echo \\"it's $HOME\\" | wc -l").split() == ["BECOME", "1"]
        with host.sudo():
            assert host.run("true").rc == 0
    assert host.check_output("id -un") == me
"""


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateSshd]:
    server = PrivateSshd(tmp_path_factory.mktemp("sshd")).start()
    yield server
    server.stop()


@pytest.fixture
def content(sshd: PrivateSshd, tmp_path: Path) -> Path:
    """A folder with an inventory of two names for the one sshd, and a role with tests. Ordinary users become themselves."""
    become = "ansible_become_method=su\nansible_become_flags='-s /bin/sh'" if os.geteuid() == 0 else f"ansible_become_exe={fake_sudo(tmp_path)}"
    (tmp_path / "hosts").write_text(
        "[web]\nweb1\nweb2\n[db]\ndb1 ansible_port=1\n[web:vars]\nansible_host=127.0.0.1\n"
        f"ansible_port={sshd.port}\nansible_user={getpass.getuser()}\nansible_ssh_private_key_file={sshd.client_key}\n"
        f"ansible_ssh_known_hosts_file={sshd.known_hosts}\n{become}\n"
        "[all:vars]\nansible_ssh_common_args='-F none -o IdentitiesOnly=yes -o IdentityAgent=none -o GlobalKnownHostsFile=/dev/null'\n"
    )
    tests = tmp_path / "roles" / "web" / "tests"
    tests.mkdir(parents=True)
    tests.joinpath("test_web.py").write_text(PASSING.replace("BECOME", "nobody" if os.geteuid() == 0 else getpass.getuser()))
    return tmp_path


def fake_sudo(folder: Path) -> Path:
    """Does what sudo does for somebody who becomes himself: runs what stands behind the options."""
    path = folder / "fake-sudo"
    path.write_text('#!/bin/sh\nwhile [ $# -gt 0 ]; do case "$1" in -u|-p) shift 2;; --) shift; break;; -*) shift;; *) break;; esac; done\nexec "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def opsplay(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "-m", "opsplay.cli.main", "verify", "-i", "hosts", *words, code="from opsplay.cli.main import main; main()")


def run(folder: Path, *words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *words[2:]] if code else [sys.executable, *words]
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=100)


def test_roles_are_tested_on_the_hosts_that_they_name(content: Path) -> None:
    done = opsplay(content, "--junit", "junit.xml", "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout
    assert "test_over_ssh[opsplay://web2] PASSED" in done.stdout
    suite = ElementTree.parse(content / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("8", "0", "0")


def test_hosts_and_limit_choose(content: Path) -> None:
    assert "4 passed" in opsplay(content, "--hosts", "web:!web2").stdout
    assert "4 passed" in opsplay(content, "-l", "web1").stdout
    assert "1 passed" in opsplay(content, "--hosts", "web1", "roles/web/tests/test_web.py", "--", "-k", "texts").stdout


def test_a_test_file_that_names_no_host_is_about_all_of_them(content: Path) -> None:
    (content / "test_any.py").write_text("def test_x(host):\n    assert host.check_output('echo $SSH_CONNECTION')\n")
    done = opsplay(content, "-l", "web", "test_any.py")
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_failing_test_is_exit_code_two(content: Path) -> None:
    (content / "test_bad.py").write_text("testinfra_hosts = ['opsplay://web1']\ndef test_x(host):\n    assert host.file('/nowhere').exists\n")
    done = opsplay(content, "test_bad.py")
    assert done.returncode == 2
    assert "test_x[opsplay://web1]" in done.stdout


def test_a_host_that_is_away_fails_with_its_remedy(content: Path) -> None:
    (content / "test_db.py").write_text("testinfra_hosts = ['opsplay://db']\ndef test_x(host):\n    host.run('true')\n")
    (content / "hosts").write_text((content / "hosts").read_text().replace("ansible_port=1", "ansible_host=127.0.0.1 ansible_port=1"))
    done = opsplay(content, "test_db.py")
    assert done.returncode == 2
    assert "Unreachable" in done.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--hosts", "nothing"), "no-hosts-to-verify"), (("nowhere.py",), "no-such-tests")],
)
def test_usage_errors_are_exit_code_one(content: Path, words: tuple[str, ...], code: str) -> None:
    done = opsplay(content, *words)
    assert (done.returncode, f"error: {code}" in done.stderr) == (1, True), done.stderr


def test_nothing_to_run(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("localhost ansible_connection=local\n")
    done = opsplay(tmp_path)
    assert (done.returncode, "error: no-tests" in done.stderr) == (1, True)


def test_plain_pytest_knows_the_backend_too(content: Path) -> None:
    """As CI jobs and editors run it: no opsplay command, the inventory by testinfra's own option."""
    done = run(content, "-m", "pytest", "-q", "--ansible-inventory", "hosts", "roles/web/tests")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout


def test_with_two_workers(content: Path) -> None:
    done = run(content, "-m", "pytest", "-q", "-n", "2", "--ansible-inventory", "hosts", "roles/web/tests")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_plugin_costs_next_to_nothing() -> None:
    code = "import sys; before = set(sys.modules); import opsplay.verify.pytest_plugin; print(sorted(name for name in set(sys.modules) - before if name.partition('.')[0] not in sys.stdlib_module_names))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert done.stdout.strip() == "['opsplay', 'opsplay.verify', 'opsplay.verify.pytest_plugin']"
