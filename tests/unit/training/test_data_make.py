"""The offline data set and its card: apart by phrasing and by filling, sound, and the same every time."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyagent.errors import InvalidRequest, StorageFull
from tinyagent.evaluation.cases import read_cases
from tinyagent.planners.inner import DraftCall
from tinyagent.training import materialise, storage
from tinyagent.training.card import write_card
from tinyagent.training.card_traits import Typos, date_kind, manner, skeleton
from tinyagent.training.corpus import Corpus, read_corpus
from tinyagent.training.data_check import check_file
from tinyagent.training.data_files import make_files
from tinyagent.training.materialise import Materialiser, Sizes
from tinyagent.training.near import NearIndex, normalised
from tinyagent.training.recombine import Pools
from tinyagent.training.rows import Row
from tinyagent.training.split import Part
from tinyagent.training.variants import Variants, leads_back, pools_without

DATA = Path(__file__).parents[3] / "training" / "data"
SIZES = Sizes(420, 40, 50)


@pytest.fixture(scope="module")
def whole() -> Corpus:
    return read_corpus(DATA)


@pytest.fixture(scope="module")
def corpus(whole: Corpus) -> Corpus:
    """A slice of the project's corpus."""
    train, dev, test = (whole.parts[part] for part in ("train", "dev", "test"))
    return Corpus({"train": train[::40], "dev": dev[::15], "test": test[::20]}, 0)


@pytest.fixture(scope="module")
def made(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made")
    make_files(corpus, out, SIZES, seed=3)
    return out


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_files_are_sound_cases_for_the_evaluation(made: Path) -> None:
    for part, size in (("train", SIZES.train), ("dev", SIZES.dev), ("test", SIZES.test)):
        path = made / f"{part}.jsonl"
        cases, faults = read_cases(path)
        report = check_file(path)
        assert (len(cases), faults, report.faults) == (size, [], [])
        assert {str(row["source"]) for row in rows(path)} <= {"natural", "written"}
    assert sorted(path.name for path in made.iterdir()) == ["dev.jsonl", "test.jsonl", "train.jsonl"]


def test_originals_come_first_and_no_request_comes_twice(made: Path, corpus: Corpus) -> None:
    found = rows(made / "train.jsonl")
    tags = [row["tags"] == ["original"] for row in found]
    assert tags == sorted(tags, reverse=True)
    assert sum(tags) == len(corpus.parts["train"])
    kinds = {tag for row in found for tag in row["tags"]}  # type: ignore[attr-defined]
    assert kinds == {"original", "swapped", "joined", "disguised"}
    everything = [
        normalised(str(row["query"])) for part in Part.__args__ for row in rows(made / f"{part}.jsonl")
    ]
    assert len(set(everything)) == len(everything)


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(corpus: Corpus, tmp_path: Path) -> None:
    def digests(name: str, seed: int) -> list[str]:
        return [file.sha256 for file in make_files(corpus, tmp_path / name, Sizes(260, 30, 40), seed)]

    assert digests("a", 1) == digests("b", 1)
    assert digests("c", 2) != digests("a", 1)


def test_no_training_row_comes_near_to_one_of_another_part(made: Path) -> None:
    aside = NearIndex(str(row["query"]) for part in ("dev", "test") for row in rows(made / f"{part}.jsonl"))
    variants = [row for row in rows(made / "train.jsonl") if row["tags"] != ["original"]]
    assert variants
    assert not [row["query"] for row in variants if aside.has_near(str(row["query"]))]


def test_variants_kept_aside_are_filled_with_what_training_does_not_have(corpus: Corpus) -> None:
    known = Pools.of(corpus.rows("train"))
    taken = {(shape.split()[0], text.lower()) for shape, texts in known.fillings.items() for text in texts}
    pools = pools_without(corpus.rows("test"), known)
    left = {(shape.split()[0], text.lower()) for shape, texts in pools.fillings.items() for text in texts}
    own = {(s.split()[0], t.lower()) for s, ts in Pools.of(corpus.rows("test")).fillings.items() for t in ts}
    assert left == own - taken
    assert left
    assert own & taken


def test_a_corpus_that_cannot_give_more_gives_what_it_can(corpus: Corpus) -> None:
    unserved = [entry for part in corpus.parts.values() for entry in part if not entry.row.calls]
    entry = max(unserved, key=lambda entry: len(entry.request.query))
    maker = Materialiser(Corpus({"train": (entry,), "dev": (entry,), "test": ()}, 0), 0)
    assert list(maker.rows("test", 5)) == []
    assert [variant.tags for variant in maker.rows("train", 20)] == [("original",)]


def test_fewer_rows_than_originals_are_originals(corpus: Corpus) -> None:
    found = list(Materialiser(corpus, 0).rows("train", 5))
    assert [variant.tags for variant in found] == [("original",)] * 5


def test_rows_of_a_grammar_take_their_share_and_are_checked(corpus: Corpus) -> None:
    def grammar(part: Part, count: int, seed: int) -> list[Row]:
        good = [
            Row(f"open the note {part} {n}", (DraftCall("open_note", {"name": f"{part} {n}"}),))
            for n in range(count)
        ]
        return [*good, Row("open it", (DraftCall("open_note", {"name": "elsewhere"}),))]

    originals = len(corpus.parts["dev"])
    found = list(Materialiser(corpus, 0, grammar).rows("dev", originals + 20))
    from_grammar = [variant for variant in found if variant.source == "grammar"]
    assert len(from_grammar) == round(20 * materialise.GRAMMAR_SHARE)
    assert from_grammar[0].request.plan == '1. open_note("dev 0", "")\n2. join()<END_OF_PLAN>'


def test_requests_joined_mean_together_what_they_mean_alone(corpus: Corpus) -> None:
    maker = Materialiser(corpus, 7)
    joined = [variant for variant in maker.rows("train", 420) if "joined" in variant.tags]
    assert len(joined) > 10
    assert all(variant.request.plan.count("join()") == 1 for variant in joined)


def test_nearly_all_natural_requests_lead_back_to_their_plans(whole: Corpus) -> None:
    natural = [entry for entry in whole.parts["dev"] if entry.source == "natural"]
    assert sum(map(leads_back, natural)) > 0.98 * len(natural)


def test_no_room_on_the_disk_is_told_before_anything_is_made(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(StorageFull, match="has room for"):
        make_files(corpus, tmp_path / "out", Sizes(10**13, 1, 1), 0)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRequest, match="cannot be written: Not a directory"):
        make_files(corpus, tmp_path / "file" / "out", Sizes(1, 1, 1), 0)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), StorageFull),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_what_was_there_stays_when_making_breaks_off(
    corpus: Corpus, tmp_path: Path, failure: BaseException, told: type[BaseException]
) -> None:
    (tmp_path / "dev.jsonl").write_text("old")
    count = iter(range(100))

    def advance() -> None:
        if next(count) == 12:
            raise failure

    with pytest.raises(told):
        make_files(corpus, tmp_path, Sizes(10, 10, 10), 0, advance=advance)
    assert [path.name for path in tmp_path.iterdir()] == ["dev.jsonl"]
    assert (tmp_path / "dev.jsonl").read_text() == "old"


