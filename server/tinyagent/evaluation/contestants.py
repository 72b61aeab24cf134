"""The planners of a comparison: what they weigh, and how each becomes a subject of the evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tinyagent.bootstrap import BUNDLED_GGUF, COMPACT, NANO, Toolkit, models_folder
from tinyagent.errors import ModelUnavailable
from tinyagent.evaluation.subjects import Progress, Subject
from tinyagent.evaluation.weights import (
    CHUNK,
    Weights,
    code_digest,
    gguf_weights,
    onnx_weights,
    remote_weights,
)
from tinyagent.ports import Planner, ToolSelector
from tinyagent.settings import LlamaPlannerSettings, OpenAIPlannerSettings, Settings
from tinyagent.toolrag.manifest import MANIFEST


@dataclass(frozen=True)
class Contestant:
    """A planner by its name; `settings` are None for the bundled ONNX network.

    `digest` changes with the planner's weights, Tool RAG's weights, the settings and the code that plans.
    """

    name: str
    settings: LlamaPlannerSettings | OpenAIPlannerSettings | None
    weights: Weights
    digest: str

    @property
    def remote(self) -> bool:
        return isinstance(self.settings, OpenAIPlannerSettings)

    def subject(self, toolkit: Toolkit, retrieval: str, selector: ToolSelector | None) -> Subject:
        """This planner as it is configured, with the tools that `selector` finds (None: the right ones)."""

        @asynccontextmanager
        async def loaded() -> AsyncGenerator[Planner]:
            yield await toolkit.planner(self.name)  # the toolkit's catalog closes it

        return Subject(self.name, retrieval, self.digest, loaded, selector, remote=self.remote)


def contestants(
    settings: Settings, toolkit: Toolkit, names: Sequence[str], progress: Progress
) -> list[Contestant]:
    """The named planners, or the default one; each once.

    Raises ModelNotFound for an unknown name and ModelUnavailable for one that cannot be used.
    """
    wanted = dict.fromkeys(toolkit.planners.resolve(name) for name in names or [None])
    problems = {info.name: info.reason for info in toolkit.planners.infos()}
    for name in wanted:
        if problems[name]:
            raise ModelUnavailable(
                f"Planner {name} cannot be used: {problems[name]}.", hint="Mend it, or leave it out."
            )
    tool_rag = onnx_weights(models_folder() / NANO)
    found: list[Contestant] = []
    for name in wanted:
        planner, weights = _weights(settings, name, tool_rag, progress)
        parts = (weights.digest, tool_rag.digest, code_digest(), _settings_digest(settings, planner))
        found.append(Contestant(name, planner, weights, digest_of(*parts)))
    return found


def _settings_digest(settings: Settings, planner: LlamaPlannerSettings | OpenAIPlannerSettings | None) -> str:
    """A digest of what else changes the plans of planners that read instructions."""
    if planner is None:
        return ""
    examples = models_folder() / "examples" / MANIFEST
    return digest_of(
        planner.model_dump_json(exclude={"api_key", "timeout_s"}),
        settings.model_dump_json(include={"instructions", "planner_examples"}),
        examples.read_text("utf-8") if examples.is_file() else "",
    )


def digest_of(*parts: str) -> str:
    """One digest for several."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _weights(
    settings: Settings, name: str, tool_rag: Weights, progress: Progress
) -> tuple[LlamaPlannerSettings | OpenAIPlannerSettings | None, Weights]:
    planner = settings.planners.get(name)
    if planner is None and name == COMPACT:
        planner = LlamaPlannerSettings(kind="llama", path=models_folder() / BUNDLED_GGUF)
    if planner is None:
        return None, tool_rag
    if isinstance(planner, OpenAIPlannerSettings):
        return planner, remote_weights(planner.base_url, planner.model)
    path: Path = planner.path.expanduser()
    with progress(f"reading the weights of {name}", 1 + path.stat().st_size // CHUNK) as bar:
        return planner, gguf_weights(path, bar.advance)
