"""Tiny GGUF files with random weights: whatever such a model answers is the grammar's merit."""

from __future__ import annotations

from pathlib import Path

import torch

from tinyagent.planners.compact import all_tags
from tinyagent.training.gguf_export import export
from tinyagent.training.gguf_network import PlannerNetwork, Shape
from tinyagent.training.gguf_tokenizer import PlannerTokenizer, train_tokenizer

TEXTS = [
    "Remind me to call Zoë at 10:45 tomorrow",
    "text +27 82 555 0117: 'on my way'",
    "can you e-mail Bjørn the report, budget_2024.xlsx?",
    " naïve  spaces\tand\nlines — “quotes”, 12,500.00 €",
    "日本語 عربى हिन्दी ١٢٣ 👩‍👩‍👧",
]


def make_tokenizer() -> PlannerTokenizer:
    """About 450 tokens: bytes, a few pieces, markers and tags."""
    return train_tokenizer(TEXTS, all_tags(), 512)


def make_network(seed: int = 0) -> PlannerNetwork:
    """Random weights large enough for strong, varied opinions."""
    torch.manual_seed(seed)
    network = PlannerNetwork(
        Shape(vocabulary=512, width=64, layers=2, heads=4, feed_forward=96, context=8192)
    )
    with torch.no_grad():
        for weight in network.parameters():
            weight.uniform_(0.5, 1.5) if weight.dim() == 1 else weight.normal_(std=0.1)
    return network


def write_tiny_gguf(path: Path, seed: int = 0) -> Path:
    """A random model in a file."""
    export(make_network(seed), make_tokenizer(), path)
    return path
