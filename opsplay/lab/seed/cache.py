"""Owns what a cache host has: Redis with sessions of which some expire, enabled at boot."""

import subprocess
import time

from steps import run

SERVER = (
    "redis-server",
    "--dir",
    "/var/lib/redis",
    "--unixsocket",
    "/run/seed-redis.sock",
    "--port",
    "0",
    "--save",
    "",
)


def main() -> None:
    server = subprocess.Popen(SERVER, stdout=subprocess.DEVNULL)
    while subprocess.run([*client(), "ping"], capture_output=True).returncode:
        time.sleep(0.02)
    keys = [f"SET session:{number} user-{number % 40}" for number in range(500)]
    keys += [f"SET page:{number} {'x' * 200} EX 864000" for number in range(500)]
    run(*client(), text="\n".join([*keys, "SAVE"]) + "\n")
    server.terminate()
    server.wait(10)
    run("chown", "-R", "redis:redis", "/var/lib/redis")
    run("systemctl", "enable", "redis-server.service")


def client() -> tuple[str, ...]:
    return ("redis-cli", "-s", "/run/seed-redis.sock")


main()
