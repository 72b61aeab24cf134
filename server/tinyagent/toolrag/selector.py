"""Which tools a request needs: probabilities, a threshold, and two rules that make up for near misses.

Tools that the classifier never learnt are scored by their descriptions (`descriptions`): the best `NEAR`
from `NEAR_SCORE` on are offered besides. Of 42 requests written by hand for 32 invented tools beside the
built-in ones (`tests/support/added_tools.py`), 37 are offered their tool, among 6.1 others on average, and
none is taken to be out of scope; a planner that finds nothing fitting is asked again with every tool.
Requests that the built-in tools serve are offered one added tool each on average. From a score of 0.5 on,
which is when an answer speaks of a tool that cannot be used, there are 34 of the 42.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tinyagent.domain.tools import ToolSpec
from tinyagent.ports import Selection
from tinyagent.toolrag.descriptions import Descriptions

NEAR = 8
"""How many tools that the classifier never learnt are offered at most."""
NEAR_SCORE = 0.3
"""From this score on they are."""

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
    """Tool RAG by a classifier, and by descriptions for the tools that it never learnt.

    Without `descriptions` those are always offered.
    """

    def __init__(
        self,
        classifier: Classifier,
        rules: SelectionRules | None = None,
        descriptions: Descriptions | None = None,
    ) -> None:
        """Without `rules` the usual ones hold, with the thresholds that were fitted to the classifier."""
        self._classifier = classifier
        self._rules = rules or SelectionRules(thresholds=classifier.thresholds)
        self._descriptions = descriptions

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        """Choose among `tools`; an empty selection says that none can serve the request."""
        if not query.strip():
            return Selection((), {})
        known = await self._classifier.probabilities(query)
        scores = {tool.name: known[tool.name] for tool in tools if tool.name in known}
        chosen = choose(scores, self._rules)
        others = [tool for tool in tools if tool.name not in known]
        if self._descriptions is None:
            return Selection((*chosen, *(tool.name for tool in others)), scores)
        near = await self._descriptions.scores(query, others, list(known))
        nearest = sorted(near, key=lambda name: -near[name])[:NEAR]
        chosen = (*chosen, *(name for name in nearest if near[name] >= NEAR_SCORE))
        scores |= near
        return Selection(tuple(sorted(chosen, key=lambda name: -scores[name])), scores)


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
