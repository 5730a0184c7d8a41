"""Unpacking roles and collections: a folder is copied, an archive extracted; nothing lands outside, nothing is half there."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from opsplay.errors import Fault, OpsError

LEFT_OUT = (".git", "*.pyc", "__pycache__", ".tox", "*.retry")
MOST_BYTES = 2 * 1024**3


@contextmanager
def unpacked(source: Path) -> Iterator[Path]:
    """The folder that holds what the source brings: the source itself, or an archive's only folder."""
    if source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="opsplay-content-") as scratch:
        extract(source, Path(scratch))
        inside = [path for path in Path(scratch).iterdir() if path.name != "pax_global_header"]
        yield inside[0] if len(inside) == 1 and inside[0].is_dir() else Path(scratch)


def extract(archive: Path, target: Path) -> None:
    """Raises OpsError for what is no tar archive, or one that reaches outside."""
    try:
        with tarfile.open(archive) as tar:
            if sum(member.size for member in tar.getmembers()) > MOST_BYTES:
                raise OpsError("archive-too-big", f"{archive} unpacks to more than 2 GiB", fault=Fault.USAGE, remedy="Check where it comes from.")
            tar.extractall(target, filter="data")
    except tarfile.FilterError as error:
        raise OpsError("archive-reaches-outside", f"{archive} is refused: {error.tarinfo.name} is not a subpath of the role or collection ({error})",
                       fault=Fault.USAGE, remedy="Check where it comes from.") from None  # fmt: skip
    except (tarfile.TarError, OSError) as error:
        raise OpsError("bad-archive", f"{archive} cannot be unpacked: {error}", fault=Fault.USAGE,
                       remedy="Give a folder, or a .tar.gz of one.") from None  # fmt: skip


def place(content: Path, target: Path, leave_out: tuple[str, ...] = ()) -> None:
    """Copy the content to the target; an old one goes when the new one is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        shutil.copytree(content, scratch / "new", symlinks=True, ignore=ignoring(content, (*LEFT_OUT, *leave_out)))
        if target.exists():
            os.rename(target, scratch / "old")
        os.rename(scratch / "new", target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def ignoring(root: Path, patterns: tuple[str, ...]) -> Callable[[str, list[str]], Iterable[str]]:
    """What copytree leaves out: by name, or by the path below the root."""

    def ignore(folder: str, names: list[str]) -> set[str]:
        below = os.path.relpath(folder, root)
        return {
            name for name in names for pattern in patterns if fnmatch(name, pattern) or fnmatch(os.path.normpath(os.path.join(below, name)), pattern)
        }

    return ignore
