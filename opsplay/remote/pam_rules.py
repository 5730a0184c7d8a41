"""Rules of a PAM service file: read, compared by type, control and module, written back with the rest of the file untouched."""

import re

RULE = re.compile(r"^(?P<type>-?(?:auth|account|session|password))\s+(?P<control>\[[^\]]*\]|\S+)\s+(?P<module>\S+)(?:\s+(?P<arguments>.*?))?\s*$")
ARGUMENT = re.compile(r"\[[^\]]*\]|\S+")


class Rule(object):
    """One rule; `told` is the line as it was read, until something of it is changed."""

    def __init__(self, type, control, module, arguments=(), told=None):
        self.type = type
        self.control = control
        self.module = module
        self.arguments = list(arguments)
        self.told = told

    def __str__(self):
        if self.told is not None:
            return self.told
        return "\t".join([self.type, self.control, self.module] + ([" ".join(self.arguments)] if self.arguments else []))

    def fits(self, type, control, module):
        return self.type == type and self.module == module and plain(self.control) == plain(control)

    def same_as(self, other):
        return other is not None and self.fits(other.type, other.control, other.module) and self.arguments == other.arguments

    def become(self, type=None, control=None, module=None, arguments=None):
        """Whether anything is another now."""
        new = Rule(type or self.type, control or self.control, module or self.module, self.arguments if arguments is None else arguments)
        if new.same_as(self):
            return False
        self.type, self.control, self.module, self.arguments, self.told = new.type, new.control, new.module, new.arguments, None
        return True


def plain(control):
    """[success=1 default=ignore] however it is spaced."""
    return " ".join(control.strip("[]").split()) if control.startswith("[") else control


def read_rules(text):
    """The lines of a file: a Rule for each rule, text for the rest. A backslash at a line's end joins the next."""
    found = []
    for line in re.sub(r"[ \t]*\\\n[ \t]*", " ", text).split("\n"):
        match = RULE.match(line)
        found.append(line if match is None else Rule(match.group("type"), match.group("control"), match.group("module"),
                                                     ARGUMENT.findall(match.group("arguments") or ""), line))
    return found


def name_of(argument):
    return argument.partition("=")[0]


def with_arguments(old, wanted):
    """The arguments with these among them: one of the same name gets the new value."""
    made = list(old)
    for argument in wanted:
        places = [place for place, one in enumerate(made) if name_of(one) == name_of(argument)] if "=" in argument else []
        if argument in made:
            continue
        if places:
            made[places[0]] = argument
        else:
            made.append(argument)
    return made


def without_arguments(old, unwanted):
    return [one for one in old if one not in unwanted and not any("=" in one and name_of(one) == other for other in unwanted)]
