"""What changes to the training were worth, from a file that a person keeps.

A training takes an hour, so the report cannot try such changes itself. After a training with one
thing changed (no negative tools, no English first), evaluate its weights on the same cases as the
unchanged ones with `tinyagent eval --json`, and add an object to the list in
`models/ablations.json`: the keys that the command printed, `"model"`, `"change"` and, if there
is something to say, `"note"`. Keys that are not read here may stay in it:

    [{"model": "compact", "change": "without English first", "note": "25 minutes, one seed",
      "cases": 410, "success_rate": 0.41, "success_rate_interval": [0.36, 0.46],
      "arguments_exact": 0.13, "arguments_exact_interval": [0.1, 0.16]}]
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from tinyagent.errors import InvalidRequest
from tinyagent.evaluation.intervals import Estimate

FILE = "ablations.json"

_Share = Annotated[float, Field(ge=0, le=1)]


class _Entry(BaseModel):
    model: str
    change: str
    note: str = ""
    cases: int = Field(ge=1)
    success_rate: _Share
    success_rate_interval: tuple[_Share, _Share]
    arguments_exact: _Share
    arguments_exact_interval: tuple[_Share, _Share]


_ENTRIES = TypeAdapter(list[_Entry])


@dataclass(frozen=True)
class TrainingAblation:
    """A training with one thing changed, and how its weights did."""

    model: str
    change: str
    note: str
    cases: int
    success: Estimate
    exact: Estimate


def read_training_ablations(path: Path) -> list[TrainingAblation]:
    """The file's entries; none where there is no file. Raises InvalidRequest naming every fault."""
    try:
        entries = _ENTRIES.validate_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        faults = "\n".join(
            f"  {'.'.join(str(part) for part in fault['loc']) or 'file'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise InvalidRequest(
            f"{path} is not a list of training ablations:\n{faults}",
            hint="`python -m pydoc tinyagent.evaluation.training_ablations` shows its form.",
        ) from error
    return [
        TrainingAblation(
            entry.model,
            entry.change,
            entry.note,
            entry.cases,
            Estimate(entry.success_rate, *entry.success_rate_interval),
            Estimate(entry.arguments_exact, *entry.arguments_exact_interval),
        )
        for entry in entries
    ]
