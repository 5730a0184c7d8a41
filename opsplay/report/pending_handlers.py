"""Which handlers were notified and have not run: folded from the events of a run, and of runs before it."""

from __future__ import annotations

from opsplay.events import Event, HandlerNotified, HandlerPending, HandlerRan, RunStarted

Key = tuple[str, str, str, str]  # playbook, play, handler, host


def key_of(event: HandlerNotified | HandlerRan | HandlerPending) -> Key:
    return (event.playbook, event.play, event.handler, event.host)


class PendingHandlers:
    """A listener. A check run only says what would be notified: it adds nothing and takes nothing away."""

    def __init__(self) -> None:
        self.kept: dict[Key, HandlerPending] = {}
        self._run_id = ""
        self._check = False

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._run_id, self._check = event.run_id, event.check
            case HandlerPending():
                self.kept.setdefault(key_of(event), event)
            case HandlerNotified() if not self._check:
                self.kept.setdefault(key_of(event), self.pending(event))
            case HandlerRan() if not self._check:
                self.kept.pop(key_of(event), None)

    def pending(self, event: HandlerNotified) -> HandlerPending:
        return HandlerPending(event.at, event.host, event.handler, event.play, event.playbook, self._run_id, event.at)

    def grouped(self) -> dict[tuple[str, str, float], list[str]]:
        """(handler, run, since) -> hosts: one line of a report; of one run the first time counts."""
        first: dict[tuple[str, str], float] = {}
        hosts: dict[tuple[str, str], list[str]] = {}
        for event in self.kept.values():
            name = (event.handler, event.run_id)
            first.setdefault(name, event.since)
            hosts.setdefault(name, []).append(event.host)
        return {(*name, first[name]): found for name, found in hosts.items()}
