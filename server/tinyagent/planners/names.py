"""Names of people and places as the request has them, where a model copied too little or too much.

With a relation and a name the name alone is looked up ("my cousin Bahram" is "Bahram"); a title
before a name belongs to it ("Uncle Rafferty", "Mrs. Oyelaran"), and so do the rest of a double name and
a capitalised word right after it ("Efua Mensah-Bright", "Tooting Bec Lido").
"""

from __future__ import annotations

import re

_RELATION = re.compile(
    r"(?:\S+['’]s )?(?:(?:my|our|his|her|their|your|the) )?"
    r"(?P<relation>(?:[^\W\d_A-Z][\w.’'-]* )+)(?P<name>[^\W\d_].*)"
)
_TITLES = frozenset(
    ("dr", "doctor", "mr", "mrs", "ms", "miss", "mx", "sir", "madam", "prof", "professor", "coach")
)
_JOINS = frozenset(("of", "at", "in", "from", "for", "with", "on"))
_OPENS = re.compile(r""".*[.!?:;(\["'“‘—–•…→-]$""")
_PART = r"[^\W\d_][\w’']*"
_CAPITALISED = r"[^\W\d_a-z][^\W\d_A-Z]+"
_NO_NAMES = frozenset({
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue", "wed", "thu",
    "fri", "sat", "sun", "january", "february", "march", "april", "may", "june", "july", "august",
    "september", "october", "november", "december", "zoom", "pdf", "please", "and", "the", "my", "our",
})  # fmt: skip
_NO_TITLES = frozenset(("cc", "bcc", "cc-ing", "zoom", "sms", "text", "email", "mail", "and", "to", "for"))


def looked_up_name(name: str, query: str) -> str:
    """The name to look up for what a model copied from the request."""
    return _with_title(_whole_name(_without_relation(name), query), query)


def whole_place(place: str, query: str) -> str:
    """A place with the capitalised words right before and after it."""
    place = _whole_name(place, query)
    before = re.search(
        rf"(?<=[^\W\d_A-Z] )({_CAPITALISED}(?: {_CAPITALISED})*) {re.escape(place)}(?!\w)", query
    )
    if before is None or not place[:1].isupper() or _NO_NAMES & set(before[1].lower().split()):
        return place
    return f"{before[1]} {place}"


def _whole_name(name: str, query: str) -> str:
    """The name with what is hyphenated to it, and with a capitalised word right after it."""
    hyphenated = re.search(rf"(?<!\w)(?:{_PART}-)*{re.escape(name)}(?:-{_PART})*(?!\w)", query)
    name = hyphenated.group() if hyphenated and name else name
    if not name.rpartition(" ")[2][:1].isupper():
        return name
    after = re.search(rf"(?<!\w){re.escape(name)} ({_CAPITALISED}(?:-{_CAPITALISED})?)(?![\w'’.@-])", query)
    return name if after is None or after[1].lower() in _NO_NAMES else f"{name} {after[1]}"


def _without_relation(name: str) -> str:
    match = _RELATION.fullmatch(name)
    if match is None or not match["name"][0].isupper():
        return name
    relation = match["relation"].split()
    told_apart = all(word[0].islower() for word in relation) and not _JOINS & set(relation)
    return match["name"] if told_apart and relation[0].rstrip(".") not in _TITLES else name


def _with_title(name: str, query: str) -> str:
    """The name with the single capitalised word right before it, save at the start of a sentence."""
    at = query.find(name)
    before = query[: max(at, 0)].rpartition("\n")[2]
    words = before.split()
    if not name[0].isupper() or query[at + len(name) :].startswith(("'", "’")):
        return name
    if len(words) < 2 or not before.endswith(words[-1] + " ") or not _is_title(words[-1]):
        return name
    if words[-2][0].isupper() or (_OPENS.match(words[-2]) and words[-2].lower().rstrip(".") not in _TITLES):
        return name
    return f"{words[-1]} {name}"


def _is_title(word: str) -> bool:
    if word.lower() in _NO_TITLES or not word[0].isupper() or (word.isupper() and len(word) > 1):
        return False
    return word.lower().rstrip(".") in _TITLES or word.replace("-", "").isalpha()
