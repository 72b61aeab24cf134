"""Names, quotes and subjects in the public plan: what rules and the request decide over a model's copy."""

from __future__ import annotations

from datetime import datetime

import pytest

from tinyagent.domain.plan import format_call
from tinyagent.planners.inner import DraftCall, PlanCompiler

NOW = datetime(2026, 3, 4, 10, 0)  # a Wednesday


def _lines(query: str, *drafts: DraftCall) -> list[str]:
    compiler = PlanCompiler(query, NOW)
    return [format_call(compiler.compile(draft)) for draft in drafts]


def _looked_up(name: str, query: str) -> str:
    (line,) = _lines(query, DraftCall("get_phone_number", {"name": name}))
    return line.removeprefix('1. get_phone_number("').removesuffix('")')


@pytest.mark.parametrize(
    ("copied", "name"),
    [
        ("sitter Pia", "Pia"),
        ("my cousin Bahram", "Bahram"),
        ("7B's teaching assistant Precious", "Precious"),
        ("school office", "school office"),
        ("doctor Adeyemi", "doctor Adeyemi"),
        ("admissions at Cardiff", "admissions at Cardiff"),
        ("Mrs. Oyelaran", "Mrs. Oyelaran"),
    ],
)
def test_of_a_relation_and_a_name_the_name_is_looked_up(copied: str, name: str) -> None:
    assert _looked_up(copied, f"please text {copied} now") == name


def test_a_title_before_the_name_is_looked_up_with_it() -> None:
    assert _looked_up("Zbyszek", 'make a note; text Uncle Zbyszek "bring it"') == "Uncle Zbyszek"
    assert _looked_up("Ann", "and ask Mr. Ann") == "Mr. Ann"


@pytest.mark.parametrize(
    "query",
    [
        "Text Ann I'm late",
        "Meet at the Cenotaph. Ask Ann",
        "Lunch. Ann pays",
        "send it Cc Ann",
        "tell Bob AND Ann",
        "text Inés Ann's number",
        "ask Epilepsy Nurse Ann",
    ],
)
def test_a_capital_that_is_no_title_stays_out_of_the_name(query: str) -> None:
    assert _looked_up("Ann", query) == "Ann"


def test_words_lost_from_a_copied_name_come_back() -> None:
    file = DraftCall("open_and_get_file_path", {"file_name": "Wiring REV C.pdf"})
    assert _lines("open Wiring diagram REV C.pdf", file) == [
        '1. open_and_get_file_path("Wiring diagram REV C.pdf")'
    ]
    far = DraftCall("maps_open_location", {"location": "Bath station"})
    assert _lines("in Bath we look for the way to the old station", far) == [
        '1. maps_open_location("Bath station")'
    ]


def test_a_dictated_text_is_the_whole_quote() -> None:
    sms = DraftCall("send_sms", {"recipients": ["$1"], "message": "Brown whippet, last seen by the weir"})
    query = "Text 'Brown whippet, answers to Pickle, last seen by the weir' to Loretta"
    assert "Brown whippet, answers to Pickle, last seen by the weir" in _lines(query, sms)[0]


def test_a_text_with_words_of_its_own_is_no_part_of_a_quote() -> None:
    sms = DraftCall("send_sms", {"recipients": ["$1"], "message": "Float counted twice"})
    assert "Float counted twice" in _lines("tell her about 'float counted, all correct'", sms)[0]


def test_a_text_that_also_stands_outside_the_quote_is_left_alone() -> None:
    note = DraftCall("append_note_content", {"name": "Meters", "content": "40 218"})
    query = "mail 'reading agreed, 40 218', then log 40 218 in my Meters note"
    assert '"40 218"' in _lines(query, note)[0]


def test_an_apostrophe_opens_no_quote() -> None:
    reply = DraftCall("reply_to_email", {"context": "data before Jan 8 invalid"})
    query = "'tis forgiven, tell him he's fine; reply 'data before Jan 8 invalid'"
    assert '"data before Jan 8 invalid"' in _lines(query, reply)[0]


def test_lost_words_of_a_message_come_back() -> None:
    sms = DraftCall("send_sms", {"recipients": ["$1"], "message": "I'll be twenty minutes late."})
    query = "text ann that I'll be maybe twenty minutes late for pickup"
    assert "I'll be maybe twenty minutes late." in _lines(query, sms)[0]


def _subject(query: str, written: str, *before: DraftCall, context: str = "", attach: str = "") -> str:
    mail = {"recipients": ["ann@x.example"], "subject": written, "context": context, "attachments": [attach]}
    *_, line = _lines(
        query, *before, DraftCall("compose_new_email", {k: v for k, v in mail.items() if v != [""]})
    )
    return line.split("[], ", 1)[1].split(",")[0].strip('"')


def test_a_mail_with_one_file_is_titled_after_the_file_and_not_after_another_call() -> None:
    before = (
        DraftCall("open_and_get_file_path", {"file_name": "witness_list_v2.rtf"}),
        DraftCall("create_calendar_event", {"title": "Witness hearing", "start_date": "friday at 3"}),
    )
    assert _subject("mail it", "Witness hearing", *before, attach="$1") == "Witness list"
    assert _subject("mail it", "Laptop", *before, attach="$1") == "Witness list"
    assert _subject("mail it", "Our witnesses, list", *before, attach="$1").startswith("Our witnesses")


def test_a_mail_with_a_note_is_titled_after_it() -> None:
    note = DraftCall("open_note", {"name": "Tent inventory"})
    assert _subject("mail it", "Trees", note, context="$1") == "Tent inventory"


def test_a_subject_that_says_what_the_mail_says_is_kept() -> None:
    file = DraftCall("open_and_get_file_path", {"file_name": "order.pdf"})
    assert _subject("mail it", "Meet Amina", file, context="Come and meet Amina", attach="$1") == "Meet Amina"


def test_a_file_in_the_subject_of_its_summary_is_named_as_people_say_it() -> None:
    summary = DraftCall("summarize_pdf", {"pdf_path": "/docs/customs_query_88.pdf"})
    assert _subject("sum it up", "Summary of customs_query_88.pdf", summary, context="$1") == (
        "Summary of customs query 88"
    )


def test_a_subject_that_the_user_gives_is_kept() -> None:
    before = DraftCall("open_and_get_file_path", {"file_name": "x.pdf"})
    assert _subject("mail x.pdf, subject 'Trees'", "Trees", before, attach="$1") == "Trees"


def test_a_mail_that_carries_two_results_keeps_its_subject() -> None:
    before = (DraftCall("open_note", {"name": "A"}), DraftCall("open_note", {"name": "B"}))
    assert _subject("mail both", "Trees", *before, context="$1 $2") == "Trees"