def test_variants_of_nothing_are_none(corpus: Corpus) -> None:
    import random

    none: Iterator[object] = iter(Variants([], Pools(), materialise.Shares(0.4), random.Random(0)))
    assert list(none) == []


# --- the card --------------------------------------------------------------------------------


def test_a_skeleton_names_what_stands_in_the_slots() -> None:
    row = Row(
        "Text Ann, not Anna, on Friday: mail me at a@b.example",
        (
            DraftCall("get_phone_number", {"name": "Ann"}),
            DraftCall("create_reminder", {"due_date": "Friday"}),
        ),
    )
    assert skeleton(row) == "text <person>, not anna, on <date>: mail me at <address>"


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("a\nb", "list"),
        ("Do: 1) this 2) that", "prose"),
        ("- a\n- b", "list"),
        ("text ann hi", "spoken"),
        ("Text Ann.", "prose"),
    ],
)
def test_the_manner_of_a_request(query: str, kind: str) -> None:
    assert manner(query) == kind


@pytest.mark.parametrize(
    ("phrase", "kind"),
    [
        ("next Friday at 3", "weekday"), ("in two hours", "in so much time"),
        ("the twelfth", "day of a month"),
        ("3 May", "day of a month"), ("tomorrow", "today, tonight or tomorrow"), ("45 min", "duration"),
        ("half an hour before", "relative to another moment"), ("noon", "time of day alone"),
        ("Epiphany", "other"),
    ],
)  # fmt: skip
def test_the_kind_of_a_date_phrase(phrase: str, kind: str) -> None:
    assert date_kind(phrase) == kind


def test_a_typo_is_a_rare_word_one_slip_from_a_common_one() -> None:
    typos = Typos([*["remind me please"] * 30, "remnid me", "remainder"])
    assert typos.in_query(Row("remnid me", ()))
    assert not typos.in_query(Row("remind me", ()))
    assert not typos.in_query(Row("remainder", ()))


def test_the_card_is_the_one_that_lies_beside_the_data(whole: Corpus) -> None:
    text = write_card(DATA, whole)
    assert text == (DATA / "README.md").read_text("utf-8"), (
        "run `tinyagent data card` as the card itself says"
    )
    assert f"| all | {sum(map(len, whole.parts.values()))} |" in text


def test_a_changed_file_changes_the_checksum(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "written").mkdir()
    path = tmp_path / "written" / "a.txt"
    path.write_text("sing\n")
    before = write_card(tmp_path, corpus)
    path.write_text("sing!\n")
    assert before != write_card(tmp_path, corpus)
    path.write_text("sing\n")
    assert before == write_card(tmp_path, corpus)


def test_a_folder_without_requests_has_a_card_too(tmp_path: Path) -> None:
    empty = Corpus({"train": (), "dev": (), "test": ()}, 0)
    assert "| all | 0 | 0 | 0 | 0 |" in write_card(tmp_path, empty)


def test_a_whole_text_replaces_a_file_or_leaves_it(tmp_path: Path) -> None:
    storage.write_whole(tmp_path / "a" / "b.md", "x")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.md"]
    with pytest.raises(InvalidRequest, match="cannot be written"):
        storage.write_whole(tmp_path / "a" / "b.md" / "c.md", "x")
