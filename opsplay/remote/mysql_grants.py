"""Privileges of MySQL and MariaDB: as a playbook writes them, as the server tells them, and the statements between the two."""

import re

from opsplay.remote.mysql_wire import identifier
from opsplay.remote.spec import ModuleFailure

GRANTED = re.compile(r"^GRANT (.+?) ON (?:(TABLE|PROCEDURE|FUNCTION|PACKAGE|PACKAGE BODY) )?(\*\.\*|(?:`(?:[^`]|``)*`|\*)\.(?:`(?:[^`]|``)*`|\*)|'.*'@'.*'|`.*`@`.*`|\S+) TO (.+)$",
                     re.DOTALL)
WORDS = re.compile(r"([^,()]+(?:\([^)]*\))?)")
ALL = frozenset(["ALL"])
NOTHING = frozenset(["USAGE"])


def wanted_privileges(given, append_usage=True):
    """`db.table:SELECT,INSERT/other.*:ALL`, or a dict, as {quoted place: set of privileges}."""
    made = {}
    for place, words in _pieces(given):
        privileges = frozenset(normal(word) for word in WORDS.findall(words.replace(" , ", ",")) if word.strip())
        made[quoted_place(place)] = privileges
    if made and "*.*" not in made and append_usage:
        made["*.*"] = NOTHING
    return made


def _pieces(given):
    if isinstance(given, dict):
        return [(place, ",".join(words) if isinstance(words, list) else str(words)) for place, words in given.items()]
    pieces = []
    for piece in str(given).strip().split("/"):
        place, colon, words = piece.strip().rpartition(":")
        if not colon:
            raise ModuleFailure("invalid privileges string: %s: Invalid privileges specified: %s" % (given, piece))
        pieces.append((place, words))
    return pieces


def normal(word):
    """SELECT (b, A) -> SELECT (A, b): one spelling for each privilege."""
    word = " ".join(word.split())
    if "(" in word:
        name, _, columns = word.partition("(")
        inner = sorted((column.strip().strip("`") for column in columns.rstrip(") ").split(",")), key=str.lower)
        return "%s (%s)" % (name.strip().upper(), ", ".join(inner))
    word = word.upper()
    return {"ALL PRIVILEGES": "ALL", "GRANT OPTION": "GRANT"}.get(word, word)


def quoted_place(place):
    """db.table -> `db`.`table`; FUNCTION and PROCEDURE stay in front."""
    kind, _, rest = place.strip().rpartition(" ")
    if kind.upper() not in ("FUNCTION", "PROCEDURE", "TABLE", "PACKAGE"):
        kind, rest = "", place.strip()
    if rest.upper() in ("*", "*.*"):
        return "*.*"
    database, dot, table = split_place(rest)
    if not dot:
        raise ModuleFailure('The privilege "%s" is not of the form db.table:PRIVILEGES' % place)
    made = "%s.%s" % (database if database == "*" else identifier(database), table if table == "*" else identifier(table))
    return "%s %s" % (kind.upper(), made) if kind and kind.upper() != "TABLE" else made


def split_place(text):
    """(database, dot, table), each without its quotes; a quoted name may hold dots."""
    if text.startswith("`"):
        end = text.find("`", 1)
        return text[1:end], text[end + 1:end + 2], text[end + 2:].strip("`")
    database, dot, table = text.partition(".")
    return database, dot, table.strip("`")


def current_privileges(rows):
    """What SHOW GRANTS says, in the same form; roles and proxies are left out."""
    found = {}
    for row in rows:
        text = list(row.values())[0]
        match = GRANTED.match(text)
        if match is None or "@" in match.group(3):
            continue
        words, kind, place, rest = match.groups()
        privileges = set(normal(word) for word in WORDS.findall(words.replace(", ", ",")) if word.strip())
        if "WITH GRANT OPTION" in rest:
            privileges.add("GRANT")
        if kind and kind != "TABLE":
            place = "%s %s" % (kind, place)
        found[place] = frozenset(found.get(place, frozenset()) | privileges)
    return found


def changes(current, wanted, append, subtract, everything):
    """(revoke, grant): lists of (place, privileges). `everything`: what ALL stands for where the server lists it one by one."""
    if subtract:
        revoke = [(place, current[place] & named(privileges, current[place], everything)) for place, privileges in wanted.items() if place in current]
        return [(place, gone - NOTHING) for place, gone in revoke if gone - NOTHING], []
    revoke, grant = [], []
    for place, privileges in current.items():
        if place in wanted or append:
            continue
        if privileges - NOTHING:
            revoke.append((place, privileges))
    for place, privileges in wanted.items():
        now = current.get(place, frozenset())
        if not missing(privileges, now, everything) and (append or not surplus(privileges, now, everything)):
            continue
        if not append and surplus(privileges, now, everything):
            revoke.append((place, surplus(privileges, now, everything)))
        if missing(privileges, now, everything):
            grant.append((place, privileges))
    return revoke, grant


def named(privileges, now, everything):
    return (now - frozenset(["GRANT"])) | (privileges & frozenset(["GRANT"])) if "ALL" in privileges else privileges


def has_all(now, everything):
    return "ALL" in now or bool(everything and everything <= now)


def missing(wanted, now, everything):
    if has_all(now, everything):
        return (wanted & frozenset(["GRANT"])) - now
    if "ALL" in wanted:
        return wanted - now
    return wanted - now - NOTHING


def surplus(wanted, now, everything):
    if "ALL" in wanted:
        return (now & frozenset(["GRANT"])) - wanted if has_all(now, everything) else (now & frozenset(["GRANT"])) - wanted
    return now - wanted - NOTHING


def revoke_statement(place, privileges, account):
    words = sorted("ALL PRIVILEGES" if word == "ALL" else "GRANT OPTION" if word == "GRANT" else word for word in privileges)
    return "REVOKE %s ON %s FROM %s" % (", ".join(words), place, account)


def grant_statement(place, privileges, account, requires):
    words = sorted("ALL PRIVILEGES" if word == "ALL" else word for word in privileges - frozenset(["GRANT"]))
    made = "GRANT %s ON %s TO %s%s" % (", ".join(words) or "USAGE", place, account, requires)
    return made + (" WITH GRANT OPTION" if "GRANT" in privileges else "")
