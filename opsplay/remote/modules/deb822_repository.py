"""Add and remove sources of apt in deb822 format."""

import os
import re

from opsplay.remote.file_attributes import mode_text, observe_attributes, wanted_mode
from opsplay.remote.spec import Choice, Flag, Integer, Listing, ModuleFailure, Raw, Spec, Text

FIELDS = (("enabled", "Enabled"), ("types", "Types"), ("uris", "URIs"), ("suites", "Suites"), ("components", "Components"),
          ("architectures", "Architectures"), ("languages", "Languages"), ("targets", "Targets"), ("pdiffs", "PDiffs"),
          ("by_hash", "By-Hash"), ("trusted", "Trusted"), ("allow_insecure", "Allow-Insecure"),
          ("allow_weak", "Allow-Weak"), ("allow_downgrade_to_insecure", "Allow-Downgrade-To-Insecure"),
          ("check_valid_until", "Check-Valid-Until"), ("check_date", "Check-Date"),
          ("date_max_future", "Date-Max-Future"), ("inrelease_path", "InRelease-Path"), ("exclude", "Exclude"),
          ("include", "Include"), ("signed_by", "Signed-By"))
SPEC = Spec(
    args={"name": Text(required=True), "state": Choice("absent", "present", default="present"), "mode": Raw(default="0644"),
          "types": Listing(default=["deb"], choices=("deb", "deb-src")), "uris": Listing(), "suites": Listing(), "components": Listing(),
          "architectures": Listing(), "languages": Listing(), "targets": Listing(), "enabled": Flag(), "pdiffs": Flag(),
          "by_hash": Flag(), "trusted": Flag(), "allow_insecure": Flag(), "allow_weak": Flag(),
          "allow_downgrade_to_insecure": Flag(), "check_valid_until": Flag(), "check_date": Flag(),
          "date_max_future": Integer(), "inrelease_path": Text(), "signed_by": Text(), "exclude": Listing(),
          "include": Listing(), "install_python_debian": Flag(default=False)},
    exclusive=(("exclude", "include"),),
    returns={"repo": "The file's text.", "dest": "The file.", "key_filename": "The key's file."},
    examples=["deb822_repository: {name: backports, uris: ['http://mirror.example.com/debian'], "
              "suites: [bookworm-backports], components: [main]}"],
)
SOURCES, KEYRINGS = "/etc/apt/sources.list.d", "/etc/apt/keyrings"


def _base(args):
    return re.sub(r"[^a-z0-9-]+", "-", args.name.lower()).strip("-")


def _path(args):
    return os.path.join(SOURCES, _base(args) + ".sources")


def observe(system, args):
    if args.state == "present" and not (args.uris and args.suites):
        raise ModuleFailure("uris and suites are needed for state present")
    seen = {"content": _text(system, _path(args)), "key": None, "key_name": None, "mode": None}
    if seen["content"] is not None:
        seen["mode"] = observe_attributes(system, _path(args), follow=True)["mode"]
    if args.state == "absent":
        for suffix in ("asc", "gpg"):
            path = "%s/%s.%s" % (KEYRINGS, _base(args), suffix)
            if system.stat(path) is not None:
                seen.update(key_name=path, key="")
    elif args.signed_by and "://" in args.signed_by:
        data = _download(args.signed_by)
        path = "%s/%s.%s" % (KEYRINGS, _base(args), "asc" if b"-----BEGIN PGP" in data else "gpg")
        there = system.read(path) if system.stat(path) is not None else None
        seen.update(key_name=path, key_data=data, key=there == data)
    return seen


def _text(system, path):
    return system.read_text(path) if system.stat(path) is not None else None


def _download(url):
    import urllib.request
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.read(1 << 20)
    except (OSError, ValueError) as error:
        raise ModuleFailure("Failed to download the key %s: %s" % (url, error))


def desired(args, before):
    if args.state == "absent":
        wanted = {"content": None}
        return dict(wanted, key=None) if before["key_name"] else wanted
    observed = {"mode": before["mode"]} if before["mode"] else {}
    wanted = {"content": _stanza(args, before["key_name"]), "mode": mode_text(wanted_mode(args.mode, observed))}
    if before["key_name"]:
        wanted["key"] = True
    return wanted


def _stanza(args, key_path):
    lines = []
    values = dict(args, signed_by=key_path or args.signed_by)
    for argument, field in sorted(FIELDS + (("name", "X-Repolib-Name"),)):  # Ansible's order: its arguments' own
        value = values.get(argument)
        if value is None:
            continue
        if isinstance(value, bool):
            value = "yes" if value else "no"
        elif isinstance(value, (list, tuple)):
            value = " ".join(str(one) for one in value)
        value = str(value).strip()
        if "\n" in value:  # a key in the text: every line indented, empty ones as a dot
            value = "\n" + "\n".join(" " + (line.strip() or ".") for line in value.splitlines())
            lines.append("%s:%s" % (field, value))
        else:
            lines.append("%s: %s" % (field, value))
    return "\n".join(lines) + "\n"


def apply(system, args, change):
    for key, path in (("content", _path(args)), ("key", change.before["key_name"])):
        if key not in change:
            continue
        if args.state == "absent":
            system.remove(path)
        elif key == "key":
            if system.stat(KEYRINGS) is None:
                system.mkdir(KEYRINGS, 0o755)
            system.write(path, change.before["key_data"], mode=0o644)
        else:
            system.write(path, change.wanted["content"].encode(), mode=int(change.wanted.get("mode") or change.before["mode"], 8))
    if "mode" in change and "content" not in change and args.state == "present":
        system.chmod(_path(args), int(change.wanted["mode"], 8))


def report(args, before, after):
    return {"repo": after["content"], "dest": _path(args), "key_filename": before["key_name"]}


def difference(args, before, after):
    shown = {"before": before["content"] or "", "after": after["content"] or "", "before_header": _path(args),
             "after_header": _path(args)}
    if before["content"] is None or args.state == "absent" or before["mode"] == after["mode"]:
        return shown
    attributes = "%s (file attributes)" % _path(args)
    return [shown, {"before": {"mode": before["mode"]}, "after": {"mode": after["mode"]}, "before_header": attributes,
                    "after_header": attributes}]
