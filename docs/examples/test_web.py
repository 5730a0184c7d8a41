"""The web servers serve, and nothing else listens."""

testinfra_hosts = ["opsplay://web"]


def test_nginx_runs_and_starts_at_boot(host):
    nginx = host.service("nginx")
    assert nginx.is_running
    assert nginx.is_enabled


def test_the_configuration_is_valid(host):
    with host.sudo():
        assert host.run("nginx -t").rc == 0


def test_the_key_is_private(host):
    with host.sudo():
        assert host.file("/etc/ssl/private/site.key").mode == 0o600
