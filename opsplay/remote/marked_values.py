"""Marked values: what modules built on ansible-core mark in their JSON as warnings, errors and tagged text, as plain values."""

MARK = "__ansible_type"


def unmarked(value):
    # type: (dict) -> object
    """For `json`'s object_hook: it is called from the inside out."""
    kind = value.get(MARK)
    if kind is None:
        return value
    if kind == "DeprecationSummary":
        return _deprecation(value)
    if kind in ("Event", "EventChain"):
        return _event(value)
    if "event" in value:  # a summary of an error or a warning
        return value["event"]
    for key in ("value", "iso8601"):
        if key in value:
            return value[key]
    return {name: item for name, item in value.items() if name != MARK}


def _event(value):
    # type: (dict) -> object
    """Its text, with the reason and the texts of what is behind it."""
    text = str(value.get("msg", ""))
    behind = value.get("chain")
    if isinstance(behind, str) and behind and behind not in text:
        text = "%s: %s" % (text.rstrip("."), behind)
    return text or value.get("event") or ""


def _deprecation(value):
    # type: (dict) -> dict
    found = {"msg": value.get("event", "")}
    found.update({key: value[key] for key in ("version", "date") if value.get(key)})
    parts = str((value.get("deprecator") or {}).get("resolved_name") or "").split(".")
    if len(parts) > 1:
        found["collection_name"] = ".".join(parts[:2])
    return found
