"""How long and how much."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of a run; every wait of the engine is within one of them."""

    run_deadline_s: float = 300.0
    call_deadline_s: float = 60.0
    max_query_characters: int = 8_000
    max_active_runs: int = 16
    max_replans: int = 2
    planner_stop_s: float = 5.0
    """How long a cancelled planner may take to stop before it is left alone."""
