"""Each rule of the linter catches the mistake that it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.applescripts.linter import lint
from tests.applescripts.references import check_references
from tests.applescripts.structure import structure
from tests.applescripts.tokens import LexicalError, logical_lines
from tinyagent.apps.macos._header import applescripts_folder

SHARED = "-- begin _shared.applescript\n{}-- end _shared.applescript\n"
GOOD = """-- operation: notes_count
-- tool: open_note
-- app: Notes
-- permission: Automation:Notes
-- arguments: name: text, limit: integer
-- returns: count: integer
-- seconds: 30

use AppleScript version "2.4"
use framework "Foundation"
use scripting additions

on run theArguments
	set thePayload to my readPayload(theArguments)
	set theName to my textIn(thePayload, "name")
	set theLimit to my integerIn(thePayload, "limit")
	set theCount to my countNotes(theName)
	if theCount > theLimit then set theCount to theLimit
	return my answerFrom({{"count", theCount}})
end run

on countNotes(theName)
	with timeout of 30 seconds
		tell application "Notes"
			try
				set theIds to id of (notes whose name contains theName)
				repeat with i from 1 to count of theIds
					if item i of theIds is "" then error "A note without id." number 1001
				end repeat
			on error number -1728
				return 0
			end try
		end tell
	end timeout
	return count of theIds
end countNotes

"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shared = (applescripts_folder() / "_shared.applescript").read_text(encoding="utf-8")
    (tmp_path / "_shared.applescript").write_text(shared, encoding="utf-8")
    return tmp_path


def messages(source: str, folder: Path, operation: str = "notes_count") -> str:
    shared = (folder / "_shared.applescript").read_text(encoding="utf-8")
    return "\n".join(fault.message for fault in lint(source + SHARED.format(shared), operation, folder))


def test_a_good_script_has_no_faults(folder: Path) -> None:
    assert messages(GOOD, folder) == ""


FIRST = 'set theName to my textIn(thePayload, "name")\n'
IN_TELL = "set theIds to id of (notes whose name contains theName)\n"

MISTAKES = {
    # header
    "tool": ("open_note", "open_notes", "there is no tool 'open_notes'"),
    "permission": ("Automation:Notes", "Automation:Mail", "not the permission to tell Notes"),
    "header key": ("-- app: Notes\n", "", "the header lacks app"),
    "application": ("-- app: Notes", "-- app: Mail", "the script tells ['Notes'], but its header"),
    "undeclared argument": (", limit: integer", "", "'limit' is read, but not declared"),
    "unread argument": ("-- arguments: ", "-- arguments: more: text, ", "'more' is read 0 times"),
    "type of argument": ("my integerIn(", "my textIn(", "'limit' is integer, but read by 'textIn'"),
    "raw payload": ("my integerIn(", "my valueIn(", "read by the handlers for its types"),
    "returns": ("returns: count", "returns: total", "the answer holds ['count']"),
    "early answer": (FIRST, FIRST + '\tif theName is "" then return ""\n', "answer at its end"),
    "no answer": ('return my answerFrom({{"count", theCount}})', "return theCount", "the run ends with"),
    "payload read late": ("set thePayload to my readPayload(theArguments)", "set thePayload to 1", "begins"),
    "timeout": ("of 30 seconds", "of 20 seconds", "not the 30 seconds of the header"),
    "uses": ('use framework "Foundation"\n', "", "three 'use' lines"),
    "another use": ("additions\n\n", 'additions\nuse framework "AppKit"\n\n', "is not needed"),
    # reaching outside
    "shell": (FIRST, FIRST + "\tdo shell script theName\n", "runs no shell"),
    "script from text": (FIRST, FIRST + "\trun script theName\n", "runs no text"),
    "script from file": (FIRST, FIRST + "\tload script theName\n", "whole in itself"),
    "keystroke": (FIRST, FIRST + "\tkeystroke theName\n", "has the focus"),
    "key code": (FIRST, FIRST + "\tkey code 36\n", "has the focus"),
    "dialog": (FIRST, FIRST + "\tdisplay dialog theName\n", "nobody may be there"),
    "System Events": ('application "Notes"', 'application "System Events"', "other programs' windows"),
    "computed application": ('application "Notes"', "application theName", "named by a text"),
    "account by name": (IN_TELL, IN_TELL.replace("notes", 'notes of account "iCloud"'), "looked up"),
    "date from text": (FIRST, FIRST + '\tset theDay to date "1/2/2026"\n', "user's language"),
    # bounds
    "no timeout": ("	with timeout of 30 seconds\n", "	try\n", "without 'with timeout'"),
    "loop over things": (
        "repeat with i from 1 to count of theIds",
        "repeat with oneId in theIds",
        "a loop counts",
    ),
    "loop without end": ("repeat with i from 1 to count of theIds", "repeat while true", "a loop counts"),
    "every note": (IN_TELL, "set theIds to id of every note\n", "every note is asked for without a filter"),
    "message filter": (IN_TELL, "set theIds to messages whose name is theName\n", "take the newest"),
    # names
    "reserved loop name": ("repeat with i from", "repeat with item from", "'item' may be a word"),
    "reserved variable": ("set theName to my", "set name to my", "'name' may be a word"),
    "reserved parameter": ("countNotes(theName)\n\twith", "countNotes(text)\n\twith", "'text' may be a word"),
    "reserved handler": ("my countNotes(", "my count(", "there is no handler 'count'"),
    "unassigned": ("contains theName", "contains theNaem", "'theNaem' is used before"),
    "other case": ("contains theName", "contains thename", "'thename' is no known word"),
    "unused variable": (FIRST, FIRST + "\tset theOther to 1\n", "'theOther' is not used"),
    "without my": ("my countNotes(", "countNotes(", "called without 'my'"),
    "arguments": ("my countNotes(theName)", "my countNotes(theName, 1)", "takes 1 arguments, not 2"),
    "uncalled handler": ("my countNotes(theName)", "1", "nothing calls 'countNotes'"),
    "name in two cases": (
        FIRST,
        FIRST + "\tset thename to theName\n",
        "'thename' is written 'theName' elsewhere",
    ),
    "selector": (
        FIRST,
        FIRST + "\tset theLimit to thePayload's count()\n",
        "'count' of Objective-C may be a word",
    ),
    "label": (
        FIRST,
        FIRST + "\tset theLimit to thePayload's writeToFile:theName error:theName\n",
        "'error' of Objective-C may be a word",
    ),
    # inside a tell
    "kept list": (
        IN_TELL,
        "set theNotes to every folder whose name is theName\n\t\t\t\tset theIds to id of theNotes\n",
        "'theNotes' is a list",
    ),
    "account by service": (IN_TELL, "set theIds to every account whose service type is 1\n", "one by one"),
    "Objective-C": (
        IN_TELL,
        IN_TELL + "\t\t\t\tset theIds to theIds's allObjects()\n",
        "Objective-C is called",
    ),
    "current date": (IN_TELL, IN_TELL + "\t\t\t\tset theDay to current date\n", "date is made inside a tell"),
    "misspelt term": ("name contains", "nmae contains", "'nmae' is no known word of Notes"),
    "another dictionary's term": ("name contains", "subject contains", "no known word of Notes"),
    "term outside of a tell": (
        "return count of theIds\nend",
        "return count of notes\nend",
        "'notes' is no known",
    ),
    # errors
    "error without number": (" number 1001\n", "\n", "an error needs a number"),
    "foreign number": ("number 1001\n", "number 42\n", "no number of an own error"),
    # blocks
    "unended block": ("\t\tend tell\n", "", "'end tell' for line"),
    "wrong end": ("\t\tend tell\n", "\t\tend try\n", "'end tell' for line"),
    "bare end": ("\t\tend tell\n", "\t\tend\n", "'end tell' for line"),
    "too many ends": ("end countNotes\n", "end countNotes\nend countNotes\n", "nothing is open here"),
    "unended handler": ("end countNotes\n\n", "", "this countNotes is not ended"),
    "indentation": ("\treturn count of theIds", "\t\treturn count of theIds", "tabs stand here"),
    "clause outside": ("\t\t\ttry\n", "\t\t\tconsidering case\n", "'on' stands outside of 'try'"),
    "if without then": (
        "if theCount > theLimit then set",
        "if theCount > theLimit set",
        "'if' without 'then'",
    ),
    "parenthesis": (
        "(notes whose name contains theName)",
        "(notes whose name contains theName",
        "not closed",
    ),
    "brace": ('"count", theCount}})', '"count", theCount}', "is not closed"),
    "loose statement": ("on countNotes", "beep\n\non countNotes", "outside of all handlers"),
    "string": ('"A note without id."', '"A note without id.', "cannot be read"),
    "comment": (FIRST, FIRST + "\t(* never closed (* inner *)\n", "a comment is not closed"),
    "sign": ("A note", "A nöte", "not ASCII"),
    "copy": ("end countNotes\n", "end countNotes\n\n-- begin _other.applescript\n", "a copy is not between"),
}


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_caught(old: str, new: str, message: str, folder: Path) -> None:
    assert old in GOOD
    assert message in messages(GOOD.replace(old, new, 1), folder)


