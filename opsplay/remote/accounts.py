"""Users and groups as the host has them: passwd, shadow, group, by NSS or by the local files alone."""

import grp
import pwd

SHADOW = "/etc/shadow"


class Shadow(object):
    """One line of /etc/shadow; empty numbers are None. `is_there` is False for an account without such a line."""

    def __init__(self, fields, is_there=True):
        self.is_there = is_there
        fields = (fields + [""] * 9)[:9]
        self.password = fields[1]
        self.minimum, self.maximum, self.warning, self.inactive, self.expires = [
            int(field) if field.lstrip("-").isdigit() else None for field in fields[3:8]]


def shadow_of(system, name):
    """The Shadow of a user; an empty one where it may not be read."""
    try:
        text = system.read_text(SHADOW)
    except OSError:
        return Shadow([name])
    for line in text.splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return Shadow(fields)
    return Shadow([name], is_there=False)


def user(system, name, local=False):
    """pwd entry or None."""
    if local:
        return _local_user(system, name)
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _local_user(system, name):
    for line in system.read_text("/etc/passwd").splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) == 7:
            return pwd.struct_passwd((fields[0], fields[1], int(fields[2]), int(fields[3])) + tuple(fields[4:]))
    return None


def group(system, name, local=False):
    """grp entry by name or number, or None."""
    if local:
        return next((one for one in _local_groups(system) if one.gr_name == name or str(one.gr_gid) == str(name)), None)
    try:
        return grp.getgrnam(str(name))
    except KeyError:
        pass
    try:
        return grp.getgrgid(int(name))
    except (KeyError, ValueError):
        return None


def _local_groups(system):
    for line in system.read_text("/etc/group").splitlines():
        fields = line.split(":")
        if len(fields) == 4 and fields[2].isdigit():
            yield grp.struct_group((fields[0], fields[1], int(fields[2]), [one for one in fields[3].split(",") if one]))


def memberships(system, entry, local=False):
    """Names of the groups that list the user, without the primary one, sorted."""
    every = _local_groups(system) if local else grp.getgrall()
    return sorted(set(one.gr_name for one in every
                      if entry.pw_name in one.gr_mem and one.gr_gid != entry.pw_gid))


def login_setting(system, name, otherwise):
    """A number of /etc/login.defs."""
    try:
        text = system.read_text("/etc/login.defs")
    except OSError:
        return otherwise
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name:
            try:
                return int(words[1], 0) if not words[1].startswith("0") else int(words[1], 8)
            except ValueError:
                return otherwise
    return otherwise
