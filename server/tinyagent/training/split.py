"""Which natural requests are kept aside: a function of the request's id alone, the same for ever."""

from __future__ import annotations

import hashlib
from typing import Literal

Part = Literal["train", "dev", "test"]


def part_of(identifier: str) -> Part:
    """`dev` for 4 % of the ids, `test` for 6 %, `train` for the others."""
    digest = hashlib.sha256(f"tinyagent natural requests {identifier}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    if share < 0.04:
        return "dev"
    return "test" if share < 0.10 else "train"
