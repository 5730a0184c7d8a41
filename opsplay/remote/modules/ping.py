"""Ask the host for a pong: Python runs there, and the login works."""

from opsplay.remote.spec import Spec, Text

SPEC = Spec(
    args={"data": Text(default="pong", text="What to answer; crash fails on purpose.")},
    returns={"ping": Text(text="The data asked for.")},
    examples=["ping:", "ping: {data: hello}"],
)


def read(system, args):
    if args.data == "crash":
        raise Exception("boom")
    return {"ping": args.data}
