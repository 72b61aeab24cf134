"""The files of a made data set: written beside their place, checked for room, and put there together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyagent.training.corpus import Corpus
from tinyagent.training.materialise import GrammarRows, Materialiser, Sizes
from tinyagent.training.split import Part
from tinyagent.training.storage import cannot_write, prepare_folder
from tinyagent.training.variants import Variant

_BYTES_A_ROW = 900
"""More than a row takes on average."""
_ORDER: tuple[Part, ...] = ("dev", "test", "train")


@dataclass(frozen=True)
class MadeFile:
    """A file of the data set: its rows and the SHA-256 of its content."""

    path: Path
    rows: int
    wanted: int
    sha256: str


def make_files(
    corpus: Corpus,
    out: Path,
    sizes: Sizes,
    seed: int,
    grammar: GrammarRows | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[MadeFile]:
    """Write `train.jsonl`, `dev.jsonl` and `test.jsonl`; all of them or none. `advance` is called per row.

    Raises StorageFull when there is no room, InvalidRequest when `out` cannot be written.
    """
    prepare_folder(out, sum(sizes.of(part) for part in _ORDER) * _BYTES_A_ROW, "the data set")
    maker = Materialiser(corpus, seed, grammar)
    partial = {part: out / f"{part}.jsonl.partial" for part in _ORDER}
    try:
        made = [
            _write(partial[part], maker.rows(part, sizes.of(part)), sizes.of(part), advance)
            for part in _ORDER
        ]  # train is last: it keeps its distance to the others
        for part in _ORDER:
            partial[part].replace(out / f"{part}.jsonl")
    except OSError as error:
        raise cannot_write(out, error) from error
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)
    return made


def _write(path: Path, rows: Iterable[Variant], wanted: int, advance: Callable[[], None]) -> MadeFile:
    digest, count = hashlib.sha256(), 0
    with path.open("wb") as file:
        for variant in rows:
            line = json.dumps(_record(variant), ensure_ascii=False).encode() + b"\n"
            file.write(line)
            digest.update(line)
            count += 1
            advance()
    return MadeFile(path.with_suffix(""), count, wanted, digest.hexdigest())


def _record(variant: Variant) -> Mapping[str, object]:
    request = variant.request
    return {
        "id": request.identifier,
        "now": request.now.isoformat(sep=" ", timespec="minutes"),
        "query": request.query,
        "plan": request.plan,
        "source": variant.source,
        "tags": list(variant.tags),
    }
