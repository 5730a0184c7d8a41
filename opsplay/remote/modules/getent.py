"""Ask the host's name databases (passwd, group, hosts, ...)."""

from opsplay.remote.spec import Flag, Integer, ModuleFailure, Spec, Text

SPEC = Spec(
    args={"database": Text(required=True), "key": Text(default=""), "split": Text(), "service": Text(),
          "fail_key": Flag(default=True), "timeout": Integer(default=30)},
    returns={"ansible_facts": "getent_DATABASE: {key: fields}"}, facts=True,
    examples=["getent: {database: passwd, key: root}"],
)
COLON = ("passwd", "shadow", "group", "gshadow")
PROBLEMS = {1: "Missing arguments, or database unknown.", 2: "One or more supplied key could not be found in the database.",
            3: "Enumeration not supported on this database."}


def read(system, args):
    argv = ["getent"] + (["-s", args.service] if args.service else []) + [args.database]
    run = system.run(argv + ([args.key] if args.key else []), timeout=args.timeout or 30)
    name = "getent_" + args.database
    if run.rc == 0:
        return {"ansible_facts": {name: _table(run.stdout, args)}}
    if run.rc == 2 and not args.fail_key:
        return {"ansible_facts": {name: {args.key: None}},
                "msg": PROBLEMS[2]}
    raise ModuleFailure(PROBLEMS.get(run.rc, "Unexpected failure!"), rc=run.rc, stderr=run.stderr)


def _table(text, args):
    split = args.split if args.split is not None else (":" if args.database in COLON else None)
    table, seen = {}, {}
    for line in text.splitlines():
        fields = line.split(split)
        if not fields:
            continue
        key, rest = fields[0], fields[1:]
        if key in seen:  # a key with several lines gives a list of them
            table[key] = table[key] + [rest] if seen[key] > 1 else [table[key], rest]
        else:
            table[key] = rest
        seen[key] = seen.get(key, 0) + 1
    return table
