"""Written requests: read, dated, checked, and parted with their variations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyagent.domain.plan_parser import parse_plan
from tinyagent.training.authoring import Written, main, read_folder, read_written
from tinyagent.training.corpus import read_corpus, without_near
from tinyagent.training.script import run
from tinyagent.training.split import part_of

ROOT = Path(__file__).parents[3]
WRITTEN = ROOT / "training" / "data" / "written"


def blocks(tmp_path: Path, text: str) -> tuple[list[Written], list[str]]:
    path = tmp_path / "blocks.txt"
    path.write_text(text, "utf-8", "surrogateescape")
    written, faults = read_written(path)
    return written, [str(fault) for fault in faults]


def test_dates_follow_from_the_words_of_the_request(tmp_path: Path) -> None:
    (written,), faults = blocks(
        tmp_path,
        "On Thursday I need the vet in my calendar, 4 pm, for half an hour\n"
        '= create_calendar_event("Vet", start_date="Thursday + 4 pm", end_date="half an hour")\n',
    )
    request = written.request()
    assert faults == []
    (call,) = parse_plan(request.plan).calls
    start, end = str(call.arguments[1]), str(call.arguments[2])
    assert start.endswith("16:00:00")
    assert end.endswith("16:30:00")
    assert start[:10] > request.now.date().isoformat()
    assert written.request() == request


def test_an_event_takes_over_the_words_of_its_zoom_meeting(tmp_path: Path) -> None:
    (written,), _ = blocks(
        tmp_path,
        "zoom with Ann tomorrow at 3 about rent\n"
        '= get_email_address("Ann")\n'
        '= get_zoom_meeting_link("Rent", start_time="tomorrow at 3", meeting_invitees=["$1"])\n'
        '= create_calendar_event("Rent", start_date="tomorrow at 3", invitees=["$1"], notes="$2")\n',
    )
    zoom, event = parse_plan(written.request().plan).calls[1:]
    assert event.arguments[:2] == zoom.arguments[:2]
    assert event.arguments[4] == zoom.arguments[3]
    assert written.calls[2].arguments == {"notes": "$2"}


def test_today_is_never_over_when_a_request_speaks_of_an_hour(tmp_path: Path) -> None:
    text = "\n".join(
        f'ring {name} today at 3\n= create_reminder("Ring {name}", due_date="today at 3")\n'
        for name in ("Ann", "Bo", "Cyn", "Dov", "Eve", "Fay", "Gus", "Hal")
    )
    for written in blocks(tmp_path, text)[0]:
        request = written.request()
        due = str(parse_plan(request.plan).calls[0].arguments[1])
        assert due > request.now.isoformat(sep=" ")


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ('text Ann hi\n= get_phone_number("Bob")', '"Bob" is not in the request'),
        ('text Ann hi\n= send_sms(["$1"], "Hi")', "refers to $1, which is no earlier call"),
        ('open a.pdf\n= open_and_get_file_path("a.pdf")\n= summarize_pdf("$1", "x")', "too many arguments"),
        ('wake me at 7\n= create_reminder("Wake", due_date="at 8")', 'the words "8" of due_date'),
        ('call it foo\n= create_reminder("Foo", due_date="call it")', "call it"),
        ("do it\n= launch_rocket()", "not a call of a tool"),
        ("do it\n= create_note(", "not readable"),
        ('mail x\n= compose_new_email(["Ann"], subject="x")', "neither a literal address or number"),
        ("= create_note(\"x\")", "begins with its request"),
        ("mail\udcff", "not UTF-8"),
        ("note: " + "a" * 1_000_001, "longer than"),
        ("do it\n= create_note(" + "-" * 50_000 + "1)", "not readable"),
        ("do it\n= create_note({[]: 1})", "neither a text nor"),
    ],
)  # fmt: skip
def test_a_fault_names_its_line_and_the_rest_is_used(tmp_path: Path, block: str, reason: str) -> None:
    good = 'note: milk\n= create_note("Milk")\n'
    written, faults = blocks(tmp_path, f"{good}\n{block}\n")
    assert [item.query for item in written] == ["note: milk"]
    assert len(faults) == 1
    assert faults[0].startswith(f"{tmp_path / 'blocks.txt'}, line 4: ")
    assert reason in faults[0]


def test_the_report_ends_with_an_error_when_there_are_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("note: milk\n= create_note()\n", "utf-8")
    assert main([str(path)]) == 1
    assert "1 faults" in capsys.readouterr().out
    assert run(lambda: main([str(tmp_path / "none.txt")])) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_variations_stay_in_one_part(tmp_path: Path) -> None:
    written, _ = blocks(tmp_path, "play jazz\n\n~ play rock\n\n~ play soul\n\nwhat time is it\n")
    assert len({item.group for item in written[:3]}) == 1
    assert written[3].group != written[0].group


def test_the_projects_written_requests_have_no_faults() -> None:
    written, faults = read_folder(WRITTEN)
    assert [str(fault) for fault in faults] == []
    assert len(written) > 3000
    assert len({part_of(item.group) for item in written}) == 3


def test_no_training_request_shares_its_phrasing_with_one_kept_aside() -> None:
    corpus = read_corpus(ROOT / "training" / "data")
    train = corpus.parts["train"]
    aside = [entry.request.query for part in ("dev", "test") for entry in corpus.parts[part]]
    assert len(without_near(train, aside)) == len(train)
    sample = train[:3]
    assert without_near(sample, [sample[0].request.query]) == sample[1:]
