"""Manage user accounts."""

import re

from opsplay.remote import accounts, home_files, user_commands, user_keys
from opsplay.remote.spec import Choice, Flag, Integer, Listing, ModuleFailure, Number, Path, Spec, Text

SPEC = Spec(
    args={
        "name": Text(required=True, aliases=("user",)), "state": Choice("absent", "present", default="present"),
        "uid": Integer(), "non_unique": Flag(default=False), "comment": Text(), "group": Text(),
        "groups": Listing(text="Further groups; an empty list removes the user from all of them."),
        "append": Flag(default=False), "shell": Path(), "home": Path(), "skeleton": Text(),
        "create_home": Flag(default=True, aliases=("createhome",)), "move_home": Flag(default=False),
        "system": Flag(default=False), "password": Text(secret=True, text="The hash, as in /etc/shadow."),
        "update_password": Choice("always", "on_create", default="always"), "password_lock": Flag(),
        "expires": Number(text="Seconds since the epoch; negative for never."), "remove": Flag(default=False),
        "force": Flag(default=False), "local": Flag(default=False), "umask": Text(),
        "password_expire_max": Integer(), "password_expire_min": Integer(), "password_expire_warn": Integer(),
        "password_expire_account_disable": Integer(), "uid_min": Integer(), "uid_max": Integer(), "seuser": Text(),
        "generate_ssh_key": Flag(default=False), "ssh_key_bits": Integer(), "ssh_key_type": Text(default="rsa"),
        "ssh_key_file": Path(), "ssh_key_comment": Text(), "ssh_key_passphrase": Text(secret=True),
        "login_class": Text(), "hidden": Flag(), "profile": Text(), "role": Text(), "authorization": Text(),
    },
    returns={"name": "The user.", "state": "The state.", "append": "As asked.", "create_home": "As asked, of a new user.",
             "force": "As asked, of a removed user.", "remove": "The same.", "move_home": "As asked.",
             "password": "NOT_LOGGING_PASSWORD, where one was given.", "system": "As asked, of a new user.",
             "ssh_key_file": "The key.", "ssh_fingerprint": "Its fingerprint.", "stdout": "Of the commands.", "stderr": "Of the commands.",
             "uid": "Number of the user.", "group": "Primary group's number.", "groups": "Further groups.",
             "home": "Home.", "shell": "Shell.", "comment": "GECOS.", "ssh_public_key": "The generated key."},
    examples=["user: {name: deploy, groups: [sudo], append: true, shell: /bin/bash}"],
)
HASH_LENGTHS = {"1": 22, "5": 43, "6": 86}
AGEING = (("password_expire_min", "minimum"), ("password_expire_max", "maximum"),
          ("password_expire_warn", "warning"), ("password_expire_account_disable", "inactive"))


def observe(system, args):
    entry = accounts.user(system, args.name, args.local)
    if entry is None:
        return {"exists": False, "asked_groups": _check_groups(system, args, is_new=True)}
    shadow = accounts.shadow_of(system, args.name)
    seen = {"exists": True, "uid": entry.pw_uid, "gid": entry.pw_gid, "comment": entry.pw_gecos, "home": entry.pw_dir,
            "shell": entry.pw_shell, "groups": accounts.memberships(system, entry, args.local),
            "home_exists": system.stat(entry.pw_dir) is not None, "password": shadow.password.lstrip("!"),
            "password_lock": shadow.password.startswith("!"), "expires": shadow.expires,
            "shadow": shadow.is_there}
    seen.update({name: getattr(shadow, field) for name, field in AGEING})
    if args.state == "present":
        seen["asked_groups"] = _check_groups(system, args)
        if args.group is not None:
            seen["asked_gid"] = accounts.group(system, args.group, args.local).gr_gid
        if args.generate_ssh_key:
            path = user_keys.key_path(args, entry.pw_dir)
            public = user_keys.read_public(path, entry.pw_dir)
            if public is None and user_keys.is_left_alone(system, args, path, entry.pw_dir):
                public = ""
            seen.update(ssh_key=public is not None, ssh_public_key=public,
                        ssh_fingerprint=user_keys.fingerprint(system, public))
    return seen


def _check_groups(system, args, is_new=False):
    """The names of the groups asked for (a task may give numbers).

    In check mode a group that is missing may be one that an earlier task would have made: a new user is none the worse for it.
    """
    if args.state != "present":
        return []
    for name in ("uid_min", "uid_max", "umask"):
        if args.local and args[name] is not None:
            raise ModuleFailure("'%s' can not be used with 'local'" % name)
    for name in ([args.group] if args.group is not None else []) + _names(args.groups):
        if accounts.group(system, name, args.local) is None and not (system.check and is_new):
            raise ModuleFailure("Group %s does not exist" % name)
    if args.append and args.groups is None:
        system.warn("'append' is set, but no 'groups' are specified. Use 'groups' for appending new groups.")
    if args.password and not system.check and not _is_hash(args.password):
        system.warn("The input password appears not to have been hashed. The 'password' argument must be encrypted "
                    "for this module to work properly.")
    groups = [accounts.group(system, name, args.local) for name in _names(args.groups)]
    return sorted(set(group.gr_name for group in groups if group is not None))


