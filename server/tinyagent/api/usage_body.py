"""What an answer took, as the OpenAI routes and llama-server's clients read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyagent.ports import Usage


@dataclass(frozen=True)
class Tokens:
    """Counts of one answer. `cached` are among those `read`, `reasoning` among those `written`."""

    read: int
    cached: int
    written: int
    reasoning: int


def tokens_of(usage: Usage, answer: int, *, reasoned: bool, composed: bool) -> Tokens:
    """The counts of an answer whose text has `answer` tokens by the rule of thumb.

    `reasoned`: a plan was written. `composed`: the text is no model's, so that `usage` knows nothing of it.
    Where one usage tells of both a plan and a model's words, the plan's share is what the rule leaves.
    """
    read, cached, written = usage.prompt_tokens, usage.cached_tokens, usage.plan_tokens
    if composed:
        return Tokens(read, cached, written + answer, written)
    return Tokens(read, cached, written, max(0, written - answer) if reasoned else 0)


def timings_of(usage: Usage) -> dict[str, Any] | None:
    """Times and rates with llama-server's names; None where no time is known."""
    if not usage.prompt_ms and not usage.plan_ms:
        return None
    fresh = max(0, usage.prompt_tokens - usage.cached_tokens)
    return {
        "cache_n": usage.cached_tokens,
        **_rates("prompt", fresh, usage.prompt_ms),
        **_rates("predicted", usage.plan_tokens, usage.plan_ms),
    }


def _rates(what: str, count: int, ms: float) -> dict[str, Any]:
    return {
        f"{what}_n": count,
        f"{what}_ms": ms,
        f"{what}_per_token_ms": ms / count if count else 0.0,
        f"{what}_per_second": 1_000 * count / ms if ms else 0.0,
    }
