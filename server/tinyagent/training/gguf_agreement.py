"""Whether a GGUF file is the model that it was made from: the same tokens, and scores near enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyagent.planners.llama_model import LlamaModel

NASTY_TEXTS = (
    "Text Zoë at 10:45: 'on my way' — she's 27, isn't she?",
    " two  spaces   three\tand a tab\n\n  and lines\r\nand a last \n",
    "naïve café “quotes” ‘single’ … 12,500.00 € $$25 ½ ²",
    "日本語のテキスト 中文字符 한국어 العربية हिन्दी ไทย",
    "emoji 👩‍👩‍👧 🇿🇦 👍🏽 and zero\u200bwidth, NBSP\u00a0here, e\u0301 combined",
    "١٢٣ ４５６ Ⅷ digits 0123456789 3.14159 +27 82 555 0117",
    '1. create_calendar_event("A \\"b\\"", "2024-06-07 15:00:00", "", ["$1", "${2}0"], True)\n2. join()',
    "https://example.org/a_b?c=d&e=%20f#g user.name+tag@mail.example.co.uk",
    "/home/jo/Docs/budget_2024 (final).xlsx C:\\temp\\x.pdf __init__ snake_case CamelCaseWORD",
    "'LL 'Ve I'D we'Re DON'T o'clock ''' \"\"\" ``` ### --- ___ ***",
    "   ", "\n", "a", "\u0007bell \u001b[31m", "ﬁ ﬂ Å \u212b Ω \u2126", "x" * 200,
)  # fmt: skip
"""Texts on which tokenizers like to differ."""


@dataclass(frozen=True)
class ScoreGap:
    """The largest difference of a score, in standard deviations of all scores, and the smallest cosine."""

    apart: float
    cosine: float

    def within(self, apart: float, cosine: float) -> bool:
        """Whether it is no more than this; written so that what is no number is not."""
        return self.apart <= apart and self.cosine >= cosine

    def __str__(self) -> str:
        return f"scores differ by up to {self.apart:.3f} standard deviations, cosine {self.cosine:.5f}"


def score_gap(model: LlamaModel, ids: Sequence[int], expected: NDArray[Any]) -> ScoreGap:
    """Compare the scores after some beginnings of a text with those expected after each of its tokens."""
    apart, cosine = 0.0, 1.0
    for length in sorted({1, len(ids) // 3, 2 * len(ids) // 3, len(ids)}):
        model.read(list(ids[:length]), lambda: False)
        own, theirs = model.logits().astype(np.float64), expected[length - 1].astype(np.float64)
        spread = max(float(theirs.std()), 1e-9)
        gap = float(np.abs(own - theirs).max()) / spread
        near = float(own @ theirs / (np.linalg.norm(own) * np.linalg.norm(theirs) + 1e-30))
        apart, cosine = float(np.maximum(apart, gap)), float(np.minimum(cosine, near))
    return ScoreGap(apart, cosine)
