"""The graph of a plan: which calls need which, and whether two plans have the same shape.

The success rate of the TinyAgent paper (arXiv:2409.00608) is isomorphism of these graphs with
tool names as labels. Every reference in every string counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinyagent.domain.plan import Call

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class PlanGraph:
    """Calls by number, and for each the numbers of the calls that it needs."""

    calls: Mapping[int, Call]
    needs: Mapping[int, frozenset[int]]

    @classmethod
    def of(cls, calls: Sequence[Call]) -> PlanGraph:
        """The graph of these calls; `join` is no node."""
        nodes = {call.index: call for call in calls if not call.is_join}
        return cls(nodes, {index: call.references & nodes.keys() for index, call in nodes.items()})

    def as_networkx(self) -> nx.DiGraph[int]:
        """The graph for networkx: nodes carry `tool`, edges go from result to user."""
        import networkx as nx  # only the evaluation needs it; the server starts without

        graph: nx.DiGraph[int] = nx.DiGraph()
        for index, call in self.calls.items():
            graph.add_node(index, tool=call.tool)
        graph.add_edges_from((need, index) for index, needs in self.needs.items() for need in needs)
        return graph


def isomorphisms(one: PlanGraph, other: PlanGraph) -> Iterator[dict[int, int]]:
    """All ways to match the calls of `one` with those of `other`, tool by tool, edge by edge."""
    from networkx.algorithms.isomorphism import DiGraphMatcher

    if len(one.calls) != len(other.calls):
        return  # networkx matches an empty graph with any other

    def same_tool(left: dict[str, Any], right: dict[str, Any]) -> bool:
        return left["tool"] == right["tool"]

    matcher = DiGraphMatcher(one.as_networkx(), other.as_networkx(), node_match=same_tool)
    yield from matcher.isomorphisms_iter()


def isomorphic(one: PlanGraph, other: PlanGraph) -> bool:
    """Whether both plans call the same tools in the same order of dependence."""
    return next(isomorphisms(one, other), None) is not None
