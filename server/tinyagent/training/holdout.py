"""Write the requests of one part as evaluation cases: `python -m tinyagent.training.holdout --part test ...`.

The result is what `tinyagent eval` takes; no training ever sees these requests or variants of them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tinyagent.training.corpus import read_corpus
from tinyagent.training.split import Part


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
            },
            ensure_ascii=False,
        )
        for request in chosen
    ]
    out.write_text("\n".join(lines) + "\n", "utf-8")
    return len(chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of requests (natural/, written/)")
    parser.add_argument("--source", choices=("natural", "written"), default="", help="only these")
    parser.add_argument("--part", choices=("dev", "test"), default="test")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    print(f"{write_part(options.data, options.part, options.source, options.out)} requests in {options.out}")


if __name__ == "__main__":
    main()
