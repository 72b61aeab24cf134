"""What a fine-tuning is asked to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyagent.errors import InvalidRequest


@dataclass(frozen=True)
class FinetuneSettings:
    """The recipe; its defaults are the paper's where the paper gives a number.

    `negative_tools` and `examples` are at most so many; `limit` takes only so many training requests and
    `validate` development requests; `rank` and `alpha` are LoRA's.
    """

    base: Path
    data: Path
    out: Path
    epochs: int = 3
    rate: float = 7e-5
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    batch: int = 8
    accumulate: int = 1
    max_tokens: int = 2048
    negative_tools: int = 4
    examples: int = 3
    limit: int | None = None
    validate: int = 100
    seed: int = 0
    qat: bool = False
    checkpoint_minutes: float = 10.0

    def __post_init__(self) -> None:
        """Raises InvalidRequest for a number that is out of its bounds."""
        least = {"epochs": 1, "rank": 1, "alpha": 1, "batch": 1, "accumulate": 1, "max_tokens": 64,
                 "negative_tools": 0, "examples": 0, "validate": 0}  # fmt: skip
        for name, bound in least.items():
            if getattr(self, name) < bound:
                flag = name.replace("_", "-")
                raise InvalidRequest(f"--{flag} {getattr(self, name)} is less than {bound}.", param=name)
        if not 0 < self.rate < 1:
            raise InvalidRequest(f"--rate {self.rate:g} is no learning rate.", hint="The paper's is 7e-5.")
        if self.limit is not None and self.limit < 1:
            raise InvalidRequest(f"--limit {self.limit} leaves no request to train on.", param="limit")

    def recipe(self) -> dict[str, Any]:
        """What a run that goes on must have in common with its beginning, in JSON's types."""
        values = asdict(self)
        for name in ("out", "checkpoint_minutes"):
            del values[name]
        return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
