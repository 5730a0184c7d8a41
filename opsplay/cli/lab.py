"""Owns the command group `opsplay lab`: up, status, ssh, fault, down."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from opsplay.lab import Lab

folder_option = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    envvar="OPSPLAY_LAB_DIR",
    help="Where keys and ssh_config go [.opsplay/lab].",
)


@click.group("lab")
def lab() -> None:
    """Hosts on this machine to rehearse a playbook on."""


@lab.command()
@folder_option
@click.option("--hosts", "asked", metavar="N|NAMES", help="A number, or names: web1,web2,db1,cache1,node1.")
@click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    help="Where the inventory goes [inventories/lab; with --dir: <dir>/inventory].",
)
@click.option("--reduced", is_flag=True, help="sshd as this user on 127.0.0.x: no systemd, sudo or apt.")
@click.option("--root-size", default="", metavar="SIZE", help="A small root file system in memory, e.g. 256m.")
def up(folder: Path | None, asked: str | None, inventory: Path | None, reduced: bool, root_size: str) -> None:
    """Start the lab, wait until every host is ready, and write its inventory."""
    from opsplay.lab import up as start

    started = start(
        folder, hosts_asked(asked), inventory, reduced=True if reduced else None, root_size=root_size, say=click.echo
    )
    show(started)
    shown = os.path.relpath(started.inventory_path)
    click.echo(f"\nTry: opsplay run -i {shown} playbook.yml")


def hosts_asked(text: str | None) -> int | list[str] | None:
    if text is None:
        return None
    return int(text) if text.isdigit() else [name.strip() for name in text.split(",")]


def show(running: Lab) -> None:
    kind = "real hosts (systemd-nspawn)" if running.kind == "nspawn" else "reduced (this user, this machine)"
    click.echo(f"lab {running.id}: {kind}")
    width = max(len(host.name) for host in running.hosts)
    for host in running.hosts:
        port = "" if host.port == 22 else f":{host.port}"
        faults = "; ".join(running.faults(host.name).values()) or ("" if running.is_on(host.name) else "down")
        click.echo(f"  {host.name:<{width}}  {host.address}{port}  {host.role:<5}  {faults}".rstrip())
    click.echo(f"  inventory  {os.path.relpath(running.inventory_path)}")
    click.echo(f"  ssh        ssh -F {os.path.relpath(running.ssh_config)} {running.hosts[0].name}")
    if running.operator_password:
        click.echo(
            f"  users      deploy (sudo without a password), operator (sudo password: {running.operator_password})"
        )
    for note in running.notes:
        click.echo(f"  note: {note}")


@lab.command()
@folder_option
def status(folder: Path | None) -> None:
    """Show the hosts, how to reach them, and the faults that hold."""
    from opsplay.lab import status as look

    running = look(folder)
    show(running)


@lab.command(context_settings={"ignore_unknown_options": True})
@folder_option
@click.argument("host")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(folder: Path | None, host: str, command: tuple[str, ...]) -> None:
    """Log in to HOST, or run COMMAND there; as another user: opsplay lab ssh operator@web1."""
    from opsplay.lab import status as look

    running = look(folder)
    running.host(host.rpartition("@")[2])
    os.execvp("ssh", ["ssh", "-F", str(running.ssh_config), host, *command])


@lab.command(context_settings={"ignore_unknown_options": True})
@folder_option
@click.argument("host")
@click.argument("kind")
@click.argument("values", nargs=-1, type=click.UNPROCESSED)
@click.option("--jitter", default="", help="With latency: e.g. 4ms.")
@click.option("--loss", default="", help="With latency: e.g. 1%.")
@click.option("--path", default="", help="With disk-full: /srv/data or /.")
def fault(
    folder: Path | None, host: str, kind: str, values: tuple[str, ...], jitter: str, loss: str, path: str
) -> None:
    """Make a fault on HOST, or end it.

    \b
    partition on|off                        latency 40ms|off [--jitter 4ms] [--loss 1%]
    sshd kill|stop|start                    disk-full on|off [--path /srv/data]
    clock +3h|-90m|off                      reboot
    power off|on                            clear (ends all faults)
    """
    from opsplay.lab import status as look

    running = look(folder)
    given = {"jitter": jitter, "loss": loss, "path": path}
    if kind == "clear":
        running.reset(host)
        click.echo(f"{host}: no faults")
        return
    options = {name: text for name, text in given.items() if text}
    click.echo(running.fault(host, kind, *values, **options))


@lab.command()
@folder_option
@click.option("--all", "everything", is_flag=True, help="Every lab of this user, also what a crash left.")
def down(folder: Path | None, everything: bool) -> None:
    """Take the lab away: hosts, network, files."""
    from opsplay.lab import down as stop

    gone = stop(folder, all=everything)
    click.echo(f"removed: {', '.join(gone)}" if gone else "no lab was up")
