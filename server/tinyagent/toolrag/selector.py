"""Which tools a request needs: probabilities, a threshold, and two rules that make up for near misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tinyagent.domain.tools import ToolSpec
from tinyagent.ports import Selection

NEEDS: dict[str, tuple[str, ...]] = {
    "send_sms": ("get_phone_number",),
    "compose_new_email": ("get_email_address",),
    "forward_email": ("get_email_address",),
    "create_calendar_event": ("get_email_address",),
    "get_zoom_meeting_link": ("get_email_address", "create_calendar_event"),
    "summarize_pdf": ("open_and_get_file_path",),
}
"""Tools whose plans rarely do without another one."""


class Classifier(Protocol):
    """Gives each tool a probability of being needed.

    `thresholds` are the probabilities from which tools are offered, as far as they were fitted.
    """

    @property
    def thresholds(self) -> Mapping[str, float]: ...

    async def probabilities(self, text: str) -> Mapping[str, float]:
        """By tool name; tools that it does not know are absent."""
        ...


@dataclass(frozen=True)
class SelectionRules:
    """When a tool is offered to the planner.

    Nothing is selected unless some tool reaches `scope`: no tool can serve the request then. Else
    all that reach their threshold are, with what they need (`needs`), and the best `at_least` in any
    case. A tool without a threshold of its own (`thresholds`) has the common one.
    """

    scope: float = 0.2
    threshold: float = 0.02
    thresholds: Mapping[str, float] = field(default_factory=dict[str, float])
    at_least: int = 3
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NEEDS)


class ClassifierSelector:
    """Tool RAG by a classifier. Tools that the classifier never learnt are always offered."""

    def __init__(self, classifier: Classifier, rules: SelectionRules | None = None) -> None:
        """Without `rules` the usual ones hold, with the thresholds that were fitted to the classifier."""
        self._classifier = classifier
        self._rules = rules or SelectionRules(thresholds=classifier.thresholds)

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        """Choose among `tools`; an empty selection says that none can serve the request."""
        names = [tool.name for tool in tools]
        if not query.strip():
            return Selection((), {})
        known = await self._classifier.probabilities(query)
        scores = {name: known[name] for name in names if name in known}
        unknown = [name for name in names if name not in scores]
        return Selection((*choose(scores, self._rules), *unknown), scores)


def choose(scores: Mapping[str, float], rules: SelectionRules) -> tuple[str, ...]:
    """The tools that the rules select, most probable first."""
    ranked = sorted(scores, key=lambda name: -scores[name])
    if not ranked or scores[ranked[0]] < rules.scope:
        return ()
    chosen = {name for name in ranked if scores[name] >= rules.thresholds.get(name, rules.threshold)}
    chosen |= set(ranked[: rules.at_least])
    # Only what is probable in its own right brings its helpers along: a filled-up place does not.
    certain = [name for name in ranked if scores[name] >= rules.scope]
    chosen |= {need for name in certain for need in rules.needs.get(name, ()) if need in scores}
    return tuple(name for name in ranked if name in chosen)
