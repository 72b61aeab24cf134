"""Grammars (GBNF) of the plan language over the offered tools: only such plans can be generated.

A plan that follows the grammar parses, calls offered tools only, has the right number and types of
arguments, refers backwards only and ends. The rules are unrolled by line, since what a line may
refer to depends on its number: `s3` is a string of line 3, `r3` a reference in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from tinyagent.domain.tools import Kind, ToolSpec
from tinyagent.planners.compact import tag
from tinyagent.planners.symbols import FIELDS, Field


@dataclass(frozen=True)
class Limits:
    """Bounds of a plan: its calls, a list's items, and of a text the references and what is between."""

    calls: int = 14
    items: int = 12
    characters: int = 600
    references: int = 6


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
    tools: Sequence[ToolSpec], first: int = 1, known: Collection[int] = (), limits: Limits | None = None
) -> str:
    """The grammar of a plan numbered from `first` whose calls may also refer to the `known` ones.

    It ends with `join()`; the stop string behind it is the caller's to write.
    """
    bounds = limits or Limits()
    last = first + (bounds.calls if tools else 0)
    rules = [f"{ROOT} ::= line{first}", *_SHARED, f"run ::= ch{{0,{bounds.characters}}}"]
    for line in range(first, last):
        references = sorted({*known, *range(first, line)})
        rules.append(f'line{line} ::= "{line}. " ("join()" | call{line} "\\n" line{line + 1})')
        rules.append(f"call{line} ::= " + " | ".join(_call(tool, line) for tool in tools))
        rules += _strings(line, references, bounds)
    rules.append(f'line{last} ::= "{last}. join()"')
    return "\n".join(rules) + "\n"


def _call(tool: ToolSpec, line: int) -> str:
    names: dict[Kind, str] = {"str": f"s{line}", "int": "int", "bool": "bool", "list[str]": f"list{line}"}
    arguments = ' ", " '.join(names[parameter.kind] for parameter in tool.parameters)
    return f'"{tool.name}(" {arguments} ")"'


def _strings(line: int, references: Sequence[int], bounds: Limits) -> Iterable[str]:
    if references:
        yield f'r{line} ::= "$" ({_choice(references)})'
        yield f"g{line} ::= r{line} (after run)?"
        yield f's{line} ::= "\\"" run g{line}{{0,{bounds.references}}} "$"? "\\""'
    else:
        yield f's{line} ::= "\\"" run "$"? "\\""'
    yield f'list{line} ::= "[" (s{line} (", " s{line}){{0,{bounds.items - 1}}})? "]"'


# --- the inner language of the small GGUF ------------------------------------------------------


def compact_grammar(tools: Sequence[str], limits: Limits | None = None) -> str:
    """The grammar of the inner language over the named tools; arguments in their order, tags whole."""
    bounds = limits or Limits()
    calls = bounds.calls if tools else 0
    rules = [
        f"{ROOT} ::= line1",
        r"ch ::= [^⟨⟩\x00-\x09\x0B-\x1F\x7F]",
        f"run ::= ch{{0,{bounds.characters}}}",
        f'plain ::= " " ch{{1,{bounds.characters}}}',
        f'short ::= " " ch{{1,{min(_LONGEST_NAME, bounds.characters)}}}',
    ]
    for line in range(1, calls + 1):
        rules.append(f"line{line} ::= (call{line} line{line + 1})?")
        rules.append(f"call{line} ::= " + " | ".join(_compact_call(tool, line, bounds) for tool in tools))
        if line > 1:
            rules.append(f'g{line} ::= "⟨" ({_choice(range(1, line))}) "⟩" run')
            rules.append(
                f"text{line} ::= plain g{line}{{0,{bounds.references}}} | g{line}{{1,{bounds.references}}}"
            )
    rules.append(f'line{calls + 1} ::= ""')
    return "\n".join(rules) + "\n"


def _compact_call(tool: str, line: int, bounds: Limits) -> str:
    return " ".join([f'"{tag(tool)}"', *(_argument(field, line, bounds) for field in FIELDS[tool])])


def _argument(field: Field, line: int, bounds: Limits) -> str:
    content = "plain" if field.kind == "text" else "short"
    if field.sources and line > 1:
        content = f"text{line}"
    elif field.kind == "choice":
        content = f'" " ({_choice(field.choices)})'
    least = int(field.required)
    return f'("{tag(field.name)}" {content}){{{least},{bounds.items if field.is_list else 1}}}'


def _choice(options: Iterable[object]) -> str:
    return " | ".join(f'"{option}"' for option in options)
