"""Grammars (GBNF) of the plan language over the offered tools: only such plans can be generated.

A plan that follows the grammar parses, calls offered tools only, has the right number and types of
arguments, refers backwards only and ends. The rules are unrolled by line, since what a line may
refer to depends on its number: `s3` is a string of line 3, `r3` a reference in it, `q3` a reference
that is a whole string.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from tinyagent.domain.tools import Kind, ToolSpec
from tinyagent.planners import schema_grammar
from tinyagent.planners.compact import tag
from tinyagent.planners.gbnf import Limits, RuleBook, choice
from tinyagent.planners.schema_grammar import LineRules, argument_shapes
from tinyagent.planners.symbols import FIELDS, Field

ROOT = "root"
_LONGEST_NAME = 120
"""Characters of a name, a place, an address or a date phrase."""


# --- the public language ---------------------------------------------------------------------

_PLAIN = r"[^\"\\$\x00-\x1F\x7F]"
_AFTER_REFERENCE = r"[ !#%-/:-\[\]-~]"
"""ASCII without quote, dollar, backslash and digits: a digit of any script would join the number."""
_SHARED = (
    f"ch ::= {_PLAIN} | special",
    f"after ::= {_AFTER_REFERENCE} | special",
    r'special ::= "\\" ["\\n] | "$$" [0-9] | "$" [ !#%-/:-\[\]-z|}~]',
    'int ::= "0" | "-"? [1-9] [0-9]{0,8}',
    'bool ::= "True" | "False"',
)


def plan_grammar(
    tools: Sequence[ToolSpec],
    first: int = 1,
    known: Collection[int] = (),
    limits: Limits | None = None,
    *,
    must_call: bool = False,
) -> str:
    """The grammar of a plan numbered from `first` whose calls may also refer to the `known` ones.

    Tools that others describe are called with arguments by name, built-in ones by position. With
    `must_call` the plan has a call, if there is any tool. It ends with `join()`; the stop string behind it
    is the caller's to write.
    """
    bounds = limits or Limits()
    last = first + (bounds.calls if tools else 0)
    rules = [f"{ROOT} ::= line{first}", *_SHARED, f"run ::= ch{{0,{bounds.characters}}}"]
    book = RuleBook()
    shapes = {tool.name: argument_shapes(tool) for tool in tools if tool.described}
    for line in range(first, last):
        references = sorted({*known, *range(first, line)})
        values = LineRules(book, line, bool(references), bounds)
        calls = [values.call(t, shapes[t.name]) if t.described else _call(t, line) for t in tools]
        going_on = f'call{line} "\\n" line{line + 1}'
        end = "" if must_call and line == first else '"join()" | '
        rules.append(f'line{line} ::= "{line}. " ({end}{going_on})')
        rules.append(f"call{line} ::= {' | '.join(calls)}")
        rules += _strings(line, references, bounds)
    rules.append(f'line{last} ::= "{last}. join()"')
    described = [*schema_grammar.SHARED, *book.rules()] if shapes else []
    return "\n".join([*rules, *described]) + "\n"


def _call(tool: ToolSpec, line: int) -> str:
    names: dict[Kind, str] = {"str": f"s{line}", "int": "int", "bool": "bool", "list[str]": f"list{line}"}
    arguments = ' ", " '.join(names[parameter.kind] for parameter in tool.parameters)
    return f'"{tool.name}(" {arguments} ")"'


def _strings(line: int, references: Sequence[int], bounds: Limits) -> Iterable[str]:
    if references:
        yield f'r{line} ::= "$" ({choice(references)})'
        yield f'q{line} ::= "\\"" r{line} "\\""'
        yield f"g{line} ::= r{line} (after run)?"
        yield f's{line} ::= "\\"" run g{line}{{0,{bounds.references}}} "$"? "\\""'
    else:
        yield f's{line} ::= "\\"" run "$"? "\\""'
    yield f'list{line} ::= "[" (s{line} (", " s{line}){{0,{bounds.items - 1}}})? "]"'


# --- the inner language of the small GGUF ------------------------------------------------------


def compact_grammar(
    tools: Sequence[str],
    limits: Limits | None = None,
    *,
    absent: Mapping[str, Collection[str]] | None = None,
    must_call: bool = False,
) -> str:
    """The grammar of the inner language over the named tools; arguments in their order, tags whole.

    `absent` are the arguments that an offered tool does not have.
    """
    bounds, left_out = limits or Limits(), absent or {}
    calls = bounds.calls if tools else 0
    rules = [
        f"{ROOT} ::= line1",
        r"ch ::= [^⟨⟩\x00-\x09\x0B-\x1F\x7F]",
        f"run ::= ch{{0,{bounds.characters}}}",
        f'plain ::= " " ch{{1,{bounds.characters}}}',
        f'short ::= " " ch{{1,{min(_LONGEST_NAME, bounds.characters)}}}',
    ]
    for line in range(1, calls + 1):
        required = must_call and line == 1
        rules.append(f"line{line} ::= (call{line} line{line + 1}){'' if required else '?'}")
        written = (_compact_call(tool, left_out.get(tool, ()), line, bounds) for tool in tools)
        rules.append(f"call{line} ::= {' | '.join(written)}")
        if line > 1:
            rules.append(f'g{line} ::= "⟨" ({choice(range(1, line))}) "⟩" run')
            rules.append(
                f"text{line} ::= plain g{line}{{0,{bounds.references}}} | g{line}{{1,{bounds.references}}}"
            )
    rules.append(f'line{calls + 1} ::= ""')
    return "\n".join(rules) + "\n"


def _compact_call(tool: str, absent: Collection[str], line: int, bounds: Limits) -> str:
    fields = [field for field in FIELDS[tool] if field.name not in absent]
    return " ".join([f'"{tag(tool)}"', *(_argument(field, line, bounds) for field in fields)])


def _argument(field: Field, line: int, bounds: Limits) -> str:
    content = "plain" if field.kind == "text" else "short"
    if field.sources and line > 1:
        content = f"text{line}"
    elif field.kind == "choice":
        content = f'" " ({choice(field.choices)})'
    least = int(field.required)
    return f'("{tag(field.name)}" {content}){{{least},{bounds.items if field.is_list else 1}}}'
