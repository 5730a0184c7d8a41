"""Copy folders between the controller and a host by rsync, as fast as it goes."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.remote.spec import Args, Choice, Flag, Integer, Listing, ModuleFailure, Spec, Text

if TYPE_CHECKING:
    from opsplay.transport.protocol import Address, Become

SPEC = Spec(
    args={
        "src": Text(required=True, text="Where from: the controller, with mode pull the host."), "dest": Text(required=True, text="Where to."),
        "mode": Choice("pull", "push", default="push"), "dest_port": Integer(text="The host's SSH port; else the connection's."),
        "archive": Flag(default=True), "checksum": Flag(default=False), "compress": Flag(default=True), "existing_only": Flag(default=False),
        "delete": Flag(default=False, text="Delete what the source does not have."), "dirs": Flag(default=False), "recursive": Flag(),
        "links": Flag(), "copy_links": Flag(default=False), "perms": Flag(), "times": Flag(), "owner": Flag(), "group": Flag(),
        "partial": Flag(default=False), "delay_updates": Flag(default=True), "link_dest": Listing(), "rsync_path": Text(text="rsync on the host."),
        "rsync_timeout": Integer(default=0), "rsync_opts": Listing(), "set_remote_user": Flag(default=True), "use_ssh_args": Flag(default=False),
        "ssh_connection_multiplexing": Flag(default=False), "verify_host": Flag(default=False), "private_key": Text(),
    },
    returns={"cmd": Text(), "rc": Integer(), "msg": Text(), "stdout_lines": Listing()},
    examples=("synchronize: {src: site/, dest: /srv/www/, delete: true}",),
    notes=("Needs rsync on both sides. Host keys are checked as for every other connection, whatever verify_host says.",
           "With delegate_to the delegated host takes the controller's part; delegated to the host itself, both sides are there."),
)  # fmt: skip
MARK = "<<CHANGED>>"


async def act(context: Any, args: Args) -> dict[str, Any]:
    way = Way(context, args)
    words = [*options(args), *way.options(), f"--out-format={MARK}%i %n%L", *(["--dry-run"] if context.check else []), "--", way.source, way.dest]
    run = await way.run(["rsync", *words])
    if run["rc"] != 0:
        raise ModuleFailure(run["stderr"].strip() or "rsync failed", rc=run["rc"], cmd=shlex.join(["rsync", *words]), stdout=run["stdout"])
    told = [line[len(MARK) :] for line in run["stdout"].splitlines() if line.startswith(MARK)]
    others = [line for line in run["stdout"].splitlines() if line.startswith("*deleting")]
    lines = [*others, *told]
    result = {"changed": bool(lines), "msg": "\n".join(lines), "rc": 0, "cmd": shlex.join(["rsync", *words]), "stdout_lines": lines}
    return result | ({"diff": {"prepared": "\n".join(lines) + "\n"}} if context.diff and lines else {})


def options(args: Args) -> list[str]:
    words = [word for flag, word in (
        (args.delay_updates, "--delay-updates"), (True, "-F"), (args.compress, "--compress"), (args.rsync_timeout, f"--timeout={args.rsync_timeout}"),
        (args.delete, "--delete-after"), (args.existing_only, "--existing"), (args.checksum, "--checksum"), (args.copy_links, "--copy-links"),
        (args.partial, "--partial"), (args.dirs, "--dirs"), (args.archive, "--archive"),
    ) if flag]  # fmt: skip
    for name in ("recursive", "links", "perms", "times", "owner", "group"):
        if args.archive and args[name] is False:
            words.append(f"--no-{name}")
        elif not args.archive and args[name]:
            words.append(f"--{name}")
    words += [f"--link-dest={path}" for path in args.link_dest or ()]
    return words + list(args.rsync_opts or ())


class Way:
    """Between which sides, and on whose side rsync starts."""

    def __init__(self, context: Any, args: Args) -> None:
        self.context = context
        self.args = args
        target = getattr(context, "target", None)
        self.delegate: str = getattr(getattr(getattr(context, "attempt", None), "work", None), "delegated", "") or ""
        if target is not None and self.delegate:
            target = context.attempt.delegated_target(context.host)
        self.address: Address | None = getattr(target, "address", None)
        self.become: Become | None = getattr(target, "become", None)
        self.is_local = self.address is None or self.address.connection == "local" or self.delegate == context.host
        self.starts_there = self.is_local or self.delegate not in ("", "localhost", "127.0.0.1", "::1")
        pull = args.mode == "pull"
        self.source = self.there(args.src) if pull else self.here(args.src, "files")
        self.dest = self.here(args.dest, "") if pull else self.there(args.dest)

    def here(self, path: str, folder: str) -> str:
        """A path of the side where rsync starts; a relative one of the controller is looked for as files are."""
        if (self.starts_there and self.delegate) or os.path.isabs(path) or path.startswith(("~", "rsync://")):
            return os.path.expanduser(path) if not self.starts_there else path
        slash = "/" if path.endswith("/") else ""
        if not folder:
            return str(Path(self.context.playbook_dir, path)) + slash
        return str(self.context.find_file(folder, path.rstrip("/") or ".")) + slash

    def there(self, path: str) -> str:
        """A path of the host; the other side of rsync's connection."""
        if self.is_local or path.startswith("rsync://"):
            return path
        assert self.address is not None
        name = f"[{self.address.hostname}]" if ":" in self.address.hostname else self.address.hostname
        return f"{self.address.user}@{name}:{path}" if self.args.set_remote_user and self.address.user else f"{name}:{path}"

    def options(self) -> list[str]:
        if self.is_local:
            return []
        words = [f"--rsh={shlex.join(self.ssh())}"]
        if self.args.rsync_path:
            return [*words, f"--rsync-path={self.args.rsync_path}"]
        if self.become is None:
            return words
        if self.become.method != "sudo" or self.become.password:
            raise ModuleFailure(f"synchronize becomes {self.become.user} by sudo without a password only; set rsync_path for another way")
        return [*words, f"--rsync-path=sudo -n -u {shlex.quote(self.become.user)} rsync"]

    def ssh(self) -> list[str]:
        """ssh as the connection itself uses it: its port, key, arguments and host keys."""
        address, args = self.address, self.args
        assert address is not None
        words = ["ssh", *([] if args.ssh_connection_multiplexing else ["-S", "none"]), "-o", "BatchMode=yes"]
        key = args.private_key or (address.private_key_file if not self.starts_there else None)
        words += ["-i", os.path.expanduser(key)] if key else []
        port = args.dest_port or address.port
        words += ["-p", str(port)] if port else []
        if not self.starts_there:
            words += shlex.split(address.ssh_args)
            words += ["-o", f"UserKnownHostsFile={address.known_hosts_file}"] if address.known_hosts_file else []
        return words if address.host_key_checking else [*words, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]

    async def run(self, words: Sequence[str]) -> dict[str, Any]:
        if self.starts_there:
            found: dict[str, Any] = await self.context.module("command", {"argv": list(words)}, check=False)
            return {"rc": found.get("rc", 1), "stdout": found.get("stdout", ""), "stderr": found.get("stderr") or found.get("msg", "")}
        try:
            process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        except FileNotFoundError:
            raise ModuleFailure("rsync is not installed on the controller") from None
        try:
            out, err = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            raise
        return {"rc": process.returncode, "stdout": out.decode("utf-8", "replace"), "stderr": err.decode("utf-8", "replace")}
