"""Add and remove one-line sources of apt."""

import os

from opsplay.remote.facts import distribution
from opsplay.remote.packages import apt_cache, apt_get, apt_sources, launchpad
from opsplay.remote.spec import Args, Choice, Flag, Integer, ModuleFailure, Raw, Spec, Text

SPEC = Spec(
    args={"repo": Text(required=True, text="deb [options] URI suite components, or ppa:owner/name."),
          "state": Choice("absent", "present", default="present"), "mode": Raw(), "filename": Text(),
          "update_cache": Flag(default=True, aliases=("update-cache",)), "update_cache_retries": Integer(default=5),
          "update_cache_retry_max_delay": Integer(default=12), "validate_certs": Flag(default=True),
          "codename": Text(), "install_python_apt": Flag(default=True)},
    returns={"repo": "The source.", "sources_added": "New files.", "sources_removed": "Files that went."},
    examples=["apt_repository: {repo: 'deb http://mirror.example.com/debian bookworm-backports main'}"],
)


def act(system, args):
    line, key = _line(system, args)
    if apt_sources.key(line) is None:
        raise ModuleFailure("Invalid repository string: %s" % args.repo)
    texts = apt_sources.files(system)
    if args.state == "present":
        changed = apt_sources.with_line(texts, line, _path(args, line))
    else:
        changed = apt_sources.without_line(texts, line)
    result = {"changed": bool(changed), "repo": args.repo, "state": args.state,
              "sources_added": sorted(path for path in changed if path not in texts),
              "sources_removed": sorted(path for path, text in changed.items() if text is None)}
    if changed and system.diff:
        result["diff"] = [_difference(path, texts.get(path), text) for path, text in sorted(changed.items())]
    if changed and not system.check:
        _carry_out(system, args, texts, changed, key)
    return result


def _line(system, args):
    """(source line, the PPA it comes from or None)"""
    repo = args.repo.strip()
    if not repo.startswith("ppa:"):
        return repo, None
    codename = args.codename or distribution.collect(system)["distribution_release"]
    owner, name, line = launchpad.source_of(repo, codename)
    return line, (owner, name)


def _path(args, line):
    name = args.filename or apt_sources.suggested_name(line)
    name = name if name.endswith(".list") else name + ".list"
    return name if os.path.isabs(name) else os.path.join(apt_sources.FOLDER, name)


def _carry_out(system, args, texts, changed, ppa):
    if ppa and args.state == "present" and system.stat(launchpad.key_path(*ppa)) is None:
        system.write(launchpad.key_path(*ppa), launchpad.fetch_key(*ppa)[1], mode=0o644)
    _write(system, args, changed)
    if not args.update_cache:
        return
    options = Args(lock_timeout=60, dpkg_options="", update_cache_retries=args.update_cache_retries,
                   update_cache_retry_max_delay=args.update_cache_retry_max_delay)
    try:
        apt_cache.refresh(system, options, apt_get.AptGet(system, options))
    except ModuleFailure as failure:
        _write(system, args, {path: texts.get(path) for path in changed})  # a source that does not work must not stay
        raise ModuleFailure(failure.msg + " (the sources are as before)", **failure.result)


def _write(system, args, changed):
    mode = int(str(args.mode), 8) if args.mode is not None and not isinstance(args.mode, int) else args.mode
    for path, text in changed.items():
        if text is None:
            if system.lstat(path) is not None:
                system.remove(path)
        else:
            new = system.lstat(path) is None
            system.write(path, text.encode("utf-8", "surrogateescape"), mode=mode or (0o644 if new else None))


def _difference(path, before, after):
    return {"before": before or "", "after": after or "", "before_header": path if before is not None else "/dev/null",
            "after_header": path if after is not None else "/dev/null"}
