"""The network: a pretrained encoder, a head that counts tools, a decoder that points into the request."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinyagent.toolrag.labels import CLASSES

FLOOR = -1e9
"""Log-probability of the impossible; only ever used in float32."""


@dataclass(frozen=True)
class Shape:
    """Sizes of the decoder. `symbols` is the size of the output vocabulary."""

    symbols: int
    encoder: int = 384
    width: int = 256
    heads: int = 4
    layers: int = 4
    inner: int = 768
    pieces: int = 192
    steps: int = 256
    counts: int = 4
    dropout: float = 0.1


def _heads(x: Tensor, heads: int) -> Tensor:
    """[batch, time, width] as [batch, heads, time, width / heads]."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Attention over [batch, heads, time, depth]; `bias` is added to the scores."""
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if bias is not None:
        scores = scores + bias
    mixed = torch.softmax(scores.float(), -1).to(value.dtype) @ value
    return mixed.transpose(1, 2).flatten(2)


class Layer(nn.Module):
    """Self-attention, attention to the request, feed-forward; each normed before and added."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.own_norm, self.cross_norm, self.inner_norm = (nn.LayerNorm(width) for _ in range(3))
        self.own = nn.Linear(width, 3 * width)
        self.own_out = nn.Linear(width, width)
        self.query = nn.Linear(width, width)
        self.memory = nn.Linear(width, 2 * width)
        self.cross_out = nn.Linear(width, width)
        self.expand = nn.Linear(width, shape.inner)
        self.contract = nn.Linear(shape.inner, width)
        self.drop = nn.Dropout(shape.dropout)

    def remember(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the request; computed once a request."""
        key, value = self.memory(memory).chunk(2, -1)
        return _heads(key, self.heads), _heads(value, self.heads)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value of the plan's own symbols."""
        query, key, value = self.own(self.own_norm(x)).chunk(3, -1)
        return _heads(query, self.heads), _heads(key, self.heads), _heads(value, self.heads)

    def finish(self, x: Tensor, mixed: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        """The layer's output, given what self-attention mixed and the request's keys and values."""
        x = x + self.drop(self.own_out(mixed))
        query = _heads(self.query(self.cross_norm(x)), self.heads)
        x = x + self.drop(self.cross_out(attend(query, key, value, bias)))
        return x + self.drop(self.contract(F.gelu(self.expand(self.inner_norm(x)))))


class PlanNetwork(nn.Module):
    """Classifier and decoder on the states of an encoder that is passed in."""

    def __init__(self, encoder: nn.Module, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = encoder
        width = shape.width
        self.classifier = nn.Linear(shape.encoder, len(CLASSES) * shape.counts)
        self.symbols = nn.Embedding(shape.symbols, width)
        self.steps = nn.Embedding(shape.steps, width)
        self.places = nn.Embedding(shape.pieces, width)
        self.memory = nn.Linear(shape.encoder, width)
        self.copied = nn.Linear(shape.encoder, width)
        self.pointed = nn.Linear(shape.encoder, width)
        self.pointer = nn.Linear(width, width)
        self.gate = nn.Linear(width, 1)
        self.bias = nn.Parameter(torch.zeros(shape.symbols))
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(width)
        for table in (self.symbols, self.steps, self.places):
            nn.init.normal_(table.weight, std=0.05)

    def encode(self, pieces: Tensor, mask: Tensor) -> Tensor:
        """States of the wordpieces."""
        return self.encoder(input_ids=pieces, attention_mask=mask).last_hidden_state

    def counts(self, states: Tensor, mask: Tensor) -> Tensor:
        """Scores of 0, 1, 2, 3-or-more calls of each tool: [batch, tools, counts]."""
        weight = mask[..., None].to(states.dtype)
        mean = (states * weight).sum(1) / weight.sum(1)
        return self.classifier(mean).unflatten(-1, (len(CLASSES), self.shape.counts))

    def word_states(self, states: Tensor, first: Tensor, last: Tensor) -> Tensor:
        """A word's state: the mean of its first and its last wordpiece."""
        size = states.shape[-1]
        one = torch.gather(states, 1, first[..., None].expand(-1, -1, size))
        other = torch.gather(states, 1, last[..., None].expand(-1, -1, size))
        return (one + other) / 2

    def remember(self, states: Tensor) -> Tensor:
        """What the decoder attends to: projected states with their places."""
        places = self.places(torch.arange(states.shape[1], device=states.device))
        return self.memory(states) + places[None]

    def decode(
        self,
        fed_symbols: Tensor,
        fed_words: Tensor,
        words: Tensor,
        word_mask: Tensor,
        memory: Tensor,
        mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Log-probabilities of symbols and of words at every step of known plans (training)."""
        steps = fed_symbols.shape[1]
        x = self.symbols(fed_symbols) + self.steps(torch.arange(steps, device=fed_symbols.device))[None]
        index = fed_words.clamp(min=0)[..., None].expand(-1, -1, self.shape.width)
        x = x + torch.gather(self.copied(words), 1, index) * (fed_words >= 0)[..., None]
        past = torch.full((steps, steps), FLOOR, device=x.device).triu(1)
        unseen = (~mask).float()[:, None, None] * FLOOR
        for module in self.layers:
            layer = module if isinstance(module, Layer) else Layer(self.shape)
            query, key, value = layer.project(x)
            x = layer.finish(x, attend(query, key, value, past), *layer.remember(memory), unseen)
        return self.score(self.norm(x), self.pointed(words), (~word_mask).float()[:, None] * FLOOR)

    def score(self, x: Tensor, pointed: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """The gated mixture of vocabulary and pointer, as log-probabilities."""
        symbols = F.log_softmax((x @ self.symbols.weight.T + self.bias).float(), -1)
        scores = (self.pointer(x) @ pointed.transpose(-1, -2)).float() / math.sqrt(self.shape.width)
        if bias is not None:
            scores = scores + bias
        words = F.log_softmax(scores, -1)
        gate = self.gate(x).float()
        return F.logsigmoid(gate) + symbols, F.logsigmoid(-gate) + words
