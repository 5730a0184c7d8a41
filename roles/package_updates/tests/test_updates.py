"""After package_updates: dpkg is in order, nothing that may be updated waits, no service runs replaced code."""

import pytest

testinfra_hosts = ["opsplay://all"]


@pytest.fixture(autouse=True)
def _with_apt(host):
    if not host.exists("apt-get"):
        pytest.skip("this host has no apt")


def test_dpkg_is_in_order(host):
    assert host.run("dpkg --audit").stdout == ""


def test_nothing_waits(host):
    told = host.run("LC_ALL=C apt-get -s -o Debug::NoLocking=1 upgrade").stdout
    assert not [line for line in told.splitlines() if line.startswith("Inst ")]


def test_holds_were_respected(host):
    for name in host.run("apt-mark showhold").stdout.split():
        assert host.package(name).is_installed


def test_the_service_of_the_lab_runs_its_new_library(host):
    service = host.service("lab-service")
    if not host.file("/run/lab-service/library").exists:
        pytest.skip("not a lab host")
    assert service.is_running
