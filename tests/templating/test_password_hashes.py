"""Password hashes against the system's crypt(3) and bcrypt."""

from __future__ import annotations

import pytest

from opsplay.templating.failures import TemplateFailed
from opsplay.templating.password_hashes import sha_crypt, system_crypt
from tests.templating.rendering import render

PASSWORDS = [
    "",
    "x",
    "a longer password that is more than sixty-four characters long, to fill more than one block",
    "pässwörd",
]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize(
    "setting", ["$5$saltsalt", "$5$rounds=1400$saltstring", "$6$saltsalt", "$6$rounds=1977$anotherlongsalts", "$6$a"]
)
def test_our_sha_crypt_is_the_systems(setting: str, password: str) -> None:
    library = system_crypt()
    assert library is not None, "every Linux that runs these tests has libcrypt"
    wanted = library(password.encode(), setting.encode())
    assert wanted is not None and sha_crypt(password, setting) == wanted.decode()


def test_hashes_as_ansible_makes_them() -> None:
    assert render("{{ 'x' | password_hash('sha256', 'saltsalt', rounds=5000) }}") == (
        "$5$saltsalt$hcyDOxdIg0p3xyqtpHh/v8Ph.am06tQaovp1KpEklb7"
    )
    assert render("{{ 'x' | password_hash('md5', 'saltsalt') }}") == "$1$saltsalt$4px9i58NU2Z2/vZOUlGjq."
    assert render("{{ 'x' | password_hash('blowfish', 'saltsaltsaltsaltsaltsO') }}") == (
        "$2b$12$saltsaltsaltsaltsaltsOvEQj3/fhPadPvaZR/m.InfLhJa4ADl."
    )
    assert render("{{ 'x' | password_hash(salt='saltsalt') }}").startswith("$6$rounds=656000$saltsalt$")


def test_a_salt_is_random_and_a_hash_is_never_kept_from_compiling() -> None:
    text = "{{ 'x' | password_hash('sha512', rounds=1000) }}"
    assert render(text) != render(text)
    assert len({render("{{ 1000000 | random }}") for _ in range(5)}) > 1


@pytest.mark.parametrize("text", ["'x' | password_hash('nonsense')", "'x' | password_hash('sha512', 'a$b')",
                                  "'x' | password_hash(rounds=1)", "'x' | password_hash('bcrypt', 'short')"])  # fmt: skip
def test_what_cannot_be_hashed_is_refused(text: str) -> None:
    with pytest.raises(TemplateFailed, match="password_hash' failed"):
        render("{{ " + text + " }}")
