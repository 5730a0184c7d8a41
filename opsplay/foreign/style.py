"""Style: by which of Ansible's documented protocols a module of somebody else wants its arguments."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from opsplay.lazy_dataclass import dataclass

PLACEHOLDER = b"<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>"
PYTHON_PLACEHOLDER = b"#<<INCLUDE_ANSIBLE_MODULE_COMMON>>"
ARGUMENTS_PLACEHOLDER = b"<<INCLUDE_ANSIBLE_MODULE_COMPLEX_ARGS>>"
IMPORTS = re.compile(
    rb"^\s*(?:from\s+(?:ansible\.module_utils|ansible_collections\.|\.{1,2}module_utils|\.{2,}plugins\.module_utils|\.)"
    rb"|import\s+ansible\.module_utils|from\s+ansible\s+import\s+module_utils)",
    re.MULTILINE,
)
POWERSHELL = (b"#!powershell", b"#AnsibleRequires", b"#Requires -Module")


class Style(StrEnum):
    """How arguments come and what runs."""

    PYTHON = "python"  # imports ansible.module_utils; {"ANSIBLE_MODULE_ARGS": {...}} on stdin
    EMBEDDED = "embedded"  # JSON in place of a placeholder in the file
    JSON = "json"  # a file with JSON, named by the first argument (WANT_JSON, binaries)
    WORDS = "words"  # a file with key=value words, named by the first argument
    POWERSHELL = "powershell"  # for Windows; hosts are Unix hosts


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A module's file as read: its bytes, its style and the interpreter that its first line names."""

    path: str
    code: bytes
    style: Style
    interpreter: str = ""
    interpreter_arguments: str = ""

    @property
    def knows_check_mode(self) -> bool:
        """Whether it can be trusted in check mode: module_utils see to it, any other has to speak of it."""
        return self.style is Style.PYTHON or b"_ansible_check_mode" in self.code


def read_foreign(path: str) -> ForeignFile:
    """Raises OSError."""
    code = Path(path).read_bytes()
    interpreter, arguments = shebang(code)
    return ForeignFile(path, code, style_of(path, code), interpreter, arguments)


def style_of(path: str, code: bytes) -> Style:
    if is_binary(code):
        return Style.JSON
    if PLACEHOLDER in code and not IMPORTS.search(code):
        return Style.EMBEDDED
    if path.endswith(".ps1") or any(mark in code for mark in POWERSHELL):
        return Style.POWERSHELL
    if IMPORTS.search(code) or PYTHON_PLACEHOLDER in code:
        return Style.PYTHON
    return Style.JSON if b"WANT_JSON" in code else Style.WORDS


def is_binary(code: bytes) -> bool:
    start = code[:1024]
    return start.startswith(b"\x7fELF") or b"\x00" in start


def shebang(code: bytes) -> tuple[str, str]:
    """(interpreter, its arguments) of the first line."""
    if not code.startswith(b"#!") or is_binary(code):
        return "", ""
    words = code.split(b"\n", 1)[0][2:].decode("utf-8", "replace").strip().split(None, 1)
    if words and words[0].rpartition("/")[2] == "env" and len(words) > 1:
        words = words[1].split(None, 1)
    return (words[0], words[1] if len(words) > 1 else "") if words else ("", "")
