"""Manage packages with dnf 5."""

from opsplay.remote.modules import dnf
from opsplay.remote.spec import Args, Flag, Spec

SPEC = Spec(
    args=dict(
        {name: argument for name, argument in dnf.SPEC.args.items() if name not in ("use_backend", "use")},
        auto_install_module_deps=Flag(default=True, text="Accepted; nothing needs to be installed."),
    ),
    exclusive=dnf.SPEC.exclusive, returns=dict(dnf.SPEC.returns, failures="What dnf said, where it failed."),
    examples=["dnf5: {name: httpd, state: latest}"],
)


def act(system, args):
    return dnf.act(system, Args(args, use_backend="dnf5"))
