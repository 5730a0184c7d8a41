"""Read a CSV file of the host into a list or dictionary."""

import csv
import io

from opsplay.remote.spec import Dictionary, Flag, Listing, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("filename",), text="The file."),
        "key": Text(text="The column whose values become the keys of a dictionary."),
        "dialect": Text(default="excel", text="excel, excel-tab or unix."),
        "fieldnames": Listing(elements=Text(), text="Column names, where the first row holds none."),
        "unique": Flag(default=True, text="Fail where two rows have the same key."),
        "delimiter": Text(text="What separates fields."),
        "skipinitialspace": Flag(text="Ignore spaces behind the delimiter."),
        "strict": Flag(text="Fail on bad CSV input."),
    },
    returns={"dict": Dictionary(text="rows by key"), "list": Listing(text="rows, without key")},
    examples=("read_csv: {path: users.csv, key: name}",),
)


def read(system: "System", args: "Args") -> "Dict[str, Any]":
    if args.dialect not in csv.list_dialects():
        raise ModuleFailure("Dialect '%s' is not supported by your version of python." % args.dialect)
    try:
        text = system.read(args.path).decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise ModuleFailure("Unable to open file: %s" % error)
    rows = _rows(text, args)
    if not args.key:
        return {"list": rows, "dict": {}}
    return {"list": [], "dict": _by_key(rows, args)}


def _rows(text: "str", args: "Args") -> "List[Dict[str, Any]]":
    style = {name: args[name] for name in ("delimiter", "skipinitialspace", "strict") if args[name] is not None}
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), fieldnames=args.fieldnames or None, dialect=args.dialect, **style)
        if args.key and args.key not in (reader.fieldnames or ()):
            raise ModuleFailure("Key '%s' was not found in the CSV header fields: %s"
                                % (args.key, ", ".join(reader.fieldnames or ())))
        return [dict(row) for row in reader]
    except (csv.Error, TypeError) as error:
        raise ModuleFailure("Unable to process file: %s" % error)


def _by_key(rows: "List[Dict[str, Any]]", args: "Args") -> "Dict[str, Any]":
    found: "Dict[str, Any]" = {}
    for row in rows:
        if args.unique and row[args.key] in found:
            raise ModuleFailure("Key '%s' is not unique for value '%s'" % (args.key, row[args.key]))
        found[row[args.key]] = row
    return found
