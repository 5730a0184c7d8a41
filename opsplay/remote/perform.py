"""Runs a module of any kind: derives changed, check mode, diff and the look after a change for all of them."""

from opsplay.remote.expansion import expand_paths
from opsplay.remote.spec import Args, ModuleFailure


class Change:
    """What differs: `before` as observed, `wanted` holds only the keys to change."""

    __slots__ = ("before", "wanted")

    def __init__(self, before, wanted):
        self.before = before
        self.wanted = wanted

    def __contains__(self, key):
        return key in self.wanted

    def __bool__(self):
        return bool(self.wanted)

    def __iter__(self):
        return iter(self.wanted)


def perform(module, system, args):
    """The result of the module, by Ansible's documented keys. ModuleFailure becomes failed=True."""
    args = Args(args)
    expand_paths(module.SPEC, args, system.environment)
    if module.SPEC.file_arguments and args.get("unsafe_writes") is None:
        args["unsafe_writes"] = system.environment.get("ANSIBLE_UNSAFE_WRITES", "").lower() in ("1", "true", "yes", "on")
    try:
        result = _kind(module)(module, system, args)
    except ModuleFailure as failure:
        result = dict(failure.result, failed=True, msg=failure.msg)
        result.setdefault("changed", False)
    finally:
        system.clean()
    if system.warnings:
        result["warnings"] = list(result.get("warnings") or ()) + system.warnings
    if system.deprecations:
        result["deprecations"] = list(result.get("deprecations") or ()) + system.deprecations
    return result


def perform_inside(module, system, args):
    """The same for a module that another one calls: warnings, temporary folders and failures are left to the caller."""
    args = Args(args)
    expand_paths(module.SPEC, args, system.environment)
    return _kind(module)(module, system, args)


def _kind(module):
    if hasattr(module, "act"):
        return _perform_verb
    if hasattr(module, "read"):
        return _perform_read
    return _perform_state


def _perform_verb(module, system, args):
    result = dict(module.act(system, args) or {})
    result.setdefault("changed", False)
    return result


def _perform_read(module, system, args):
    result = dict(module.read(system, args) or {})
    result["changed"] = False
    return result


def _perform_state(module, system, args):
    before = module.observe(system, args)
    wanted = module.desired(args, before)
    change = Change(before, {key: wanted[key] for key in wanted if key not in before or before[key] != wanted[key]})
    extra, after = _make_so(module, system, args, change)
    result = {"changed": bool(change)}
    if hasattr(module, "report"):
        result.update(module.report(args, before, after) or {})
    result.update(extra)
    if system.diff and (change or getattr(module, "ALWAYS_DIFF", False)):
        result["diff"] = _difference(module, args, change, after)
    return result


def _make_so(module, system, args, change):
    if not change:
        return {}, change.before
    if system.check:
        return {}, dict(change.before, **change.wanted)
    extra = module.apply(system, args, change) or {}
    after = module.observe(system, args)
    _require(module, change, after)
    return extra, after


def _require(module, change, after):
    """Looks again: a change that did not take is a failure. Keys in the module's MOMENTARY (restarted) leave no trace."""
    momentary = getattr(module, "MOMENTARY", ())
    missing = [key for key in change if key not in momentary and after.get(key) != change.wanted[key]]
    if missing:
        raise ModuleFailure("the change did not take: %s" % ", ".join(
            "%s should be %s and is %s" % (key, _short(change.wanted[key]), _short(after.get(key))) for key in missing),
            changed=True)


def _short(value):
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _difference(module, args, change, after):
    if hasattr(module, "difference"):
        return module.difference(args, change.before, after)
    return {"before": {key: change.before.get(key) for key in change}, "after": {key: after.get(key) for key in change}}
