"""A program for the terminal tests: shows the weekly run as `opsplay run` would, N times over. Arguments: N, style, pause."""

import sys
import time
from dataclasses import replace

from weekly_run import weekly_run

from opsplay.events import HostStarted, RunFinished, RunStarted
from opsplay.report.ansible_compat import AnsibleOutput
from opsplay.report.output import Output
from opsplay.report.summary import RunSummary
from opsplay.report.terminal import progress_for


def main(times: int, style: str, pause: float) -> int:
    summary = RunSummary()
    shown = AnsibleOutput(Output(sys.stdout), Output(sys.stderr)) if style == "ansible" else progress_for(summary)
    events = weekly_run()
    for number in range(times):
        for event in events:
            if (isinstance(event, RunStarted) and number) or (isinstance(event, RunFinished) and number < times - 1):
                continue
            if pause and isinstance(event, HostStarted):
                time.sleep(pause)
            event = replace(event, task_id=f"{event.task_id}-{number}") if hasattr(event, "task_id") else event
            summary(event)
            shown(event)
    shown.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
