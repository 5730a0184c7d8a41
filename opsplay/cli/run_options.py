"""Run options: the flags of ansible-playbook, shared by run, exec and the shims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from opsplay.cli.completing import FILE, hosts

Decorator = Callable[[Any], Any]


def stacked(*options: Decorator) -> Decorator:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


inventory_options = stacked(
    click.option(
        "-i",
        "--inventory",
        "--inventory-file",
        multiple=True,
        type=FILE,
        metavar="SOURCE",
        help="Inventory file, folder, script or host list; repeatable.",
    ),
    click.option("-l", "--limit", metavar="PATTERN", shell_complete=hosts, help="Only these hosts of those that a play names."),
)
variable_options = stacked(
    click.option(
        "-e",
        "--extra-vars",
        multiple=True,
        metavar="VARS",
        help="name=value, YAML, JSON or @file; repeatable, strongest of all.",
    ),
    click.option("-J", "--ask-vault-pass", "--ask-vault-password", is_flag=True, help="Ask for the vault password."),
    click.option(
        "--vault-password-file",
        "--vault-pass-file",
        multiple=True,
        type=FILE,
        metavar="FILE",
        help="File or script with the vault password.",
    ),
    click.option(
        "--vault-id", multiple=True, metavar="ID@SOURCE", help="A vault id and where its password comes from."
    ),
)
connection_options = stacked(
    click.option("-u", "--user", "remote_user", metavar="USER", help="Log in as this user."),
    click.option("-c", "--connection", metavar="TYPE", help="ssh or local."),
    click.option("-T", "--timeout", type=int, metavar="SECONDS", help="Time to connect and log in."),
    click.option("--private-key", "--key-file", "private_key_file", type=FILE, metavar="FILE", help="Log in with this key."),
    click.option("--ssh-common-args", metavar="ARGS", help="Arguments of ssh, e.g. '-o ProxyJump=gate'."),
    click.option("--ssh-extra-args", metavar="ARGS", help="More arguments of ssh."),
    click.option(
        "--sftp-extra-args", "--scp-extra-args", "unused_args", metavar="ARGS", hidden=True, expose_value=False
    ),
    click.option("-k", "--ask-pass", is_flag=True, help="Ask for the login password."),
    click.option(
        "--connection-password-file", "--conn-pass-file", type=FILE, metavar="FILE", help="File with the login password."
    ),
    click.option("-b", "--become", is_flag=True, default=None, help="Become another user on the hosts."),
    click.option("--become-method", metavar="METHOD", help="sudo, su or doas."),
    click.option("--become-user", metavar="USER", help="Become this user (root)."),
    click.option("-K", "--ask-become-pass", is_flag=True, help="Ask for the password that becoming needs."),
    click.option("--become-password-file", "--become-pass-file", type=FILE, metavar="FILE", help="File with that password."),
    click.option("-f", "--forks", type=int, metavar="N", help="At most this many hosts at a time."),
)
mode_options = stacked(
    click.option("-C", "--check", is_flag=True, help="Change nothing; predict what would change."),
    click.option("-D", "--diff", is_flag=True, help="Show what changes in files."),
    click.option("--flush-cache", is_flag=True, help="Forget the cached facts of the hosts first."),
    click.option("-v", "--verbose", count=True, help="Say more; repeatable."),
)
tag_options = stacked(
    click.option("-t", "--tags", multiple=True, metavar="TAGS", help="Only tasks with these tags."),
    click.option("--skip-tags", multiple=True, metavar="TAGS", help="No tasks with these tags."),
    click.option("--start-at-task", metavar="NAME", help="Begin at the task of this name."),
    click.option("--step", is_flag=True, help="Ask before every task."),
    click.option("--force-handlers", is_flag=True, help="Run handlers even where a task failed."),
)
listing_options = stacked(
    click.option("--list-hosts", is_flag=True, help="Only list the hosts."),
    click.option("--list-tasks", is_flag=True, help="Only list the tasks."),
    click.option("--list-tags", is_flag=True, help="Only list the tags."),
    click.option("--syntax-check", is_flag=True, help="Only check the playbook."),
)
