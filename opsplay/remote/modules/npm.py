"""Manage Node.js packages with npm."""

import json
import os
import re

from opsplay.remote.spec import Choice, Flag, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={"name": Text(), "path": Path(), "version": Text(), "global": Flag(default=False), "executable": Path(),
          "ignore_scripts": Flag(default=False), "unsafe_perm": Flag(default=False), "ci": Flag(default=False),
          "production": Flag(default=False), "registry": Text(), "no_optional": Flag(default=False),
          "no_bin_links": Flag(default=False), "force": Flag(default=False),
          "state": Choice("present", "absent", "latest", default="present")},
    returns={}, examples=["npm: {name: coffee-script, path: /app}", "npm: {path: /app}"],
)


def act(system, args):
    if args.path is None and not args["global"]:
        raise ModuleFailure("path must be specified when not using global")
    npm = _Npm(system, args)
    if args.ci:
        return npm.change(["ci"])
    if args.state == "absent":
        if not args.name:
            raise ModuleFailure("name is needed to remove a package")
        return npm.change(["uninstall", args.name]) if args.name in npm.installed() else {"changed": False}
    if args.name:
        return _named(args, npm)
    missing = npm.missing()
    outdated = npm.outdated() if args.state == "latest" else []
    if missing:
        return npm.change(["install"])
    return npm.change(["update"]) if outdated else {"changed": False}


def _named(args, npm):
    versions = npm.installed()
    word = "%s@%s" % (args.name, args.version) if args.version else args.name
    if args.name not in versions or (args.version and versions[args.name] != args.version and re.match(r"^\d", args.version)):
        return npm.change(["install", word])
    if args.state == "latest" and args.name in npm.outdated():
        return npm.change(["install" if args["global"] else "update", args.name + ("@latest" if args["global"] else "")])
    return {"changed": False}


class _Npm(object):
    """npm in the folder, or globally, that a task names."""

    def __init__(self, system, args):
        self.system = system
        self.base = (args.executable or "npm").split()
        self.flags = []
        for wanted, flag in ((args["global"], "--global"), (args.production, "--production"),
                             (args.ignore_scripts, "--ignore-scripts"), (args.unsafe_perm, "--unsafe-perm"),
                             (args.no_optional, "--no-optional"), (args.no_bin_links, "--no-bin-links"),
                             (args.force, "--force"), (args.registry, "--registry=%s" % args.registry)):
            if wanted:
                self.flags.append(flag)
        self.path = os.path.abspath(os.path.expanduser(args.path)) if args.path else None

    def _run(self, words):
        if self.path and self.system.stat(self.path) is None:
            if self.system.check:
                return None
            os.makedirs(self.path)
        return self.system.run(self.base + words + self.flags, cwd=self.path)

    def _listing(self):
        run = self._run(["list", "--json", "--long", "--depth=0"])
        try:
            return json.loads(run.stdout) if run is not None else {}
        except ValueError:
            raise ModuleFailure("Failed to parse NPM output with error: %s" % run.stderr.strip(), rc=run.rc)

    def installed(self):
        found = {}
        for name, package in (self._listing().get("dependencies") or {}).items():
            if not package.get("missing") and not package.get("invalid"):
                found[name] = package.get("version")
        return found

    def missing(self):
        packages = self._listing().get("dependencies") or {}
        names = [name for name, package in packages.items() if package.get("missing") or package.get("invalid")]
        manifest = os.path.join(self.path, "package.json") if self.path else None
        if manifest and self.system.stat(manifest) is not None:
            wanted = json.loads(self.system.read_text(manifest))
            kinds = ("dependencies",) if "--production" in self.flags else ("dependencies", "devDependencies")
            names += [name for kind in kinds for name in wanted.get(kind) or {} if name not in packages]
        return names

    def outdated(self):
        run = self._run(["outdated", "--json"])
        try:
            return list(json.loads(run.stdout or "{}")) if run is not None else []
        except ValueError:
            return []

    def change(self, words):
        if not self.system.check:
            run = self._run(words)
            if run.rc != 0:
                raise ModuleFailure("npm %s failed: %s" % (" ".join(words), run.stderr.strip()), rc=run.rc,
                                    stdout=run.stdout, stderr=run.stderr)
        return dict({"changed": True}, **({"diff": {"prepared": "npm %s\n" % " ".join(words)}} if self.system.diff else {}))
