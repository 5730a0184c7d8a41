"""Download a file from HTTP, HTTPS or FTP to the host."""

import os
import re
import time
import urllib.parse

from opsplay.remote.http_request import URL_ARGUMENTS, ask, save
from opsplay.remote.modules import _copy
from opsplay.remote.perform import perform_inside
from opsplay.remote.spec import Args, Dictionary, Flag, Integer, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

    from opsplay.remote.system import System

SPEC = Spec(
    args=dict(
        URL_ARGUMENTS,
        dest=Path(required=True, text="The file, or the folder that it lands in by the name the server or the URL gives."),
        checksum=Text(default="", text="algorithm:hex, or algorithm:URL of a file of checksums."),
        headers=Dictionary(text="Further headers."),
        timeout=Integer(default=10, text="Seconds for the server to answer."),
        backup=Flag(default=False, text="Keep a copy of the old file."),
        tmp_dest=Path(text="Folder for the download before it is put in place."),
    ),
    returns={"url": Text(), "dest": Text(), "src": Text(), "msg": Text(), "status_code": Integer(), "elapsed": Integer(),
             "checksum_src": Text(), "checksum_dest": Text(), "md5sum": Text(), "backup_file": Text(), "size": Integer(),
             "mode": Text(), "owner": Text(), "group": Text(), "uid": Integer(), "gid": Integer(), "state": Text()},
    examples=("get_url: {url: 'https://example.org/a.tar.gz', dest: /tmp/a.tar.gz, checksum: 'sha256:...'}",),
    file_arguments=True,
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    started = time.time()
    wanted = _wanted_checksum(system, args)
    isdir = args.dest.endswith("/") or os.path.isdir(args.dest)
    if not isdir and not args.force and os.path.exists(args.dest) and (
            wanted is None or system.digest(args.dest, wanted[0]) == wanted[1]):
        return _already(system, args)
    path, name, answer = _download(system, args)
    if wanted is not None:
        actual = system.digest(path, wanted[0])
        if actual != wanted[1]:
            raise ModuleFailure("The checksum for %s did not match %s; it was %s." % (args.dest, wanted[1], actual),
                                url=args.url, dest=args.dest, checksum_src=actual)
    result = perform_inside(_copy, system, _file_arguments(args, source="part", part=path, name=name, src=args.url))
    result.update(url=args.url, src=path, elapsed=int(time.time() - started), checksum_src=system.digest(path),
                  checksum_dest=result.pop("checksum", None), status_code=answer.status)
    result["msg"] = "OK (%s bytes)" % (answer.headers.get("Content-Length") or os.path.getsize(path))
    return result


def _already(system: "System", args: "Args") -> "Dict[str, Any]":
    """Nothing to download; owner, group and mode are still seen to."""
    result = perform_inside(_copy, system, _file_arguments(args, source="host", src=args.dest))
    result.update(url=args.url, elapsed=0, checksum_dest=result.pop("checksum", None))
    result["msg"] = "file already exists"
    return result


def _file_arguments(args: "Args", **more: "Any") -> "Args":
    given = {name: argument.default for name, argument in _copy.SPEC.args.items()}
    given.update((name, args[name]) for name in given if name in args and name not in ("checksum", "force"))
    return Args(given, **more)


def _download(system: "System", args: "Args") -> "Tuple[str, str, Any]":
    answer = ask(args, args.url, headers=args.headers, timeout=args.timeout)
    if answer.status not in (200, 226):
        answer.close()
        raise ModuleFailure("Request failed", response=answer.message, status_code=answer.status, url=args.url, dest=args.dest)
    if args.tmp_dest and not os.path.isdir(args.tmp_dest):
        raise ModuleFailure("%s is a file but should be a directory." % args.tmp_dest if os.path.exists(args.tmp_dest)
                            else "%s directory does not exist." % args.tmp_dest)
    path = os.path.join(system.temporary(args.tmp_dest), "download")
    save(answer, path)
    return path, _file_name(answer, args.url), answer


def _file_name(answer: "Any", url: "str") -> "str":
    """What the server calls it, else the URL's last part; never a path."""
    said = re.search(r'filename="?([^";]+)"?', answer.headers.get("Content-Disposition") or "")
    for name in (said.group(1) if said else "", urllib.parse.urlsplit(answer.url).path, urllib.parse.urlsplit(url).path):
        name = os.path.basename(urllib.parse.unquote(name.rstrip("/"))).replace("\0", "")
        if name not in ("", ".", ".."):
            return name
    return "index.html"


def _wanted_checksum(system: "System", args: "Args") -> "Optional[Tuple[str, str]]":
    """(algorithm, hex digits) of what the file must be."""
    if not args.checksum:
        return None
    algorithm, colon, value = args.checksum.partition(":")
    if not colon or not re.match(r"^\w+$", algorithm):
        raise ModuleFailure("The checksum parameter has to be in format <algorithm>:<checksum>")
    value = value.strip()
    if "://" in value:
        value = _listed_checksum(system, args, value)
    value = re.sub(r"\W+", "", value).lower()
    if not re.match(r"^[0-9a-f]+$", value):
        raise ModuleFailure("The checksum format is invalid")
    return algorithm, value


def _listed_checksum(system: "System", args: "Args", url: "str") -> "str":
    """From a file of checksums: the line that names the file, or the only one there is."""
    answer = ask(args, url, headers=args.headers, timeout=args.timeout)
    text = answer.stream.read(1 << 20).decode("utf-8", "replace") if answer.status == 200 else ""
    answer.close()
    if answer.status != 200:
        raise ModuleFailure("Unable to download checksum file %s: %s" % (url, answer.message), status_code=answer.status)
    rows = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    if len(rows) == 1 and len(rows[0]) == 1:
        return str(rows[0][0])
    name = os.path.basename(urllib.parse.urlsplit(args.url).path)
    for row in rows:
        if len(row) == 2 and os.path.basename(row[1].strip().lstrip("*")) == name:
            return str(row[0])
    raise ModuleFailure("Unable to find a checksum for file '%s' in '%s'" % (name, url))
