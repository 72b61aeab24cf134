"""The words in which the teacher is asked, and the form in which it answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tinyagent.domain.plan import JOIN, Call, Value, format_call
from tinyagent.domain.plan_parser import read_string
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.symbols import FIELDS, Field
from tinyagent.training.corpus import Entry
from tinyagent.training.plan_checks import tool_specs
from tinyagent.training.teacher.asks import Ask

_LONGEST_EXAMPLE = 600

_RULES = """\
You write training data for a private assistant on a desktop computer: requests as real people type or \
speak them, each with the one right plan of tool calls.

Form of the answer: for each request a block like the examples below, blocks separated by a line ###. \
Nothing else, no comments, no code fences. A line break inside a request is written \\n.

Form of a plan
- One call a line, numbered from 1: N. tool(arguments). All arguments, by position: texts in double \
quotes, lists of texts in brackets. What is absent is "" or [].
- "$n" is the result of call n, alone, in a list ["$1", "$2"], or inside a text ("Agenda: $2"). n is \
always smaller than the call's own number. A real dollar amount is written $$25 in a call.
- The last line is join().
- A date argument holds the request's own words, verbatim ("Thursday at 4", "tomorrow", "in 20 \
minutes"). Never compute a date, never write one as numbers unless the request does. Where day and hour \
stand apart in the request, put both stretches one after the other ("Thursday 4pm"). end_date and \
duration hold the words of the end ("half 8") or of the length ("45 minutes"). Without words for it: "".

Rules for the plan
- Look up each person once: get_email_address for mails, calendar and Zoom invitees, get_phone_number \
for texts. The name as in the request, without article or possessive ("my sister" is "sister", "my \
cousin Bahram" is "Bahram"; "Dr. Ito" stays). Use a literal address or number as it is. A group is one \
name.
- "Tell X", "let X know" without a channel is a text message. The same text for several people is one \
send_sms.
- Who takes part in an event or meeting is invited; who is only mentioned is not.
- A Zoom meeting (set up, schedule, book) also gets a calendar event after it: create_calendar_event("", \
"", "", "", [], "$n", ""), which takes title, time and guests from meeting n. A mere link ("get me a \
link", "text her a link") gets none.
- A named file is found with open_and_get_file_path before it is attached ("$n") or summarized; an \
absolute path is used as it is.
- reply_to_email and forward_email act on the mail that is open; its sender is not looked up.
- Adding to an existing note is append_note_content alone; a new note is create_note; what a note says \
is open_note.
- "Remind me" is create_reminder with the thing to do as its name. priority is "1" (high), "5", "9" \
(low) or "".
- maps_show_directions is a way (transport "" for driving, "w" walking, "r" public transit), \
maps_open_location a place; one of them, not both.
- Texts say what the user wants said, turned to the reader ("tell him I'm late" is "I'm late."), in the \
user's words, with a capital letter; quoted words exactly. A subject is two to five words of what the \
mail is about.
- No call that the request does not need. If no tool can serve it, the plan is join() alone.
- Names, files, addresses and date words stand in the request exactly as in the plan.
"""


def messages(ask: Ask) -> list[dict[str, str]]:
    """The chat messages of an ask; what never changes stands first."""
    examples = "\n###\n".join(ask.examples)
    system = f"{_RULES}\nExamples\n{examples}" if examples else _RULES
    manners = "\n".join(f"{number}. {manner}" for number, manner in enumerate(ask.manners, 1))
    twist = f"\nIn one of them {ask.twist}." if ask.twist else ""
    user = (
        f"Tools\n{_tools(ask.tools)}\n\n"
        f"Write {len(ask.manners)} requests that {ask.person} makes, each about another concrete situation "
        "and with another sentence frame, each served by calls of these tools (most of them, none besides).\n"
        f"It is {ask.now:%A, %Y-%m-%d %H:%M}; nothing that is asked for lies before that.\n"
        f"Manner of each:\n{manners}{twist}"
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def examples_of(entries: Iterable[Entry]) -> list[tuple[frozenset[str], str]]:
    """The entries that can serve as examples, with their tools."""
    return [
        (frozenset(call.tool for call in entry.row.calls), block(entry.row.query, entry.row.calls))
        for entry in entries
        if len(entry.row.query) <= _LONGEST_EXAMPLE
    ]


def block(query: str, calls: Sequence[DraftCall]) -> str:
    """A request with its plan in the form in which the teacher answers."""
    lines = [format_call(_call(index, call)) for index, call in enumerate(calls, 1)]
    request = query.replace("\n", "\\n")
    return "\n".join([f"Request: {request}", "Plan:", *lines, f"{len(calls) + 1}. {JOIN}()"])


def _call(index: int, draft: DraftCall) -> Call:
    values: list[Value] = []
    for field in FIELDS[draft.tool]:
        if field.is_list:
            values.append([read_string(item) for item in draft.items(field.name)])
        else:
            values.append(read_string(draft.text(field.name)))
    return Call(index, draft.tool, tuple(values))


def _tools(names: Iterable[str]) -> str:
    return "\n".join(
        f"- {name}({', '.join(f'{field.name}: {_kind(field)}' for field in FIELDS[name])}): "
        f"{tool_specs()[name].description}"
        for name in names
    )


def _kind(field: Field) -> str:
    if field.is_list:
        return "list"
    return "date words" if field.kind == "date" else "text"
