"""How good an adapter is: its loss on right plans, and how many of its own plans have the right graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from tinyagent.domain.graph import PlanGraph, isomorphic
from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.errors import PlanError
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.training.finetune.adapters import mixed_precision
from tinyagent.training.gguf_rows import TokenRow

_SLACK = 48
"""Tokens that a plan may be longer than the right one before it is given up."""


@dataclass(frozen=True)
class Validation:
    """`success` is the share of right graphs among `requests` plans (None when none was written)."""

    loss: float
    success: float | None
    requests: int

    @property
    def rank(self) -> tuple[float, float]:
        """Better adapters rank higher: by success, then by loss."""
        return (self.success or 0.0, -self.loss)


def plan_loss(model: Any, rows: Sequence[TokenRow], device: str) -> tuple[Tensor, int]:
    """The summed cross-entropy of the plans' tokens given all before them, and how many they are.

    Scores of the vocabulary are computed for those tokens only.
    """
    longest = max(row.length for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    planned = torch.zeros(len(rows), longest, dtype=torch.bool)
    for index, row in enumerate(rows):
        ids[index, : row.length] = torch.tensor([*row.prompt, *row.plan])
        planned[index, len(row.prompt) : row.length] = True
    ids, planned = ids.to(device), planned.to(device)
    inner = model.get_base_model()
    states = inner.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    scores = inner.lm_head(states[planned[:, 1:]]).float()
    targets = ids[:, 1:][planned[:, 1:]]
    return functional.cross_entropy(scores, targets, reduction="sum"), len(targets)


def validate(
    model: Any,
    vocabulary: LlamaModel,
    rows: Sequence[TokenRow],
    references: Sequence[str],
    device: str,
    stopped: Callable[[], bool] = lambda: False,
) -> Validation:
    """Loss and success on rows with their right plans; stops early when `stopped` says so."""
    total, tokens, right, done = 0.0, 0, 0, 0
    with _evaluating(model), torch.no_grad(), mixed_precision(device):
        for row, reference in zip(rows, references, strict=True):
            if stopped():
                break
            loss, count = plan_loss(model, [row], device)
            total, tokens = total + float(loss), tokens + count
            text = write_plan(model, vocabulary, row.prompt, len(row.plan) + _SLACK, device)
            right += same_graph(reference, text)
            done += 1
    return Validation(total / max(tokens, 1), right / done if done else None, done)


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def write_plan(model: Any, vocabulary: LlamaModel, prompt: Sequence[int], limit: int, device: str) -> str:
    """The most probable plan, token by token, without a grammar; at most `limit` tokens."""
    ids = torch.tensor([prompt], device=device)
    cache: Any = None
    text = b""
    for _ in range(limit):
        result = model.get_base_model()(
            input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        cache = result.past_key_values
        token = int(result.logits[0, -1].argmax())
        if vocabulary.is_end(token):
            break
        text += vocabulary.piece(token)
        if END_OF_PLAN.encode() in text:
            break
        ids = torch.tensor([[token]], device=device)
    return text.decode("utf-8", "replace")


def same_graph(reference: str, text: str) -> bool:
    """Whether a plan's text has the graph of the right plan; a text that is no plan has none."""
    expected = PlanGraph.of(parse_plan(reference).calls)
    try:
        calls = parse_plan(text).calls if text.strip() else None
    except PlanError:
        return False
    if calls is None:
        return False
    written = PlanGraph.of(calls)
    return len(written.calls) == len(calls) and isomorphic(expected, written)
