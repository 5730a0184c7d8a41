"""Keep a rule of a PAM service as asked: its arguments, its place, or that it is not there."""

from opsplay.remote.edited_file import apply_text, desired_text, observe_text, text_difference
from opsplay.remote.pam_rules import Rule, read_rules, with_arguments, without_arguments
from opsplay.remote.spec import Choice, Flag, Integer, Listing, ModuleFailure, Path, Spec, Text

TYPES = ("account", "-account", "auth", "-auth", "password", "-password", "session", "-session")
SPEC = Spec(
    args={
        "name": Text(required=True, text="The service: the file's name."), "path": Path(default="/etc/pam.d", text="The folder."),
        "type": Choice(*TYPES, required=True), "control": Text(required=True), "module_path": Text(required=True),
        "new_type": Choice(*TYPES), "new_control": Text(), "new_module_path": Text(),
        "module_arguments": Listing(text="With state updated: all of them; '' takes all away."),
        "state": Choice("absent", "before", "after", "args_absent", "args_present", "updated", default="updated"),
        "backup": Flag(default=False),
    },
    returns={"change_count": Integer(), "backupdest": Text()},
    examples=("pamd: {name: sshd, type: session, control: optional, module_path: pam_motd.so, state: absent}",),
    required_if=(("state", "args_present", ("module_arguments",)), ("state", "args_absent", ("module_arguments",)),
                 ("state", "before", ("new_control", "new_type", "new_module_path")), ("state", "after", ("new_control", "new_type", "new_module_path"))),
)


def observe(system, args):
    return observe_text(system, args, "%s/%s" % (args.path, args.name))


def desired(args, before):
    if before["content"] is None:
        raise ModuleFailure("Unable to open/read PAM module file %s/%s" % (args.path, args.name))
    return desired_text(before, _edited(args, before)[0])


def apply(system, args, change):
    result = apply_text(system, args, change)
    return {"backupdest": result["backup"]} if result else {}


def report(args, before, after):
    return {"change_count": _edited(args, before)[1]}


def difference(args, before, after):
    return text_difference("%s/%s" % (args.path, args.name), before, after)


def _edited(args, before):
    """(content, how many rules are changed)"""
    lines = read_rules(before["content"])
    places = [place for place, line in enumerate(lines) if isinstance(line, Rule) and line.fits(args.type, args.control, args.module_path)]
    count = 0
    for place in reversed(places):
        count += _change(args, lines, place)
    return ("\n".join(str(line) for line in lines) if count else before["content"]), count


def _change(args, lines, place):
    rule, words = lines[place], [word for word in args.module_arguments or () if word]
    if args.state == "absent":
        del lines[place]
        return 1
    if args.state == "args_present":
        return int(rule.become(arguments=with_arguments(rule.arguments, words)))
    if args.state == "args_absent":
        return int(rule.become(arguments=without_arguments(rule.arguments, words)))
    if args.state == "updated":
        return int(rule.become(args.new_type, args.new_control, args.new_module_path, words if args.module_arguments is not None else None))
    return _insert(lines, place, Rule(args.new_type, args.new_control, args.new_module_path, words), args.state == "after")


def _insert(lines, place, rule, after):
    """A rule beside the one at that place, unless it stands there already."""
    rules = [at for at, line in enumerate(lines) if isinstance(line, Rule)]
    at = rules.index(place) + (1 if after else -1)
    beside = lines[rules[at]] if 0 <= at < len(rules) else None
    if beside is not None and beside.fits(rule.type, rule.control, rule.module):
        return int(bool(rule.arguments) and beside.become(arguments=rule.arguments))
    lines.insert(place + (1 if after else 0), rule)
    return 1
