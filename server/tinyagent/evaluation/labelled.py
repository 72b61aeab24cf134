"""Tool RAG on labelled requests, taken up again where it was stopped, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from tinyagent.domain.tools import ToolSpec
from tinyagent.evaluation.intervals import Estimate, bootstrap
from tinyagent.evaluation.jsonl import FaultyLine
from tinyagent.evaluation.ledger import Ledger, Row
from tinyagent.evaluation.subjects import Progress, file_digest
from tinyagent.evaluation.toolrag import (
    LabelledRequest,
    Retrieved,
    ToolRagReport,
    read_requests,
    retrieve,
    summarize,
)
from tinyagent.ports import ToolSelector


@dataclass(frozen=True)
class LabelledFigures:
    """The figures of Tool RAG on one file of labelled requests; None where there was nothing to count."""

    file: str
    faulty_lines: int
    report: ToolRagReport
    served_found: Estimate | None
    out_of_scope_declined: Estimate | None


@dataclass(frozen=True)
class LabelledFile:
    """The labelled requests of a file; `sha256` is that of the whole file, whatever part of it is used."""

    path: Path
    sha256: str
    requests: list[LabelledRequest]
    faults: list[FaultyLine]


def read_labelled_file(path: Path, limit: int | None) -> LabelledFile:
    """The first `limit` requests of a file, or all. Raises InvalidRequest."""
    requests, faults = read_requests(path)
    return LabelledFile(path, file_digest(path), requests[:limit], faults)


async def labelled_figures(
    file: LabelledFile,
    selector: ToolSelector,
    digest: str,
    tools: Sequence[ToolSpec],
    folder: Path,
    progress: Progress,
) -> LabelledFigures:
    """Select tools for all requests; those in `folder`'s ledger are not done again.

    `digest` changes with whatever `selector` is made of. Raises InvalidRequest.
    """
    requests = file.requests
    identity = {"requests": file.sha256, "digest": digest}
    ledger = Ledger(folder, f"Tool RAG on {file.path.stem}", identity)
    rows = {key: row for key, row in ledger.rows().items() if _usable(row)}
    missing = [number for number in range(len(requests)) if str(number) not in rows]
    if missing:
        with ledger.appending(rows) as append, progress(f"{file.path.stem}: Tool RAG", len(missing)) as bar:
            retrieved = retrieve([requests[number] for number in missing], selector, tools)
            async with aclosing(retrieved) as results:
                done = iter(missing)
                async for result in results:
                    number = str(next(done))
                    rows[number] = _row(number, result)
                    append(rows[number])
                    bar.advance()
    results = [
        Retrieved(request, tuple(rows[str(number)]["tools"]), rows[str(number)]["milliseconds"])
        for number, request in enumerate(requests)
    ]
    return _figures(file.path.name, len(file.faults), results)


def _row(number: str, result: Retrieved) -> Row:
    return {"id": number, "tools": list(result.tools), "milliseconds": result.milliseconds}


def _usable(row: Row) -> bool:
    return isinstance(row.get("tools"), list) and isinstance(row.get("milliseconds"), (int, float))


def _figures(name: str, faulty_lines: int, results: Sequence[Retrieved]) -> LabelledFigures:
    served = [bool(one.request.accept.intersection(one.tools)) for one in results if one.request.accept]
    declined = [not one.tools for one in results if not one.request.accept]
    return LabelledFigures(
        name,
        faulty_lines,
        summarize(results),
        bootstrap(served) if served else None,
        bootstrap(declined) if declined else None,
    )
