"""Thresholds for the classifier in a folder, fitted on the held-out phrasings and kept with it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinyagent.domain.plan_parser import parse_plan
from tinyagent.errors import InvalidRequest
from tinyagent.toolrag.classifier import SETTINGS, SequenceClassifier
from tinyagent.toolrag.manifest import MANIFEST, read_json
from tinyagent.toolrag.model import NanoModel
from tinyagent.toolrag.selector import Classifier, SelectionRules
from tinyagent.training.corpus import read_corpus
from tinyagent.training.rows import Request
from tinyagent.training.toolrag.thresholds import (
    TARGET,
    Figures,
    Scored,
    cross_fitted,
    figures,
    fit_thresholds,
)

NANO_SETTINGS = "nano.json"


@dataclass(frozen=True)
class Fit:
    """Thresholds and what they bring on the requests kept aside.

    `common` is without them, `fitted` with them, `apart` with ones that the judged requests had no
    part in: the figure to go by.
    """

    thresholds: Mapping[str, float]
    requests: int
    common: Figures
    fitted: Figures
    apart: Figures


def fit_folder(
    folder: Path, data: Path, target: float = TARGET, tell: Callable[[str], None] = lambda _: None
) -> Fit:
    """Fit thresholds for the classifier in `folder` and write them into its settings and manifest.

    `tell` is given lines on what is left out of the data. Raises ModelUnavailable for a faulty folder,
    InvalidRequest for requests that cannot be used.
    """
    if not folder.is_dir():
        raise InvalidRequest(
            f"{folder} is no folder.",
            hint="Give the folder of a classifier, such as models/nano, as --model.",
        )
    settings = folder / (NANO_SETTINGS if (folder / NANO_SETTINGS).exists() else SETTINGS)
    classifier: Classifier = (
        NanoModel.load(folder) if settings.name == NANO_SETTINGS else SequenceClassifier.load(folder)
    )
    requests = read_corpus(data, tell).requests("dev")
    scored = asyncio.run(score(classifier, requests))
    if not any(request.needed for request in scored):
        raise InvalidRequest(
            f"{data} holds no held-out requests that need tools, so there is nothing to fit to.",
            hint="It must hold natural/*.jsonl or written/*.txt, as training/data does.",
        )
    thresholds = fit_thresholds(scored, target)
    rules = SelectionRules()
    keep_thresholds(settings, thresholds)
    return Fit(
        thresholds, len(scored), figures(scored, rules),
        figures(scored, replace(rules, thresholds=thresholds)), cross_fitted(scored, target),
    )  # fmt: skip


async def score(classifier: Classifier, requests: Sequence[Request]) -> list[Scored]:
    """Every tool's probability for each request, beside the tools of its plan."""
    return [
        Scored(
            await classifier.probabilities(request.query),
            frozenset(call.tool for call in parse_plan(request.plan).calls),
        )
        for request in requests
    ]


def keep_thresholds(settings: Path, thresholds: Mapping[str, float]) -> None:
    """Write the thresholds into a model's settings, and the settings' new sum into its manifest, if any.

    Both files are written whole beside the old ones first, so that only two renames are left to do.
    """
    raw = read_json(settings) if settings.exists() else {}
    content = json.dumps(raw | {"thresholds": dict(thresholds)}, ensure_ascii=False, indent=1) + "\n"
    changes = {settings: content.encode()}
    manifest = settings.parent / MANIFEST
    if manifest.exists():
        listed: dict[str, Any] = read_json(manifest)
        listed["files"][settings.name] = {
            "bytes": len(changes[settings]), "sha256": hashlib.sha256(changes[settings]).hexdigest(),
        }  # fmt: skip
        changes[manifest] = (json.dumps(listed, indent=2) + "\n").encode()
    partials = {path: path.with_name(f"{path.name}.partial") for path in changes}
    try:
        for path, partial in partials.items():
            partial.write_bytes(changes[path])
        for path, partial in partials.items():
            partial.replace(path)
    except OSError as error:
        raise InvalidRequest(
            f"The thresholds cannot be written to {settings.parent}: {error.strerror}.",
            hint="Copy the model's folder to where you may write, and give that with --model.",
        ) from error
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)
