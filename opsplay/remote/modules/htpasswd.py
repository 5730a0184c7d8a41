"""Keep a user in a file of names and password hashes, as web servers read them."""

from opsplay.remote import htpasswd_hashes
from opsplay.remote.edited_file import apply_text, desired_text, observe_text, require_file
from opsplay.remote.spec import Choice, Flag, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("dest", "destfile"), text="The file."),
        "name": Text(required=True, aliases=("username",), text="The user."),
        "password": Text(secret=True, text="Needed for a user that is to be there."),
        "hash_scheme": Text(default="apr_md5_crypt", aliases=("crypt_scheme",), text="apr_md5_crypt, md5_crypt, sha256_crypt, sha512_crypt, ldap_sha1, plaintext."),
        "state": Choice("present", "absent", default="present"), "create": Flag(default=True, text="Make the file where it is missing."),
        "backup": Flag(default=False),
    },
    returns={"msg": Text()},
    examples=("htpasswd: {path: /etc/nginx/passwd, name: amy, password: secret, mode: '0640'}",),
    file_arguments=True,
)
PORTABLE = ("portable", "host_apache24", "portable_apache24", "host_apache_24", "portable_apache_24")


def observe(system, args):
    """The file, and a hash of the password for a user whose own does not fit."""
    before = observe_text(system, args, args.path)
    kept = _hash_of(args.name, before["content"] or "")
    if args.state == "present" and args.password is not None:
        scheme = "apr_md5_crypt" if args.hash_scheme in PORTABLE else args.hash_scheme
        before["fits"] = kept is not None and htpasswd_hashes.fits(system, args.password, kept)
        before["hash"] = kept if before["fits"] else htpasswd_hashes.made(system, scheme, args.password)
    return before


def _hash_of(name, content):
    return next((line.partition(":")[2] for line in content.splitlines() if line.partition(":")[0] == name), None)


def desired(args, before):
    content = before["content"]
    if args.state == "absent":
        return desired_text(before, None if content is None else _without(args.name, content))
    if args.password is None:
        raise ModuleFailure("password is required when state is present")
    require_file(args.path, before, args.create, "Destination")
    if before["fits"]:
        return desired_text(before, content)
    entry = "%s:%s\n" % (args.name, before["hash"])
    if content is not None and _hash_of(args.name, content) is not None:
        return desired_text(before, "".join(entry if line.partition(":")[0] == args.name else line + "\n" for line in content.splitlines()))
    return desired_text(before, (content or "") + ("\n" if content and not content.endswith("\n") else "") + entry)


def _without(name, content):
    return "".join(line for line in content.splitlines(True) if line.partition(":")[0] != name)


def apply(system, args, change):
    return apply_text(system, args, change)


def report(args, before, after):
    old, new = (_hash_of(args.name, state["content"] or "") for state in (before, after))
    if old == new:
        return {"msg": "%s already present" % args.name if args.state == "present" else "%s not present" % args.name}
    return {"msg": "%s %s" % ("Remove" if new is None else "Add" if old is None else "Update", args.name)}


def difference(args, before, after):
    """Names only: a diff is no place for hashes."""
    old, new = (_hash_of(args.name, state["content"] or "") for state in (before, after))
    shown = ["" if one is None else "%s:***%s\n" % (args.name, " (new)" if at and old and one != old else "") for at, one in enumerate((old, new))]
    attributes = {key: after.get(key) for key in ("mode", "owner", "group") if key in after["asked"] and before.get(key) != after.get(key) and before["content"] is not None}
    made = {"before": shown[0], "after": shown[1], "before_header": args.path, "after_header": args.path}
    return [made, {"before": {key: before.get(key) for key in attributes}, "after": attributes}] if attributes else made
