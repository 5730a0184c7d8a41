"""dnf's and yum's announcement of a transaction, as they print it before they ask."""

import re

SECTIONS = (("installing", "Installed"), ("upgrading", "Installed"), ("updating", "Installed"), ("removing", "Removed"),
            ("erasing", "Removed"), ("downgrading", "Installed"), ("reinstalling", "Installed"))
ROW = re.compile(r"^ {1,2}(\S+)\s+(noarch|x86_64|i[3-6]86|aarch64|ppc64le|s390x|armv7hl|riscv64|src)\s+(\S+)(?:\s|$)")
NOTHING = re.compile(r"^\s*(Nothing to do|No packages marked for (?:update|removal|upgrade))", re.M | re.I)


def parse(text):
    """["Installed: name-version.arch", "Removed: ..."] in the order announced."""
    actions, word = [], None
    for line in text.splitlines():
        heading = line.strip().lower()
        if line[:1].isalpha() and heading.endswith(":"):
            word = next((verb for start, verb in SECTIONS if heading.startswith(start)), None)
            continue
        if heading.startswith("transaction summary"):
            break
        found = ROW.match(line)
        if word and found and not heading.startswith("replacing"):
            actions.append("%s: %s-%s.%s" % (word, found.group(1), re.sub(r"^0:", "", found.group(3)), found.group(2)))
    return actions


def is_empty(text):
    return bool(NOTHING.search(text)) and not parse(text)
