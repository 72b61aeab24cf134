"""The classifier: an encoder's states, their mean, one score for each tool."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinyagent.toolrag.labels import CLASSES

DROPOUT = 0.1


class ToolClassifier(nn.Module):
    """Gives a request's logits, one for each tool in the order of `CLASSES`."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.drop = nn.Dropout(DROPOUT)
        self.head = nn.Linear(width, len(CLASSES))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weight = attention_mask[..., None].to(states.dtype)
        mean = (states * weight).sum(1) / weight.sum(1)
        return self.head(self.drop(mean))


def tool_loss(logits: Tensor, counts: Tensor, one_of: Tensor) -> Tensor:
    """Cross entropy of each tool being called or not, for a request.

    `counts` (-1: unknown) and `one_of`, the tools of which one is needed where no more is known, are
    [requests, tools].
    """
    logits = logits.float()
    known = counts >= 0
    loss = F.binary_cross_entropy_with_logits(logits[known], (counts[known] > 0).float(), reduction="sum")
    partial = one_of.any(1)
    if partial.any():
        none_called = F.logsigmoid(-logits).masked_fill(~one_of, 0.0).sum(1)[partial]
        loss = loss - torch.log1p(-none_called.exp().clamp(max=1 - 1e-6)).sum()
    return loss / len(counts)
