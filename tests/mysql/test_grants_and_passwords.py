"""What needs no server: privileges as they are written and told, passwords as they are kept."""

from __future__ import annotations

import pytest

from opsplay.remote import mysql_grants as grants
from opsplay.remote.mysql_passwords import caching_sha2_fits, native_hash, sha256_crypt
from opsplay.remote.mysql_wire import native_proof, public_numbers
from opsplay.remote.spec import ModuleFailure


@pytest.mark.parametrize(
    ("given", "place", "privileges"),
    [
        ("db.*:ALL", "`db`.*", {"ALL"}),
        ("*.*:all privileges,Grant Option", "*.*", {"ALL", "GRANT"}),
        ("my.db.t:SELECT", "`my`.`db.t`", {"SELECT"}),
        ("`a.b`.`c`:SELECT", "`a.b`.`c`", {"SELECT"}),
        ("db.t:SELECT (b, A),UPDATE(x)", "`db`.`t`", {"SELECT (A, b)", "UPDATE (x)"}),
        ("FUNCTION db.f:EXECUTE", "FUNCTION `db`.`f`", {"EXECUTE"}),
        ({"db.*": ["SELECT", "SHOW VIEW"]}, "`db`.*", {"SELECT", "SHOW VIEW"}),
    ],
)
def test_written_privileges(given: object, place: str, privileges: set[str]) -> None:
    assert grants.wanted_privileges(given, append_usage=False) == {place: frozenset(privileges)}


def test_privileges_without_a_place_are_refused() -> None:
    with pytest.raises(ModuleFailure):
        grants.wanted_privileges("ALL")


def test_told_privileges() -> None:
    told = ["GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*X'", "GRANT SELECT, INSERT (`b`, `a`) ON `d b`.`t` TO `a`@`%` WITH GRANT OPTION",
            "GRANT EXECUTE ON PROCEDURE `d`.`p` TO `a`@`%`", "GRANT PROXY ON ''@'%' TO 'a'@'%' WITH GRANT OPTION", "GRANT `role` TO `a`@`%`"]  # fmt: skip
    assert grants.current_privileges([{"Grants": line} for line in told]) == {
        "*.*": {"USAGE"}, "`d b`.`t`": {"SELECT", "INSERT (a, b)", "GRANT"}, "PROCEDURE `d`.`p`": {"EXECUTE"}}  # fmt: skip


def test_everything_listed_one_by_one_is_everything() -> None:
    every = frozenset(["SELECT", "INSERT"])
    wanted = {"*.*": frozenset(["ALL"])}
    assert grants.changes({"*.*": every | {"ROLE_ADMIN"}}, wanted, False, False, every) == ([], [])
    assert grants.changes({"*.*": frozenset(["SELECT"])}, wanted, False, False, every) == ([], [("*.*", frozenset(["ALL"]))])


def test_passwords() -> None:
    assert native_hash("mypass") == "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4"
    assert sha256_crypt(b"Hello world!", b"saltstring", 5000) == b"5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"
    kept = "$A$005$" + "saltstring0123456789" + sha256_crypt(b"secret", b"saltstring0123456789", 5000).decode()
    assert caching_sha2_fits("secret", kept) and not caching_sha2_fits("Secret", kept) and not caching_sha2_fits("secret", "")
    assert native_proof("", b"x" * 20) == b"" and len(native_proof("x", b"x" * 20)) == 20


def test_a_public_key_is_read() -> None:
    pem = b"-----BEGIN PUBLIC KEY-----\nMBowDQYJKoZIhvcNAQEBBQADCQAwBgIBBwIBAw==\n-----END PUBLIC KEY-----\n"
    assert public_numbers(pem) == (7, 3)
