"""Write the requests of one part as evaluation cases: `python -m tinyagent.training.holdout --part test ...`.

The result is what `tinyagent eval` takes; no training ever sees these requests or variants of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinyagent.errors import InvalidRequest
from tinyagent.training.corpus import read_corpus
from tinyagent.training.jsonl import read_rows, tell_faults, text_of
from tinyagent.training.rows import Request
from tinyagent.training.script import run, tell
from tinyagent.training.split import Part, part_of
from tinyagent.training.storage import write_whole


def write_part(data: Path, part: Part, source: str, out: Path) -> int:
    """Write the part's requests from one source ("" for all) as JSONL; their number.

    Raises InvalidRequest when there are none, or StorageFull or InvalidRequest for `out`.
    """
    entries = read_corpus(data, tell, needed=part).parts[part]
    chosen = [entry.request for entry in entries if source in ("", entry.source)]
    if not chosen:
        raise InvalidRequest(
            f"{data} holds no {source} request for {part}.", hint="Choose another --source or --part."
        )
    return _write(out, [_case(request) for request in chosen])


def _case(request: Request) -> dict[str, object]:
    return {
        "id": request.identifier,
        "now": request.now.isoformat(sep=" ", timespec="minutes"),
        "query": request.query,
        "plan": request.plan,
        "tags": request.tags,
    }


def write_labelled(labelled: Path, out: Path) -> int:
    """Write those real requests with acceptable tools that training leaves aside; their number."""
    rows, faults = read_rows(labelled, lambda raw: (text_of(raw, "text"), raw))
    tell_faults(faults, tell)
    kept = [raw for text, raw in rows if part_of(text) != "train"]
    if not kept:
        raise InvalidRequest(
            f"{labelled} holds no request that training leaves aside.",
            hint='Each line is a JSON object with "text" and "accept"; one in ten is left aside.',
        )
    return _write(out, kept)


def _write(out: Path, rows: Sequence[Mapping[str, object]]) -> int:
    write_whole(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return len(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write. Raises a TinyAgentError with what to do for what cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--data", type=Path, help="folder of requests (natural/, written/)")
    given.add_argument("--labelled", type=Path, help="real requests with acceptable tools (JSONL)")
    parser.add_argument("--source", choices=("natural", "written"), help="only these of --data")
    parser.add_argument("--part", choices=("dev", "test"), help="of --data; test when left out")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.labelled and (options.source or options.part):
        parser.error("--source and --part belong to --data")
    if options.labelled:
        count = write_labelled(options.labelled, options.out)
    else:
        count = write_part(options.data, options.part or "test", options.source or "", options.out)
    print(f"{count} requests in {options.out}")


if __name__ == "__main__":
    sys.exit(run(main))
