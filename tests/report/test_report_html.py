"""summary.html in a real browser: nothing that a host says can run (fault row 45), nothing is loaded."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from weekly_run import weekly_run

from opsplay.events import Event, HostFinished, RunFinished
from opsplay.report.html import content_policy, html_text
from opsplay.report.markdown import markdown_text
from opsplay.report.summary import RunSummary
from opsplay.report.summary_json import summary_text
from opsplay.report.text_summary import plain_text, summary_lines
from opsplay.report.timeline import MOST_LANES, WIDTH, timeline

MARK = "owned-by-a-host"
RUN = f"document.documentElement.setAttribute('data-{MARK}','1')"
PAYLOADS = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror=\"{RUN}\">",
    f"\"><svg onload=\"{RUN}\">",
    f"' onmouseover='{RUN}' autofocus onfocus='{RUN}' x='",
    f"</title></style></pre><script>{RUN}</script>",
    f"</text></svg><script>{RUN}</script>",
    f"<iframe srcdoc=\"<script>parent.{RUN}</script>\"></iframe>",
    f"javascript:{RUN}",
    f"{{{{ ''.__class__ }}}}{{% raw %}}<script>{RUN}</script>",
    f"<!--><script>{RUN}</script>-->]]><script>{RUN}</script>",
    f"\x00\ud800\u202e<script>{RUN}</script>",
    f"<meta http-equiv=refresh content=\"0;url=data:text/html,<script>{RUN}</script>\">",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "these tests open the page in a real browser: install it with `apt-get install chromium`"
    return found


def browse(chromium: str, page: str, folder: Path) -> str:
    """The page's opening tag after its scripts, if any, have run."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync", f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000"]  # fmt: skip
    done = subprocess.run([chromium, *options, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=60)
    opening = re.search("<html[^>]*>", done.stdout)
    assert opening and "</html>" in done.stdout, done.stderr
    return opening[0]


def hostile_run(payloads: list[str]) -> RunSummary:
    """Every text of every event says one of the payloads, in turn."""
    turn = cycle(payloads)
    events: list[Event] = []
    for event in weekly_run():
        changes: dict[str, Any] = {}
        for field in fields(event):
            value = getattr(event, field.name)
            if field.name not in ("at", "status", "task_id", "level", "outcome", "stream", "run_id"):
                changes[field.name] = poisoned(value, turn)
        payload = next(turn)
        if isinstance(event, HostFinished):
            diff = {"before": f"{payload}\n", "after": f"a\n{payload}", "before_header": payload}
            changes["result"] = {**changes["result"], "msg": payload, "diff": diff, "changed": True}
        if isinstance(event, RunFinished):
            changes["error"] = payload
        events.append(replace(event, **changes))
    return RunSummary.from_events(events)


def poisoned(value: Any, turn: Iterator[str]) -> Any:
    payload = next(turn)
    if isinstance(value, str):
        return f"{value[:6]}{payload}"
    if isinstance(value, dict):
        keep = {"verdicts", "postgres", "backups", "packages_updated", "logs_rotated", "bytes_freed", "before", "after"}
        return {
            k if k in keep or k.startswith("ansible_") or k.islower() else f"{k}{payload}": poisoned(v, turn)
            for k, v in value.items()
        } | ({payload: payload} if "size_bytes" not in value else {payload: 7})
    if isinstance(value, list | tuple):
        return type(value)(poisoned(part, turn) for part in value)
    return value


def without_policy(page: str) -> str:
    stripped = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert stripped != page
    return stripped


@pytest.mark.parametrize("shift", [0, 1, 5])
def test_nothing_a_host_says_runs(chromium: str, tmp_path: Path, shift: int) -> None:
    """All payloads over all fields, without the page's policy: escaping alone has to hold."""
    page = html_text(hostile_run(PAYLOADS[shift:] + PAYLOADS[:shift]))
    assert page.count("&lt;script&gt;") > 100
    assert browse(chromium, without_policy(page), tmp_path).count(MARK) == 0


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_field_lets_a_tag_through(payload: str) -> None:
    """Each payload in every field: what is left of the page without the escaped texts has only the template's own tags."""
    page = html_text(hostile_run([payload]))
    tags = {tag.lower() for tag in re.findall(r"<([a-zA-Z!][a-zA-Z0-9]*)", page)}
    assert not tags & {"script", "iframe", "img", "object", "embed", "base", "form", "link"}
    assert re.findall(r"<[^>]*\son[a-z]+\s*=", page) == []


def test_nothing_a_host_says_runs_under_the_policy(chromium: str, tmp_path: Path) -> None:
    assert MARK not in browse(chromium, html_text(hostile_run(PAYLOADS)), tmp_path)


def test_the_test_would_see_a_script_run(chromium: str, tmp_path: Path) -> None:
    page = html_text(RunSummary.from_events(weekly_run()))
    injected = page.replace("</body>", f"<script>{RUN}</script></body>")
    (tmp_path / "bare").mkdir()
    (tmp_path / "policy").mkdir()
    assert f"data-{MARK}" in browse(chromium, without_policy(injected), tmp_path / "bare")
    assert f"data-{MARK}" not in browse(chromium, injected, tmp_path / "policy")


def test_nothing_is_loaded_and_no_style_can_slip_in() -> None:
    page = html_text(RunSummary.from_events(weekly_run()))
    assert re.findall(r"(?i)(?:src|href|action|xlink:href)\s*=", page) == []
    assert re.findall(r"(?i)url\(|@import| style=| on[a-z]+=", page) == []
    style = page[page.index("<style>") + 7 : page.index("</style>")]
    policy = content_policy(style)
    assert f'content="{policy.replace(chr(39), "&#39;")}"' in page
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'")


def test_the_page_says_what_happened() -> None:
    page = html_text(RunSummary.from_events(weekly_run()))
    for text in ("Needs attention", "Unable to reload service app", "the newest backup does not restore", "1,482,113", "−95 %", "restored in 14 s",
                 "size: 161480704", "not restored", "RPO 1 d 01 h", "Debian 12.8", "the service is masked"):  # fmt: skip
        assert text in page, text


@pytest.mark.parametrize("length", [0, 1, 2, 5, 20])
def test_pages_of_runs_that_ended_early(length: int) -> None:
    assert "Interrupted" in html_text(RunSummary.from_events(weekly_run()[:length]))


def test_hosts_with_odd_facts_and_stats_still_give_a_page() -> None:
    for odd in (None, {}, [], "x", 7, -1.5, float("inf"), float("nan"), 10**400, [None], {"a": None}, [["a"]]):
        events = []
        for event in weekly_run():
            if hasattr(event, "facts"):
                event = replace(event, facts=dict.fromkeys(event.facts, odd))
            if hasattr(event, "data"):
                event = replace(event, data=dict.fromkeys([*event.data, "other"], odd))
            events.append(event)
        summary = RunSummary.from_events(events)
        assert "</html>" in html_text(summary)
        assert plain_text(summary_lines(summary)) and markdown_text(summary) and summary_text(summary)


def test_timeline_geometry() -> None:
    summary = RunSummary.from_events(weekly_run())
    drawn = timeline(summary.results, summary.started, summary.duration)
    assert [lane.host for lane in drawn.lanes] == ["web1", "web2", "db1", "cache1"]
    assert all(0 <= bar.x <= WIDTH and bar.width > 0 for lane in drawn.lanes for bar in lane.bars)
    assert drawn.ticks[0] == (0.0, "0")
    assert 3 <= len(drawn.ticks) <= 10


def test_two_hundred_hosts_stay_readable_and_small() -> None:
    events = weekly_run()
    many = [
        replace(e, host=f"{e.host}-{n}", result={**e.result, "diff": {"before": "a\n" * 50, "after": f"{n}\n" * 50}})
        for n in range(50)
        for e in events
        if isinstance(e, HostFinished)
    ]
    summary = RunSummary.from_events([*[e for e in events if not isinstance(e, HostFinished)], *many])
    drawn = timeline(summary.results, summary.started, summary.duration)
    assert (len(drawn.lanes), drawn.hidden) == (MOST_LANES, 200 - MOST_LANES)
    assert len(html_text(summary)) < 2_000_000
