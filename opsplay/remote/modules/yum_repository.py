"""Add and remove repositories of yum and dnf."""

import os

from opsplay.remote import file_attributes
from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Path, Spec, Text

FLAGS = ("async", "enabled", "enablegroups", "gpgcheck", "keepcache", "module_hotfixes", "protect", "repo_gpgcheck",
         "skip_if_unavailable", "ssl_check_cert_permissions", "sslverify", "s3_enabled", "deltarpm_metadata_percentage")
TEXTS = ("bandwidth", "cost", "deltarpm_percentage", "failovermethod", "gpgcakey", "http_caching", "include",
         "ip_resolve", "keepalive", "metadata_expire", "metadata_expire_filter", "metalink", "mirrorlist",
         "mirrorlist_expire", "password", "priority", "proxy", "proxy_password", "proxy_username", "retries", "sslcacert",
         "sslclientcert", "sslclientkey", "throttle", "timeout", "ui_repoid_vars", "username")
LISTS = {"baseurl": "\n", "gpgkey": "\n", "exclude": " ", "includepkgs": " ", "enabled_groups": " "}
WORDS = {"failovermethod": ("roundrobin", "priority"), "http_caching": ("all", "packages", "none"),
         "ip_resolve": ("4", "6", "IPv4", "IPv6", "whatever"),
         "metadata_expire_filter": ("never", "read-only:past", "read-only:present", "read-only:future")}
ARGS = dict.fromkeys(())
ARGS.update({name: Text() for name in TEXTS})
ARGS.update({name: Flag() for name in FLAGS if name != "deltarpm_metadata_percentage"})
ARGS.update({name: Choice(*choices) for name, choices in WORDS.items()})
ARGS.update(keepalive=Flag(), deltarpm_metadata_percentage=Text(), baseurl=Listing(), gpgkey=Listing(),
            exclude=Listing(aliases=("excludepkgs",)), includepkgs=Listing())
ARGS.update(name=Text(required=True), description=Text(), file=Text(), reposdir=Path(default="/etc/yum.repos.d"),
            countme=Flag(), state=Choice("absent", "present", default="present"))
ARGS["sslverify"] = Flag(aliases=("validate_certs",))
ARGS["sslcacert"] = Text(aliases=("ca_cert",))
ARGS["sslclientcert"] = Text(aliases=("client_cert",))
ARGS["sslclientkey"] = Text(aliases=("client_key",))
SPEC = Spec(args=ARGS, file_arguments=True, returns={"repo": "Repository.", "state": "State."},
            examples=["yum_repository: {name: epel, description: EPEL, baseurl: 'https://example.org/epel/$basearch/'}"])
NOT_OPTIONS = ("name", "description", "file", "reposdir", "state", "owner", "group", "mode", "attributes", "unsafe_writes",
               "seuser", "serole", "setype", "selevel")


def _path(args):
    return os.path.join(args.reposdir, (args.file or args.name) + ".repo")


def observe(system, args):
    if args.state == "present" and not (args.baseurl or args.metalink or args.mirrorlist):
        raise ModuleFailure("Parameter 'baseurl', 'metalink' or 'mirrorlist' is required.")
    if args.state == "present" and args.description is None:
        raise ModuleFailure("Parameter 'description' is required.")
    path = _path(args)
    seen = {"content": system.read_text(path) if system.stat(path) is not None else None}
    if args.state == "present":
        there = file_attributes.observe_attributes(system, path) if seen["content"] is not None else {}
        seen["attributes"] = there
        seen["wanted_attributes"] = file_attributes.desired_attributes(system, args, path, there)
        seen.update({"attribute " + key: there.get(key) for key in seen["wanted_attributes"]})
    return seen


def desired(args, before):
    sections = _sections(before["content"] or "")
    sections = [section for section in sections if section[0] != args.name]
    if args.state == "present":
        sections.append((args.name, _options(args)))
    content = _text(sections)
    wanted = {}
    if _sections(content) != _sections(before["content"] or ""):
        wanted["content"] = content or None
    wanted.update({"attribute " + key: value for key, value in before.get("wanted_attributes", {}).items()})
    return wanted


def _sections(text):
    """[(name, {option: value})], sorted by name; a value may go on over indented lines."""
    sections = []
    last = None
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            sections.append((stripped[1:-1], {}))
        elif line[:1] in (" ", "\t") and last is not None and stripped and sections:
            sections[-1][1][last] += "\n" + stripped
        elif "=" in line and not stripped.startswith(("#", ";")) and sections:
            last, value = [part.strip() for part in line.split("=", 1)]
            sections[-1][1][last] = value
    return sorted(sections, key=lambda one: one[0])


def _options(args):
    options = {"name": args.description}
    for name in args:
        value = args[name]
        if name in NOT_OPTIONS or value is None:
            continue
        if isinstance(value, bool):
            value = "1" if value else "0"
        elif isinstance(value, (list, tuple)):
            value = LISTS.get(name, " ").join(str(one) for one in value)
        options[name] = str(value)
    return options


def _text(sections):
    parts = []
    for name, options in sorted(sections, key=lambda one: one[0]):
        lines = ["[%s]" % name]
        lines += ["%s = %s" % (key, value.replace("\n", "\n\t")) for key, value in sorted(options.items())]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def apply(system, args, change):
    path = _path(args)
    if "content" in change:
        if change.wanted["content"] is None:
            system.remove(path)
            return
        system.write(path, change.wanted["content"].encode(), mode=None if system.lstat(path) is not None else 0o644)
    wanted = change.before.get("wanted_attributes")
    if wanted:
        file_attributes.apply_attributes(system, path, wanted)


def report(args, before, after):
    return {"repo": args.name, "state": args.state}


def difference(args, before, after):
    return {"before": before["content"] or "", "after": after["content"] or "", "before_header": _path(args),
            "after_header": _path(args)}
