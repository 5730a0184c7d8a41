"""Set the text that is shown before login."""

from opsplay.remote.spec import Path, Spec, Text

SPEC = Spec(
    args={
        "text": Text(required=True, text="The text, without the newline at its end."),
        "path": Path(default="/etc/issue", text="The file that holds it."),
    },
    returns={"text": Text(text="what is shown now")},
    examples=("issue: {text: Authorised use only}",),
)


def observe(system, args):  # reads only
    there = system.stat(args.path) is not None
    return {"text": system.read_text(args.path).rstrip("\n") if there else None}


def desired(args, before):  # pure
    return {"text": args.text}


def apply(system, args, change):  # only where they differ, never in check mode
    system.write(args.path, change.wanted["text"] + "\n", links="follow")


def report(args, before, after):
    return {"text": after["text"]}


def difference(args, before, after):
    return {"before": (before["text"] or "") + "\n", "after": after["text"] + "\n", "before_header": args.path}
