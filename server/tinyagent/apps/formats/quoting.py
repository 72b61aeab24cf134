"""Reading a received mail: its headers, its text, and that text quoted in a reply or a forward.

Received mail is written by anyone, so nothing here trusts it: a header that cannot be parsed is
read raw, an unknown charset is read as UTF-8, and quoted text has a length limit.
"""

from __future__ import annotations

import email
import re
from email import policy
from email.errors import MessageError
from email.message import EmailMessage, MIMEPart
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser

from tinyagent.apps.formats.mime import message_ids, one_line
from tinyagent.errors import UnreadableFile

MAX_QUOTED = 200_000
"""Characters of an original that are quoted."""

MAX_REFERENCES = 20

BROKEN_MAIL = (
    AttributeError,
    IndexError,
    LookupError,
    MessageError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the parsers of the standard library raise on malformed mail."""

_REPLY_PREFIX = re.compile(r"^(\s*re\s*:)+\s*", re.IGNORECASE)
_FORWARD_PREFIX = re.compile(r"^(\s*fwd?\s*:)+\s*", re.IGNORECASE)


def parse(raw: bytes) -> EmailMessage:
    """A received mail. Raises UnreadableFile when even its frame cannot be understood."""
    try:
        return email.message_from_bytes(raw, policy=policy.default)
    except BROKEN_MAIL:
        raise UnreadableFile("The mail is damaged and cannot be read.", hint="Select another mail.") from None


def header(message: EmailMessage, name: str) -> str:
    """A header as one line of text; empty when it is missing."""
    try:
        return one_line(str(message.get(name, "")))
    except BROKEN_MAIL:
        raw = next((value for key, value in message.raw_items() if key.casefold() == name.casefold()), "")
        return one_line(str(raw))


def plain_text(message: EmailMessage) -> str | None:
    """The mail's plain text; None when it has no plain text part."""
    try:
        part = message.get_body(("plain",))
    except BROKEN_MAIL:
        return None
    return None if part is None else _content(part)


def readable_text(message: EmailMessage) -> str:
    """The mail's text for quoting, from its HTML when there is nothing else."""
    text = plain_text(message)
    if text is not None:
        return text
    try:
        part = message.get_body(("html",))
    except BROKEN_MAIL:
        part = None
    return "" if part is None else _html_to_text(_content(part))


def answer_addresses(message: EmailMessage) -> list[str]:
    """Where an answer goes: Reply-To, else From."""
    for name in ("Reply-To", "From"):
        addresses = [address for _, address in getaddresses([header(message, name)]) if "@" in address]
        if addresses:
            return addresses
    return []


def thread(message: EmailMessage) -> list[str]:
    """The References of an answer to this mail, the first one and the latest ones when there are many."""
    own = message_ids(header(message, "Message-ID"))[:1]
    earlier = message_ids(header(message, "References")) or message_ids(header(message, "In-Reply-To"))[:1]
    ids = [*earlier, *own]
    return ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[-(MAX_REFERENCES - 1) :]]


def reply_subject(subject: str) -> str:
    return f"Re: {_REPLY_PREFIX.sub('', subject)}".strip()


def forward_subject(subject: str) -> str:
    return f"Fwd: {_FORWARD_PREFIX.sub('', subject)}".strip()


def quoted_reply(message: EmailMessage) -> str:
    """The original below an answer, each line after `>`."""
    lines = readable_text(message)[:MAX_QUOTED].strip().splitlines()
    quoted = "\n".join(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in lines)
    return f"{_attribution(message)}\n{quoted}"


def quoted_forward(message: EmailMessage, text: str) -> str:
    """The original inside a forward, after a block with its headers."""
    names = ("From", "Date", "Subject", "To", "Cc")
    block = [f"{name}: {header(message, name)}" for name in names if header(message, name)]
    return "\n".join(["---------- Forwarded message ----------", *block, "", text[:MAX_QUOTED].strip()])


def _attribution(message: EmailMessage) -> str:
    author = header(message, "From") or "the sender"
    try:
        sent = parsedate_to_datetime(header(message, "Date"))
    except BROKEN_MAIL:
        return f"{author} wrote:"
    return f"On {sent:%Y-%m-%d} at {sent:%H:%M}, {author} wrote:"


def _content(part: MIMEPart) -> str:
    try:
        content = part.get_content()
    except BROKEN_MAIL:
        content = part.get_payload(decode=True)
    if isinstance(content, bytes):
        content = content.decode("utf-8", "replace")
    return str(content).replace("\r\n", "\n").replace("\x00", "")


class _TextOfHtml(HTMLParser):
    _BLOCKS = frozenset(
        {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "table", "ul", "ol"}
    )
    _HIDDEN = frozenset({"script", "style", "head", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in self._HIDDEN
        if tag in self._BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self._HIDDEN and self._hidden > 0
        if tag in self._BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(re.sub(r"\s+", " ", data))


def _html_to_text(html: str) -> str:
    parser = _TextOfHtml()
    parser.feed(html[: 4 * MAX_QUOTED])
    parser.close()
    lines = (line.strip() for line in "".join(parser.pieces).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
