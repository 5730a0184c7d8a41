"""What stat and find say about a file: permissions, ids, times, kind, link targets."""

import grp
import os
import pwd
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

KINDS = (("isdir", stat.S_ISDIR), ("ischr", stat.S_ISCHR), ("isblk", stat.S_ISBLK), ("isreg", stat.S_ISREG),
         ("isfifo", stat.S_ISFIFO), ("islnk", stat.S_ISLNK), ("issock", stat.S_ISSOCK))
BITS = (("wusr", stat.S_IWUSR), ("rusr", stat.S_IRUSR), ("xusr", stat.S_IXUSR), ("wgrp", stat.S_IWGRP),
        ("rgrp", stat.S_IRGRP), ("xgrp", stat.S_IXGRP), ("woth", stat.S_IWOTH), ("roth", stat.S_IROTH),
        ("xoth", stat.S_IXOTH), ("isuid", stat.S_ISUID), ("isgid", stat.S_ISGID))


def mode_text(mode: int) -> str:
    return "%04o" % stat.S_IMODE(mode)


def user_name(uid: int) -> "str":
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def group_name(gid: int) -> "str":
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""


def described(path: str, found: "os.stat_result") -> "Dict[str, Any]":
    """The keys that stat and find have in common."""
    facts = {"path": path, "mode": mode_text(found.st_mode), "uid": found.st_uid, "gid": found.st_gid,
             "size": found.st_size, "inode": found.st_ino, "dev": found.st_dev, "nlink": found.st_nlink,
             "atime": found.st_atime, "mtime": found.st_mtime, "ctime": found.st_ctime,
             "pw_name": user_name(found.st_uid), "gr_name": group_name(found.st_gid)}  # type: Dict[str, Any]
    facts.update((name, test(found.st_mode)) for name, test in KINDS)
    facts.update((name, bool(found.st_mode & bit)) for name, bit in BITS)
    return facts
