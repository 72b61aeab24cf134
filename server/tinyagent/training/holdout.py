"""Write the requests of one part as evaluation cases: `python -m tinyagent.training.holdout --part test ...`.

The result is what `tinyagent eval` takes; no training ever sees these requests or variants of them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tinyagent.training.rows import read_requests
from tinyagent.training.split import part_of


def write_part(natural: Path, part: str, out: Path) -> int:
    """Write the part's requests as JSONL; their number."""
    requests = read_requests(sorted(natural.glob("*.jsonl")))
    chosen = [request for request in requests if part_of(request.identifier) == part]
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
    parser.add_argument("--natural", type=Path, required=True, help="folder of natural requests (JSONL)")
    parser.add_argument("--part", choices=("dev", "test"), default="test")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    print(f"{write_part(options.natural, options.part, options.out)} requests in {options.out}")


if __name__ == "__main__":
    main()
