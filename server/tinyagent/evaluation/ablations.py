"""Planners and selectors with one piece built differently, to see what that piece is worth.

Nothing here is a switch of the product: each change passes another part to a constructor.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from tinyagent.domain.plan import Value
from tinyagent.domain.tools import ToolSpec
from tinyagent.evaluation.contestants import Contestant, digest_of
from tinyagent.evaluation.subjects import Subject
from tinyagent.evaluation.weights import onnx_weights
from tinyagent.planners.chat_template import Vocabulary
from tinyagent.planners.evidence import Evidence
from tinyagent.planners.gguf_header import read_header
from tinyagent.planners.grammar import ROOT, Limits
from tinyagent.planners.inner import DraftCall, PlanCompiler
from tinyagent.planners.legal import PlanState
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.planners.nano import NanoPlanner
from tinyagent.planners.pointer import Search
from tinyagent.planners.profiles import PROFILES, CompactProfile, Profile, ProfileName, choose_profile
from tinyagent.ports import Planner, PlanRequest, ToolSelector
from tinyagent.settings import LlamaPlannerSettings
from tinyagent.toolrag.model import NanoModel
from tinyagent.toolrag.selector import ClassifierSelector, SelectionRules

_ANY_TEXT = rf"{ROOT} ::= [^\x00]*"


class NoEvidence(Evidence):
    """Leaves out nothing, whatever the request says."""

    def allows(self, symbol: str, state: PlanState) -> bool:
        return True


class PlainCompiler(PlanCompiler):
    """Takes names and subjects as the network wrote them."""

    def _lookup(self, draft: DraftCall) -> list[Value]:
        return [self._value(draft.text("name"))]

    def _subject(self, draft: DraftCall) -> str:
        return draft.text("subject")


@dataclass(frozen=True)
class LooseProfile:
    """A profile without its wishes beyond the grammar and, unless `grammatical`, without the grammar."""

    inner: Profile
    grammatical: bool

    @property
    def name(self) -> ProfileName:
        return self.inner.name

    @property
    def can_replan(self) -> bool:
        return self.inner.can_replan

    @property
    def translate(self) -> Callable[[str, PlanRequest], str] | None:
        return self.inner.translate

    def knows(self, tool: ToolSpec) -> bool:
        return self.inner.knows(tool)

    def prompt(self, request: PlanRequest, vocabulary: Vocabulary) -> list[int]:
        return self.inner.prompt(request, vocabulary)

    def grammar(self, request: PlanRequest, limits: Limits) -> str:
        return self.inner.grammar(request, limits) if self.grammatical else _ANY_TEXT

    def makes_sense(self, text: str, request: PlanRequest) -> bool:
        return True


class LooseLlamaPlanner(LlamaPlanner):
    """A GGUF planner with its profile loosened."""

    def __init__(self, name: str, settings: LlamaPlannerSettings, grammatical: bool) -> None:
        super().__init__(
            settings.path.expanduser(),
            name=name,
            profile=settings.profile,
            context=settings.context,
            threads=settings.threads,
        )
        self._grammatical = grammatical

    @cached_property
    def profile(self) -> Profile:
        return LooseProfile(super().profile, self._grammatical)


def ablations(
    contestant: Contestant, model: NanoModel, base: Subject, full_precision: Path | None
) -> list[Subject]:
    """All changes to a planner, each beside `base`; none for a planner behind a URL.

    `model` is the bundled network, `full_precision` a folder with the same network in float32.
    Raises ModelUnavailable when that folder holds no sound network.
    """
    if isinstance(contestant.settings, LlamaPlannerSettings):
        return _llama_ablations(contestant, contestant.settings, base)
    if contestant.remote:
        return []
    return [
        *_decoder_ablations(contestant, model, base),
        *_tool_rag_ablations(contestant, model, base),
        *([_unquantized(contestant, full_precision, base)] if full_precision else []),
    ]


def _decoder_ablations(contestant: Contestant, model: NanoModel, base: Subject) -> list[Subject]:
    def changed(
        change: str, search: Search | None = None, compiler: type[PlanCompiler] = PlanCompiler
    ) -> Subject:
        load = partial(NanoPlanner, model, search=search, compiler=compiler)
        return _subject(contestant, base, change, load)

    return [
        changed("one plan followed instead of three", Search(width=1)),
        changed("without the classifier's counts in the search", Search(counts_weight=0.0)),
        changed("without evidence rules", Search(evidence=NoEvidence)),
        changed("without rules for names and subjects", compiler=PlainCompiler),
    ]


def _tool_rag_ablations(contestant: Contestant, model: NanoModel, base: Subject) -> list[Subject]:
    shipped = SelectionRules(thresholds=model.thresholds)
    rules = {
        "Tool RAG without closure (helpers brought along)": replace(shipped, needs={}),
        "Tool RAG without filling up to three": replace(shipped, at_least=0),
        "Tool RAG with threshold 0.5": SelectionRules(threshold=0.5),
        "Tool RAG with threshold 0.5 alone": SelectionRules(threshold=0.5, at_least=0, needs={}),
    }
    return [
        _subject(contestant, base, change, partial(NanoPlanner, model), ClassifierSelector(model, rule))
        for change, rule in rules.items()
    ]


def _unquantized(contestant: Contestant, folder: Path, base: Subject) -> Subject:
    weights = onnx_weights(folder)
    model = NanoModel.load(folder)
    change = f"weights in {weights.precision} ({folder.name})"
    digest = digest_of(contestant.digest, weights.digest)
    return _subject(
        contestant, base, change, partial(NanoPlanner, model), ClassifierSelector(model), digest=digest
    )


def _llama_ablations(contestant: Contestant, settings: LlamaPlannerSettings, base: Subject) -> list[Subject]:
    def changed(change: str, grammatical: bool) -> Subject:
        load = partial(LooseLlamaPlanner, contestant.name, settings, grammatical)
        return _subject(contestant, base, change, load)

    path = settings.path.expanduser()
    profile = PROFILES[settings.profile] if settings.profile else choose_profile(read_header(path))
    if not isinstance(profile, CompactProfile):
        return [changed("without grammar", grammatical=False)]
    return [
        changed("without rules for words", grammatical=True),
        changed("without grammar and rules for words", grammatical=False),
    ]


def _subject(
    contestant: Contestant,
    base: Subject,
    change: str,
    load: Callable[[], Planner],
    selector: ToolSelector | None = None,
    digest: str = "",
) -> Subject:
    def opened() -> AbstractAsyncContextManager[Planner]:
        return _closing(load)

    return Subject(
        contestant.name,
        base.retrieval,
        digest or contestant.digest,
        opened,
        selector or base.selector,
        change,
    )


@asynccontextmanager
async def _closing(load: Callable[[], Planner]) -> AsyncGenerator[Planner]:
    planner = load()
    try:
        yield planner
    finally:
        await planner.close()
