"""After log_rotation: no log is too large, every live log is there with its owner, no half-compressed copy is left."""

import pytest

testinfra_hosts = ["opsplay://all"]
LIMIT = 100 * 1024 * 1024


@pytest.fixture
def folder(host):
    folder = host.file("/var/log/app")
    if not folder.exists:
        pytest.skip("no application log on this host")
    return folder


def test_no_log_is_too_large(host, folder):
    for name in folder.listdir():
        if name.endswith(".log"):
            assert host.file("/var/log/app/" + name).size < LIMIT


def test_nothing_is_half_done(folder):
    assert not [name for name in folder.listdir() if name.endswith(".part")]


def test_the_live_log_keeps_its_owner(host, folder):
    live = host.file("/var/log/app/app.log")
    assert live.exists and live.user == "app" and live.mode & 0o002 == 0
