"""make conformance: every target of targets.txt in an isolation of its own, and the table in docs/reference/conformance.md.

    python -m tests.conformance.run [TARGET ...] [--this-root] [--jobs N] [--logs FOLDER] [--recaps FOLDER]

--this-root takes the machine's own root as the lower layer instead of a Debian of its own (quicker; a few targets want
packages). --recaps names a folder with TARGET.recap files of ansible-core itself: then a pass also needs the same sums.
"""

from __future__ import annotations

import argparse
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conformance.isolate import PROJECT, Outcome, Root, possible, run_target
from tests.conformance.source import HERE, checkout

TABLE = PROJECT / "docs" / "reference" / "conformance.md"
COMPARED = ("ok", "unreachable", "failed", "rescued", "ignored")


def names(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def reasons() -> dict[str, str]:
    """Targets that are set aside, and why."""
    return {name: why.strip() for name, _, why in (line.partition(":") for line in names(HERE / "aside.txt"))}


def first_failure(outcome: Outcome) -> str:
    """The assertion or message that ended the target, in one line."""
    if outcome.status == 124:
        return "the time limit"
    lines = [line for line in outcome.log.splitlines() if re.match(r"(fatal|failed): .*=>|\[ERROR\]|error:|\+ .*exit", line)]
    asserted = re.findall(r'"assertion": "((?:[^"\\]|\\.)*)"', lines[-1]) if lines else []
    said = re.findall(r'"msg": "((?:[^"\\]|\\.)*)"', lines[-1]) if lines else []
    text = (asserted or said or [lines[-1] if lines else outcome.log.strip().splitlines()[-1:] or ["nothing was printed"]])[0]
    text = text[0] if isinstance(text, list) else text
    return text.replace("|", "\\|").replace("\n", " ")[:180]


def differs(outcome: Outcome, recaps: Path | None) -> str:
    """How the sums of its PLAY RECAP lines differ from the reference's; empty where they do not, or there is none."""
    path = recaps / f"{outcome.target}.recap" if recaps else None
    if path is None or not path.exists():
        return ""
    wanted = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", path.read_text())}
    wrong = [f"{name} {outcome.recap.get(name, 0)} not {wanted[name]}" for name in COMPARED if outcome.recap.get(name, 0) != wanted.get(name)]
    return f"passes, but the recap differs: {', '.join(wrong)}" if wrong else ""


def table(outcomes: list[Outcome], recaps: Path | None) -> str:
    aside = reasons()
    rows, passed = [], 0
    for outcome in outcomes:
        other = differs(outcome, recaps) if outcome.passed else ""
        good = outcome.passed and not other
        passed += good
        verdict = "passed" if good else "set aside" if outcome.target in aside else "not passed"
        why = "" if good else aside.get(outcome.target) or other or f"`{first_failure(outcome)}`"
        rows.append(f"| {outcome.target} | {verdict} | {why} |")
    left = sum(1 for row in rows if "| set aside |" in row)
    counted = len(rows) - left
    return "\n".join([
        f"{passed} of {len(rows)} targets pass; {left} are set aside; of the other {counted}, {passed / max(counted, 1):.0%} pass.", "",
        "| target | result | first failing assertion, or why it is set aside |", "|---|---|---|", *rows,
    ])  # fmt: skip


def write(text: str) -> None:
    """Between the marks of the document; what is written by hand around them stays."""
    start, end = "<!-- targets: written by make conformance -->", "<!-- end of targets -->"
    known = TABLE.read_text() if TABLE.exists() else f"{start}\n{end}\n"
    before, after = known.partition(start)[0], known.partition(end)[2]
    TABLE.write_text(f"{before}{start}\n\n{text}\n\n{end}{after}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make conformance")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--this-root", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--logs", type=Path, default=Path("/var/tmp/opsplay-conformance"))
    parser.add_argument("--recaps", type=Path)
    options = parser.parse_args()
    if why := possible():
        sys.exit(why)
    source = checkout()
    if options.this_root:
        root = Root()
    else:
        from tests.conformance.root import debian_root

        root = debian_root()
    options.logs.mkdir(parents=True, exist_ok=True)

    def one(name: str) -> Outcome:
        outcome = run_target(name, source, root)
        (options.logs / f"{name}.log").write_text(outcome.log)
        print(f"{'passed' if outcome.passed else f'status {outcome.status}':>10}  {name}", flush=True)
        return outcome

    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(one, options.targets or names(HERE / "targets.txt")))
    text = table(outcomes, options.recaps)
    if not options.targets:
        write(text)
    print(text.splitlines()[0])
    return 0 if all(outcome.passed or outcome.target in reasons() for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
