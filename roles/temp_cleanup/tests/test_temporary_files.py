"""After temp_cleanup: what is old is gone, what is in use is there."""

testinfra_hosts = ["opsplay://all"]


def test_no_old_plain_files_are_left(host):
    found = host.run("find /tmp /var/tmp -xdev -type f -mtime +1 ! -path '*/systemd-private-*' ! -name '.X*-lock' ! -path '*/opsplay-*' -links 1")
    with_holders = [path for path in found.stdout.splitlines() if host.run("fuser -s %s || lsof -t %s", path, path).rc != 0]
    kept = [path for path in with_holders if not path.split("/")[-1].startswith("held-")]
    assert kept == []


def test_nothing_behind_links_was_touched(host):
    precious = host.file("/srv/precious")
    assert not precious.exists or precious.listdir()
