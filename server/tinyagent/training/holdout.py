"""Write the requests of one part as evaluation cases: `python -m tinyagent.training.holdout --part test ...`.

The result is what `tinyagent eval` takes; no training ever sees these requests or variants of them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tinyagent.training.corpus import read_corpus
from tinyagent.training.split import Part, part_of


def write_part(data: Path, part: Part, source: str, out: Path) -> int:
    """Write the part's requests from one source ("" for all) as JSONL; their number."""
    entries = read_corpus(data).parts[part]
    chosen = [entry.request for entry in entries if source in ("", entry.source)]
    lines = [
        json.dumps(
            {
                "id": request.identifier,
                "now": request.now.isoformat(sep=" ", timespec="minutes"),
                "query": request.query,
                "plan": request.plan,
                "tags": request.tags,
            },
            ensure_ascii=False,
        )
        for request in chosen
    ]
    out.write_text("\n".join(lines) + "\n", "utf-8")
    return len(chosen)


def write_labelled(labelled: Path, out: Path) -> int:
    """Write those real requests with acceptable tools that training leaves aside; their number."""
    lines = labelled.read_text("utf-8").splitlines()
    kept = [line for line in lines if part_of(json.loads(line)["text"]) != "train"]
    out.write_text("\n".join(kept) + "\n", "utf-8")
    return len(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--data", type=Path, help="folder of requests (natural/, written/)")
    given.add_argument("--labelled", type=Path, help="real requests with acceptable tools (JSONL)")
    parser.add_argument("--source", choices=("natural", "written"), default="", help="only these")
    parser.add_argument("--part", choices=("dev", "test"), default="test")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.labelled:
        count = write_labelled(options.labelled, options.out)
    else:
        count = write_part(options.data, options.part, options.source, options.out)
    print(f"{count} requests in {options.out}")


if __name__ == "__main__":
    main()
