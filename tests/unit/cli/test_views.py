"""A run as lines, as a picture and as JSON."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from tests.unit.cli.runs import Script, ambiguous_run, good_run
from tinyagent.cli.ask import everything_done
from tinyagent.cli.rendering import arguments_text, outcome_view, run_view
from tinyagent.cli.views import JsonView, LiveView, PlainView, View, choose_view
from tinyagent.domain.events import EVENT, Fault
from tinyagent.domain.run import fold


def play(view: View, script: Script) -> None:
    state = None
    with view:
        for event in script.events:
            state = fold([event], state)
            assert state is not None
            view.show(event, state)
    assert state is not None
    view.conclude(state)


def terminal() -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, force_terminal=True, width=80, highlight=False), file


def test_plain_lines_tell_tools_calls_results_and_answer(capsys: pytest.CaptureFixture[str]) -> None:
    play(PlainView(), good_run())
    assert capsys.readouterr().out.splitlines() == [
        "tools: get_phone_number, send_sms",
        "1. get_phone_number: “Ann”",
        "1. ✓ get_phone_number succeeded (20 ms): Ann has the number +14155550101.",
        "2. send_sms: [+14155550101], “Dinner at seven”",
        "2. ✓ send_sms succeeded (10 ms): The message to Ann is a draft. file:///drafts/1",
        "",
        "The message to Ann is a draft.",
    ]


def test_plain_lines_hold_no_control_codes(capsys: pytest.CaptureFixture[str]) -> None:
    play(PlainView(), ambiguous_run())
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "  • Maria Santos\n  • Maria K[2J\nSay which." in shown
    assert "2. – send_sms skipped: It needs call 1." in shown


def waiting_run() -> Script:
    """A message that waits for an approval."""
    script = Script()
    script.created()
    script.planned(1, "send_sms", ["+14155550101"], "Dinner at seven")
    script.asked(1, ["+14155550101"], "Dinner at seven")
    return script


def test_plain_lines_tell_that_a_call_waits(capsys: pytest.CaptureFixture[str]) -> None:
    play(PlainView(), waiting_run())
    assert capsys.readouterr().out.splitlines() == ["1. send_sms waits for approval"]


def test_lines_of_a_pause_follow_it(capsys: pytest.CaptureFixture[str]) -> None:
    view, script = PlainView(), waiting_run()
    with view.paused():
        view.show(script.events[-1], script.state)
        print("the question")
    assert capsys.readouterr().out == "the question\n1. send_sms waits for approval\n"


def test_a_picture_shows_what_waits_and_what_was_taken_back() -> None:
    console, file = terminal()
    console.print(run_view(waiting_run().state, live=True))
    script = good_run()
    script.undone(2, "The draft was deleted.")
    console.print(run_view(script.state))
    shown = file.getvalue()
    assert "Waits for your approval. The settings ask first." in shown
    assert "finishing" not in shown
    assert "Taken back: The draft was deleted." in shown


def test_a_failed_run_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    script = Script()
    script.created()
    script.run_failed(Fault(code="planner_failed", message="The planner stopped.", hint="Try another."))
    play(PlainView(), script)
    assert capsys.readouterr().out.endswith("failed: The planner stopped. Try another.\n")


def test_json_lines_are_the_events_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    script = good_run()
    play(JsonView(), script)
    lines = capsys.readouterr().out.splitlines()
    assert [EVENT.validate_json(line) for line in lines] == script.events
    assert json.loads(lines[0])["type"] == "run.created"


def test_the_picture_ends_with_every_call_and_the_answer() -> None:
    console, file = terminal()
    play(LiveView(console), good_run())
    plain = Console(file=io.StringIO(), width=80)
    with plain.capture() as capture:
        plain.print(run_view(good_run().state))
    final = capture.get()
    assert final.splitlines()[0] == "Tools  get_phone_number 0.97 · send_sms 0.97"
    assert "✓ 1 get_phone_number  “Ann”" in final
    assert "✓ 2 send_sms  [+14155550101], “Dinner at seven”  ← $1" in final
    assert "20 ms" in final
    assert "The message to Ann is a draft." in file.getvalue()


def test_a_picture_of_foreign_text_holds_no_foreign_control_codes() -> None:
    console, file = terminal()
    console.print(run_view(ambiguous_run().state))
    console.print(outcome_view(ambiguous_run().state))
    assert "\x1b[2J" not in file.getvalue()
    assert "✗" in file.getvalue()
    assert "–" in file.getvalue()


@pytest.mark.parametrize("width", [20, 40, 200])
def test_a_picture_fits_any_width(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(run_view(good_run().state, live=False))
    assert all(len(line) <= width for line in capture.get().splitlines())


def test_while_under_way_the_picture_says_what_is_waited_for() -> None:
    script = Script()
    script.created()
    console, file = terminal()
    console.print(run_view(script.state, live=True))
    script.tools("send_sms")
    console.print(run_view(script.state, live=True))
    assert "choosing tools" in file.getvalue()
    assert "planning" in file.getvalue()


def test_absent_and_long_arguments_take_no_room() -> None:
    shown = arguments_text(["Sync", "", [], "x" * 200, ["a", "b"], 0, False])
    assert shown.startswith("“Sync”, “" + "x" * 59 + "…”, [a, b], 0")
    assert "False" in shown


def test_without_a_terminal_there_are_plain_lines() -> None:
    assert isinstance(choose_view(json_lines=False), PlainView)
    assert isinstance(choose_view(json_lines=True), JsonView)


def test_a_run_with_an_open_question_is_not_done() -> None:
    assert everything_done(good_run().state)
    assert not everything_done(ambiguous_run().state)


def test_a_call_that_a_later_plan_made_good_does_not_count_as_failed() -> None:
    script = Script()
    script.created()
    script.planned(1, "open_note", "Tee", "")
    script.started(1, "Tee", "")
    script.failed(1, Fault(code="tool_failed", message="No."))
    script.planned(2, "open_note", "Tea", "", round=1)
    script.started(2, "Tea", "")
    script.succeeded(2, "Green.", "The note says: Green.")
    script.completed("The note says: Green.")
    assert everything_done(script.state)
