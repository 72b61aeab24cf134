"""Plans of function calling between two rounds: the client sends back nothing but calls and results."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from tinyagent.domain.plan import Call
from tinyagent.engine.calling import ClientTool

MAX_KEPT = 2_000
KEEP_S = 3_600.0

_ID = re.compile(r"call_([0-9a-f]{16})_\d+")


@dataclass(frozen=True)
class Offer:
    """A tool as it was when a plan was made: the client's name for it, and a digest of its schema."""

    name: str
    digest: str

    @classmethod
    def of(cls, tool: ClientTool) -> Offer:
        schema = json.dumps(tool.spec.json_schema(), sort_keys=True)
        return cls(tool.name, hashlib.sha256(schema.encode("utf-8", "surrogatepass")).hexdigest())


@dataclass(frozen=True)
class KeptPlan:
    """A plan's calls by number, their arguments in place, and the ids of all calls that it may refer to.

    `offers` are the tools that it was made for, by their names in the plan.
    """

    calls: Mapping[int, Call]
    ids: Mapping[int, str]
    offers: Mapping[str, Offer]

    def still_offered(self, now: Iterable[ClientTool]) -> list[ClientTool]:
        """Those of its tools, named as in the plan, that are among these with the same arguments."""
        offered = {Offer.of(tool): tool for tool in now}
        return [
            replace(offered[offer], spec=replace(offered[offer].spec, name=planned))
            for planned, offer in self.offers.items()
            if offer in offered
        ]


def new_key() -> str:
    """Stands for a plan in the ids of its calls; it cannot be guessed."""
    return secrets.token_hex(8)


def call_id(key: str, index: int) -> str:
    """The id of a plan's call."""
    return f"call_{key}_{index}"


class KeptPlans:
    """Plans by key, each for the caller that it was made for; the oldest go first.

    One that is gone is no loss but of time: its request is planned again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._plans: OrderedDict[tuple[str, str], tuple[float, KeptPlan]] = OrderedDict()

    def keep(self, caller: str, key: str, plan: KeptPlan) -> None:
        """Remember a plan for an hour."""
        oldest = self._clock() - KEEP_S
        while self._plans and (len(self._plans) >= MAX_KEPT or next(iter(self._plans.values()))[0] < oldest):
            self._plans.popitem(last=False)
        self._plans[caller, key] = (self._clock(), plan)

    def find(self, caller: str, ids: Iterable[str]) -> KeptPlan | None:
        """The latest plan that one of these calls, the first to the last, belongs to."""
        for found in map(_ID.fullmatch, reversed(list(ids))):
            kept = self._plans.get((caller, found[1])) if found else None
            if kept is not None and kept[0] >= self._clock() - KEEP_S:
                return kept[1]
        return None
