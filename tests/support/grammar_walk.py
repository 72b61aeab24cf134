"""Random texts of a grammar (GBNF, as far as ours uses it): what a model could write at most."""

from __future__ import annotations

import random
import re

_TOKEN = re.compile(r'\s*("(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|[a-z][a-z0-9-]*|[()|?]|\{\d+(?:,\d+)?\})')
_ESCAPE = re.compile(r"\\(x[0-9A-F]{2}|.)", re.DOTALL)
_SAMPLE = "".join(map(chr, range(0x20, 0x7F))) + "éж日\u2028😀$$$$0123"
_PLAIN = {"n": "\n", "t": "\t"}


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 3 else _PLAIN.get(m[1], m[1]), text)


class GrammarWalk:
    """Writes texts by chance; `chance` decides everything."""

    def __init__(self, grammar: str, chance: random.Random) -> None:
        self._rules = {
            name: _TOKEN.findall(body)
            for name, _, body in (line.partition(" ::= ") for line in grammar.splitlines())
        }
        self._chance = chance

    def text(self, rule: str = "root") -> str:
        """A text of the rule."""
        text, end = self._alternatives(self._rules[rule], 0, True)
        assert end == len(self._rules[rule]), f"{rule} is not read to its end"
        return text

    def _alternatives(self, tokens: list[str], at: int, write: bool) -> tuple[str, int]:
        starts, ends = [at], at
        while True:
            _, ends = self._sequence(tokens, starts[-1], False)
            if ends == len(tokens) or tokens[ends] != "|":
                break
            starts.append(ends + 1)
        return (self._sequence(tokens, self._chance.choice(starts), True)[0] if write else ""), ends

    def _sequence(self, tokens: list[str], at: int, write: bool) -> tuple[str, int]:
        text = ""
        while at < len(tokens) and tokens[at] not in ("|", ")"):
            start, (_, at) = at, self._item(tokens, at, False)
            least, most = 1, 1
            if at < len(tokens) and tokens[at] == "?":
                least, at = 0, at + 1
            elif at < len(tokens) and tokens[at].startswith("{"):
                bounds = [int(number) for number in tokens[at][1:-1].split(",")]
                least, most, at = bounds[0], bounds[-1], at + 1
            if write:
                count = self._chance.randint(least, min(most, least + 8))
                text += "".join(self._item(tokens, start, True)[0] for _ in range(count))
        return text, at

    def _item(self, tokens: list[str], at: int, write: bool) -> tuple[str, int]:
        token = tokens[at]
        if token == "(":
            text, end = self._alternatives(tokens, at + 1, write)
            return text, end + 1
        if not write:
            return "", at + 1
        if token.startswith('"'):
            return _unescaped(token[1:-1]), at + 1
        if token.startswith("["):
            return self._chance.choice([one for one in _SAMPLE if re.fullmatch(token, one)]), at + 1
        return self.text(token), at + 1
