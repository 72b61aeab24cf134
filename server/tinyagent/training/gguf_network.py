"""The small planner network: a Llama in llama.cpp's own layout, so that weights are exported as they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; `width` and `feed_forward` must be multiples of 32 to be quantized."""

    vocabulary: int = 4096
    width: int = 256
    layers: int = 4
    heads: int = 4
    feed_forward: int = 768
    context: int = 1024
    rope_base: float = 10_000.0
    epsilon: float = 1e-5


class _Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.q = nn.Linear(shape.width, shape.width, bias=False)
        self.k = nn.Linear(shape.width, shape.width, bias=False)
        self.v = nn.Linear(shape.width, shape.width, bias=False)
        self.output = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, rotation: Tensor) -> Tensor:
        batch, length, width = x.shape
        split = (batch, length, self.heads, width // self.heads)
        q = _rotate(self.q(x).view(split), rotation).transpose(1, 2)
        k = _rotate(self.k(x).view(split), rotation).transpose(1, 2)
        v = self.v(x).view(split).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.output(mixed.transpose(1, 2).reshape(batch, length, width))


class _FeedForward(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(functional.silu(self.gate(x)) * self.up(x))


class _Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attn_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.attn = _Attention(shape)
        self.ffn_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.ffn = _FeedForward(shape)

    def forward(self, x: Tensor, rotation: Tensor) -> Tensor:
        x = x + self.attn(self.attn_norm(x), rotation)
        return x + self.ffn(self.ffn_norm(x))


class PlannerNetwork(nn.Module):
    """Tokens to hidden states; `logits` turns states into scores of the next token (tied embeddings)."""

    rotation: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(_Block(shape) for _ in range(shape.layers))
        self.output_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.register_buffer("rotation", _rotation(shape), persistent=False)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.token_embd(ids)
        rotation = self.rotation[: ids.shape[1]]
        for block in self.blk:
            x = block(x, rotation)
        return self.output_norm(x)

    def logits(self, states: Tensor) -> Tensor:
        return functional.linear(states, self.token_embd.weight)


def _rotation(shape: Shape) -> Tensor:
    """Cosine and sine by position and pair of dimensions: (context, pairs, 2)."""
    size = shape.width // shape.heads
    speeds = shape.rope_base ** (-torch.arange(0, size, 2).float() / size)
    angles = torch.arange(shape.context).float()[:, None] * speeds
    return torch.stack([angles.cos(), angles.sin()], dim=-1)


def _rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotary positions on neighbouring dimensions, as llama.cpp turns them for `llama` files."""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = rotation[:, None, :, 0].to(x.dtype), rotation[:, None, :, 1].to(x.dtype)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)
