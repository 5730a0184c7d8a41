"""Answer the questions of Debian packages before they are asked."""

from opsplay.remote.spec import Choice, Flag, ModuleFailure, Raw, Spec, Text

SPEC = Spec(
    args={"name": Text(required=True, aliases=("pkg",)), "question": Text(aliases=("selection", "setting")),
          "vtype": Choice("boolean", "error", "multiselect", "note", "password", "seen", "select", "string", "text",
                          "title"),
          "value": Raw(aliases=("answer",)), "unseen": Flag(default=False)},
    together=(("question", "vtype", "value"),),
    returns={"current": "Answers now.", "previous": "Answers before.", "msg": "Anything else."},
    examples=["debconf: {name: locales, question: locales/default_environment_locale, value: C.UTF-8, vtype: select}"],
)


def act(system, args):
    if not system.which("debconf-show"):
        raise ModuleFailure("debconf is not installed on this host")
    before = _show(system, args.name)
    result = {"changed": False, "msg": "", "current": before}
    if args.question is None:
        return result
    if args.vtype is None or args.value is None:
        raise ModuleFailure("when supplying a question you must supply a valid vtype and value")
    value, old = _text(args), _old(system, args, before)
    if not _same(args.value, old, value):
        result["changed"] = True
        if not system.check:
            _set(system, args, value)
        shown = "(hidden)" if args.vtype == "password" else value
        was = "(hidden)" if args.vtype == "password" and old else before.get(args.question)
        result["previous"] = {args.question: was}
        result["current"] = {args.question: shown}
        if system.diff:
            result["diff"] = {"before": {args.question: was} if was is not None else {}, "after": {args.question: shown}}
    return result


def _text(args):
    value = args.value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        wrong = [one for one in value if not isinstance(one, str)]
        if wrong:
            raise ModuleFailure("Invalid value provided for multiselect: %r is no text" % (wrong[0],))
        return ", ".join(str(one) for one in value)
    return str(value).lower() if args.vtype == "boolean" else str(value)


def _same(given, old, value):
    """A list of answers has no order; a text is compared as it is."""
    if old is None:
        return False
    if isinstance(given, (list, tuple)):
        split = [sorted(one.strip() for one in text.split(",")) for text in (old, value)]
        return split[0] == split[1]
    return old == value


def _show(system, package):
    run = system.run(["debconf-show", package], locale=None)
    if run.rc != 0:
        raise ModuleFailure("debconf-show failed: %s" % run.stderr.strip(), rc=run.rc)
    answers = {}
    for line in run.stdout.splitlines():
        question, colon, value = line.strip("* ").partition(":")
        if colon:
            answers[question] = value.strip()
    return answers


def _old(system, args, answers):
    """debconf-show hides passwords; the database itself is asked for those."""
    if args.vtype != "password" or args.question not in answers:
        return answers.get(args.question)
    run = system.run(["debconf-get-selections"]) if system.which("debconf-get-selections") else None
    for line in run.stdout.splitlines() if run is not None else ():
        words = line.split(None, 3)
        if len(words) > 2 and words[:2] == [args.name, args.question]:
            return words[3] if len(words) > 3 else ""
    return _from_database(system, args)


def _from_database(system, args):
    path = "/var/cache/debconf/passwords.dat"
    if system.stat(path) is None:
        return None
    for stanza in system.read_text(path).split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
        if fields.get("Name") == args.question:
            return fields.get("Value", "")
    return None


def _set(system, args, value):
    if any("\n" in text for text in (args.name, args.question, value)):
        raise ModuleFailure("answers of debconf are single lines")
    line = "%s %s %s %s\n" % (args.name, args.question, args.vtype, value)
    run = system.run(["debconf-set-selections"] + (["-u"] if args.unseen else []), input=line)
    if run.rc != 0:
        raise ModuleFailure("debconf-set-selections failed: %s" % run.stderr.strip(), rc=run.rc)