def test_the_two_words_message_id_are_a_property_of_mail() -> None:
    tell = 'on run\n\ttell application "Mail"\n\t\t{}\n\tend tell\nend run\n'
    for line, faults in (
        ("set theId to message id of theMessage", 0),
        ("set theMessage to message id theNumber of theMailbox", 1),
    ):
        read = structure(logical_lines(tell.format(line)))
        assert len(list(check_references(read.statements))) == faults


def test_a_file_with_another_name_than_its_operation_is_caught(folder: Path) -> None:
    assert "but the file is 'notes_list'" in messages(GOOD, folder, "notes_list")


def test_a_copy_that_was_changed_is_caught(folder: Path) -> None:
    shared = (folder / "_shared.applescript").read_text(encoding="utf-8")
    source = GOOD + SHARED.format(shared.replace("number 1007", "number 1001"))
    assert [fault.message for fault in lint(source, "notes_count", folder)] == [
        "a copy differs from its file: run python -m tests.applescripts.blocks"
    ]


def test_a_script_without_the_shared_handlers_is_caught(folder: Path) -> None:
    faults = {fault.message for fault in lint(GOOD, "notes_count", folder)}
    assert "the handlers of _shared.applescript are missing" in faults
    assert "there is no handler 'answerFrom'" in faults


def test_comments_and_strings_hide_what_stands_in_them() -> None:
    source = 'a -- keystroke "x"\n# tell\n(* do (* shell *) script *) b "-- (* no comment"\n'
    lines = logical_lines(source)
    assert [(line.number, [token.text for token in line.tokens]) for line in lines] == [
        (1, ["a"]),
        (3, ["b", "-- (* no comment"]),
    ]


def test_a_continued_line_is_one_statement() -> None:
    lines = logical_lines('set theText to "a" & ¬\n\t"b"\nbeep\n')
    assert [(line.number, len(line.tokens)) for line in lines] == [(1, 6), (3, 1)]


def test_an_escaped_quote_does_not_end_a_text() -> None:
    assert logical_lines(r'"a\"b\\"')[0].tokens[0].text == r"a\"b\\"


def test_an_unclosed_text_is_told_with_its_line() -> None:
    with pytest.raises(LexicalError) as caught:
        logical_lines('a\n"b\n')
    assert caught.value.line == 2
