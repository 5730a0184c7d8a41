"""Tags: which tasks --tags and --skip-tags take, with always, never, tagged, untagged and all."""

from __future__ import annotations

from collections.abc import Iterable


def is_selected(tags: Iterable[object], only: Iterable[str], skip: Iterable[str]) -> bool:
    """https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_tags.html"""
    mine = {str(tag) for tag in tags} or {"untagged"}
    only, skip = set(only), set(skip)
    return is_wanted(mine, only) and not is_skipped(mine, only, skip)


def is_wanted(mine: set[str], only: set[str]) -> bool:
    if not only:
        return True
    if "always" in mine or mine & only:
        return True
    if "all" in only and "never" not in mine:
        return True
    return "tagged" in only and mine != {"untagged"} and "never" not in mine


def is_skipped(mine: set[str], only: set[str], skip: set[str]) -> bool:
    if "all" in skip:
        return not ("always" in mine and "always" not in skip)
    return bool(mine & skip) or ("tagged" in skip and mine != {"untagged"})
