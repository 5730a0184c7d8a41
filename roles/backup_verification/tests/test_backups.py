"""After backup_verification: nothing of the trial restores is left, and the backups are as they were: readable and not empty."""

testinfra_hosts = ["opsplay://all"]


def test_no_scratch_is_left(host):
    assert not [name for name in host.file("/var/tmp").listdir() if name.startswith("opsplay-scratch-")]


def test_no_scratch_server_runs(host):
    assert not [process for process in host.process.filter(user="nobody") if "postgres" in process.args]