def _is_hash(text):
    """Whether /etc/shadow would take it for a hash; what locks an account (!, *) is fine too."""
    if set(text) <= {"!", "*"} or text == "*LOCKED*":
        return True
    fields = text.lstrip("!").split("$")
    if len(fields) < 3 or not re.match(r"^[A-Za-z0-9./=]*$", fields[-1]):
        return len(fields) == 1 and re.match(r"^([A-Za-z0-9./]{13}|_[A-Za-z0-9./]{19})$", fields[0]) is not None
    return len(fields[-1]) == HASH_LENGTHS.get(fields[1], len(fields[-1]))


def _names(groups):
    return [name.strip() for name in groups or () if name and name.strip()]


def desired(args, before):
    if args.state == "absent":
        return {"exists": False}
    wanted = {"exists": True}
    for key in ("uid", "comment", "shell"):
        if args.get(key) is not None:
            wanted[key] = args[key]
    if not before["exists"]:
        return dict(wanted, **_for_new(args, before))
    if args.group is not None:
        wanted["gid"] = before["asked_gid"]
    wanted.update(_for_known(args, before))
    if args.groups is not None:
        names = set(before["asked_groups"])
        wanted["groups"] = sorted(names | set(before["groups"])) if args.append else sorted(names)
    if args.generate_ssh_key:
        wanted["ssh_key"] = True
    return _without_primary(args, wanted)


def _without_primary(args, wanted):
    if args.group in wanted.get("groups", ()):
        wanted["groups"] = [name for name in wanted["groups"] if name != args.group]
    return wanted


def _for_new(args, before):
    wanted = {key: args[key] for key, _ in AGEING if args.get(key) is not None}
    if args.home is not None:
        wanted["home"] = args.home
    if args.groups is not None:
        wanted["groups"] = list(before["asked_groups"])
    if args.password is not None:
        wanted["password"] = args.password.lstrip("!")
    if args.password_lock:
        wanted["password_lock"] = True
    if args.expires is not None and args.expires >= 0:
        wanted["expires"] = int(args.expires // 86400)
    if args.create_home:
        wanted["home_exists"] = True
    if args.generate_ssh_key:
        wanted["ssh_key"] = True
    return _without_primary(args, wanted)


def _for_known(args, before):
    wanted = {key: args[key] for key, _ in AGEING if args.get(key) is not None}
    if args.home is not None and (args.move_home or before["home"] != args.home):
        wanted["home"] = args.home
    if args.create_home:
        wanted["home_exists"] = True
    if args.password is not None and args.update_password == "always":
        wanted["password"] = args.password.lstrip("!")
    if args.password_lock is not None:
        wanted["password_lock"] = args.password_lock
    if args.expires is not None:
        days = int(args.expires // 86400)
        wanted["shadow"] = True  # there is no expiry date without a line in /etc/shadow
        wanted["expires"] = days if args.expires >= 0 else None
        if args.expires < 0 and before["expires"] is not None and before["expires"] < 0:
            wanted["expires"] = before["expires"]
    return wanted


def apply(system, args, change):
    if "exists" in change and args.state == "absent":
        return user_commands.delete(system, args)
    output = user_commands.create(system, args) if "exists" in change else user_commands.modify(system, args, change)
    user_commands.set_secrets(system, args, change)
    entry = accounts.user(system, args.name, args.local)
    if args.create_home and system.stat(entry.pw_dir) is None:
        umask = int(args.umask, 8) if args.umask else accounts.login_setting(system, "UMASK", 0o022)
        mode = 0o777 & ~umask if args.umask else accounts.login_setting(system, "HOME_MODE", 0o777 & ~umask)
        home_files.make_home(entry.pw_dir, args.skeleton or "/etc/skel", entry.pw_uid, entry.pw_gid, umask, mode)
    if "ssh_key" in change:
        path = user_keys.key_path(args, entry.pw_dir)
        if not user_keys.is_left_alone(system, args, path, entry.pw_dir):  # the home was there before its user
            user_keys.generate(system, args, path, entry.pw_dir, entry.pw_uid, entry.pw_gid)
    return output


def report(args, before, after):
    result = {"name": args.name, "state": args.state}
    if args.state == "absent":
        return dict(result, force=args.force, remove=args.remove)
    result.update(append=args.append, move_home=args.move_home, comment=after.get("comment"), home=after.get("home"),
                  shell=after.get("shell"), uid=after.get("uid"), group=after.get("gid"))
    if not before["exists"]:
        result.update(system=args.system, create_home=args.create_home)
    if args.groups is not None:
        result["groups"] = ",".join(_names(args.groups))
    if args.password is not None:
        result["password"] = "NOT_LOGGING_PASSWORD"
    if args.generate_ssh_key:
        result.update(ssh_key_file=user_keys.key_path(args, after.get("home") or "~"),
                      ssh_public_key=after.get("ssh_public_key"), ssh_fingerprint=after.get("ssh_fingerprint"))
    return {key: value for key, value in result.items() if value is not None}  # check mode cannot know a new uid


def difference(args, before, after):
    wanted = desired(args, before)
    keys = [key for key in wanted if key not in before or before[key] != wanted[key]]
    shown = {"before": {key: before.get(key) for key in keys}, "after": {key: wanted[key] for key in keys}}
    if "password" in keys:
        shown["before"]["password"], shown["after"]["password"] = "(old hash hidden)", "(new hash hidden)"
    return shown
