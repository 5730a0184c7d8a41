"""The bench's pieces: hosts of its own, both sides of a comparison on them, a cable that counts, a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import report
from bench.hosts import running
from bench.measure import Failed, counted, interleaved, medians, run_once
from bench.peers import PEERS, Job
from bench.works import Work, works, written


def test_the_play_is_the_same_work_by_hand_and_by_opsplay() -> None:
    with running() as hosts:
        written(hosts.folder)
        job = Job(hosts, works()["sixty-first"], 2, hosts.port)
        samples = interleaved([PEERS["limit"], PEERS["opsplay"]], job, {"limit": 1, "opsplay": 1})
        assert tree(hosts.folder / "data/limit/h1") == tree(hosts.folder / "data/opsplay/h1")
        rows = medians(samples)
        assert rows["limit"]["wall"] > 0 and 0 < rows["opsplay"]["controller"] < 20
        second = Job(hosts, works()["sixty"], 2, hosts.port)
        wire = counted(PEERS["opsplay"], second)
        assert wire["connections"] == 1.0 and 1 < wire["turns"] < 60  # far fewer than tasks
        entry = {"work": "sixty", "hosts": 1, "latency": 0, "peers": rows}
        assert "| opsplay |" in report.table(entry) and "N=1 ? x" not in report.speed_line([entry])
        broken = Work("broken", "- hosts: all\n  tasks: [{fail: {}}]\n", "exit 3\n")
        for name in ("limit", "opsplay"):
            (hosts.folder / "broken.yml").write_text(broken.play)
            (hosts.folder / "broken.sh").write_text(broken.bare)
            with pytest.raises(Failed):
                run_once(PEERS[name], Job(hosts, broken, 1, hosts.port))
    assert not hosts.folder.exists()


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and text of everything, the folder's own name taken out."""
    own = str(folder).encode()
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.read_bytes().replace(own, b"") if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }
