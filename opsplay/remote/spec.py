"""Spec: the arguments, returns and examples of a module or action; docs, checks and did-you-mean come from it.

Travels to hosts, so: standard library only, Python 3.6 syntax.
"""

NO_DEFAULT = object()


class Argument(object):
    """One argument. `kind` names the type; `elements` the Argument of a list's items; `fields` those of a dict."""

    kind = "raw"

    def __init__(
        self, default=None, required=False, aliases=(), choices=(), secret=False, elements=None, fields=None, text="",
        nullable=False
    ):
        self.default = default
        self.required = required
        self.aliases = tuple(aliases)
        self.choices = tuple(choices)
        self.secret = secret
        self.elements = elements
        self.fields = fields
        self.text = text  # one line for the docs
        self.nullable = nullable  # null is a value of its own, not the same as nothing given


class Text(Argument):
    kind = "str"


class Path(Argument):
    """A path on the host: ~ and $VARIABLES are expanded there."""

    kind = "path"


class Flag(Argument):
    kind = "bool"


class Integer(Argument):
    kind = "int"


class Number(Argument):
    kind = "float"


class Size(Argument):
    """Bytes, written as 10M, 1.5 GB or a plain number."""

    kind = "bytes"


class Choice(Argument):
    kind = "str"

    def __init__(self, *choices, **options):
        super(Choice, self).__init__(choices=choices, **options)


class Listing(Argument):
    """A list; a string is split at commas, as Ansible does. `elements` defaults to Text()."""

    kind = "list"

    def __init__(self, **options):
        options.setdefault("elements", Text())
        super(Listing, self).__init__(**options)


class Dictionary(Argument):
    kind = "dict"


class Raw(Argument):
    """Anything, as it is."""

    kind = "raw"


class Json(Argument):
    """JSON text; a dict or list is written as JSON."""

    kind = "json"


class Spec(object):
    """What a verb takes and gives.

    check: "full" (predicts exactly), "none" (skipped in check mode), "partial" (see notes).
    repeatable: False for verbs whose state cannot be observed (command, shell, raw).
    confined: True when it touches only its own host's state, so that it may share a frame with its neighbours.
    free_form: the name of the argument that free text (`command: ls -l`) goes to, as Ansible's `_raw_params`.
    file_arguments: True adds owner, group, mode, attributes, unsafe_writes, selinux as Ansible documents for files.
    exclusive, together, one_of: tuples of tuples of argument names; required_if: (name, value, (names...)) tuples.
    """

    def __init__(
        self,
        args=None,
        returns=None,
        examples=(),
        check="full",
        repeatable=True,
        confined=True,
        free_form=None,
        file_arguments=False,
        exclusive=(),
        together=(),
        one_of=(),
        required_if=(),
        required_by=None,
        notes=(),
        facts=False,
        open_ended=False,
        missing_text=None,
        unknown_text=None,
    ):
        self.args = dict(args or {})
        self.returns = dict(returns or {})
        self.examples = tuple(examples)
        self.check = check
        self.repeatable = repeatable
        self.confined = confined
        self.free_form = free_form
        self.file_arguments = file_arguments
        self.exclusive = tuple(exclusive)
        self.together = tuple(together)
        self.one_of = tuple(one_of)
        self.required_if = tuple(required_if)
        self.required_by = dict(required_by or {})
        self.notes = tuple(notes)
        self.missing_text = missing_text  # what Ansible's action of that name says when a required argument is missing
        self.unknown_text = unknown_text  # and where it was given one that it does not know; the names follow
        self.facts = facts  # the result may hold ansible_facts
        self.open_ended = open_ended  # further arguments are taken as they are (set_fact, debug's friends)
        if file_arguments:
            self.args.update(FILE_ARGUMENTS)


FILE_ARGUMENTS = {
    "owner": Text(text="Name or id of the owning user."),
    "group": Text(text="Name or id of the owning group."),
    "mode": Raw(text="Permissions, octal in quotes or symbolic."),
    "attributes": Text(aliases=("attr",), text="chattr flags, as lsattr shows them."),
    "unsafe_writes": Flag(
        text="Write in place where an atomic replace is impossible; where not given, ANSIBLE_UNSAFE_WRITES of the host's environment tells."
    ),
    "seuser": Text(),
    "serole": Text(),
    "setype": Text(),
    "selevel": Text(),
}


class ModuleFailure(Exception):
    """A module cannot do what was asked. `result` are further documented return values."""

    def __init__(self, msg, **result):
        super(ModuleFailure, self).__init__(msg)
        self.msg = msg
        self.result = result


class Args(dict):  # type: ignore[type-arg]
    """Checked arguments, read as attributes; every argument of the Spec is there, None where not given."""

    __slots__ = ()

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name)
