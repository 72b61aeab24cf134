"""Which workers are there, and what they can do."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tinyagent.domain.tools import ToolSpec
from tinyagent.ports import ToolStatus
from tinyagent.workers.wire import Offer, WorkerId

NO_WORKER = "no worker is connected: start `tinyagent worker --server URL` on the computer that is to do it"
MAX_WORKERS = 64


@dataclass
class _Worker:
    heard: float
    offers: Mapping[str, Offer] = field(default_factory=dict[str, Offer])


class Roster:
    """The workers that were heard of within the last `lease_s` seconds."""

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._workers: dict[tuple[str, str], _Worker] = {}

    def heard(self, who: WorkerId, offers: Mapping[str, Offer] | None = None) -> None:
        """Note a sign of life, and what the worker offers where it says so."""
        key = (who.worker, who.instance)
        worker = self._workers.setdefault(key, _Worker(0.0))
        worker.heard = time.monotonic()
        if offers is not None:
            worker.offers = offers
        self._forget_absent()

    def offer(self, who: WorkerId, tool: str) -> Offer | None:
        """What this worker says of a tool."""
        worker = self._workers.get((who.worker, who.instance))
        return worker.offers.get(tool) if worker else None

    def names(self) -> tuple[str, ...]:
        """The workers that are there, by name."""
        return tuple(sorted({name for (name, _), _ in self._present()}))

    def status(self, spec: ToolSpec) -> ToolStatus:
        """Whether some worker carries out the tool now, and which ones."""
        offers = [(name, worker.offers.get(spec.name)) for (name, _), worker in self._present()]
        able = [(name, offer) for name, offer in offers if offer is not None and offer.enabled]
        if not able:
            return ToolStatus(spec, False, self._reason(spec.name, offers))
        drafts = [offer.drafts_only for _, offer in able]
        names = tuple(sorted({name for name, _ in able}))
        invites = any(offer.invites for _, offer in able)
        return ToolStatus(spec, True, "", drafts[0] if all(drafts) else "", invites, names)

    def _reason(self, tool: str, offers: Sequence[tuple[str, Offer | None]]) -> str:
        if not offers:
            return NO_WORKER
        known = [(name, offer) for name, offer in offers if offer is not None]
        if not known:
            return f"no connected worker carries out {tool}"
        name, offer = known[0]
        return f"{name}: {offer.reason or 'it is off'}"

    def _present(self) -> list[tuple[tuple[str, str], _Worker]]:
        earliest = time.monotonic() - self._lease_s
        return [pair for pair in self._workers.items() if pair[1].heard >= earliest]

    def _forget_absent(self) -> None:
        """Keep the number of entries bounded: those unheard of the longest go first."""
        while len(self._workers) > MAX_WORKERS:
            del self._workers[min(self._workers, key=lambda key: self._workers[key].heard)]
