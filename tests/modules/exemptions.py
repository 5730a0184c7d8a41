"""Modules and actions without a case, each with its reason. A test asserts that none of them has one after all."""

EXEMPT: dict[str, str] = {}
