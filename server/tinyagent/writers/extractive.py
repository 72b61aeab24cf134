"""Summaries without a language model: the most central sentences of a text, in their order.

Sentences that many others resemble rank high (PageRank over a graph of similarities, as in
LexRank), and one that says what was already chosen is passed over (maximal marginal relevance).
A long text is gone through in parts: by their words, the central sentences of each part are found,
and the summary is chosen among those.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tinyagent.writers.sentences import split_sentences, terms

Matrix = NDArray[np.float64]
Embed = Callable[[list[str]], NDArray[np.floating]]
"""Sentences to one vector each, as rows."""

MAX_SENTENCES_COMPARED = 300
MIN_TERMS, FULL_TERMS = 3, 7
MAX_CHARS_PER_SENTENCE = 450

_DAMPING = 0.85
_ITERATIONS = 60
_RELEVANCE = 0.7
"""Weight of centrality against novelty."""

_REPEATED = 0.75
"""The part of a sentence's words that another has too when it says nothing new."""

_LEAD_BONUS = 2.0
"""How much likelier than a later one the opening sentence is to say what the text is about."""

_PRONOUNS = frozenset({"this", "these", "those", "it", "them", "he", "she", "they", "his", "her", "their"})
_CONNECTIVES = frozenset({"however", "therefore", "thus", "but", "and", "so", "also", "moreover"})
_LEANING_WEIGHT = 0.6
"""Sentences that lean on the one before read badly alone."""


class ExtractiveSummarizer:
    """Summaries of at most `max_chars` characters and, of longer texts, three to six sentences.

    `embed` gives sentence vectors; without it sentences are compared by their words (TF-IDF).
    """

    def __init__(self, embed: Embed | None = None, *, max_chars: int = 1_000) -> None:
        self._embed = embed
        self._max_chars = max_chars

    async def summarize(self, text: str) -> str:
        return await asyncio.to_thread(self._summarize, text)

    def _summarize(self, text: str) -> str:
        sentences = split_sentences(text)
        wanted = _sentence_count(len(sentences))
        if len(sentences) <= wanted:
            return _cut(" ".join(sentences) or " ".join(text.split()), self._max_chars)
        candidates = _candidates(sentences)
        similarity = self._similarity(candidates)
        chosen = _choose(candidates, similarity, wanted, self._max_chars)
        return _cut(" ".join(_finished(candidates[index]) for index in chosen), self._max_chars)

    def _similarity(self, sentences: Sequence[str]) -> Matrix:
        vectors = (
            _tf_idf(sentences)
            if self._embed is None
            else np.asarray(self._embed(list(sentences)), np.float64)
        )
        return _cosine(vectors)


def shorten(text: str, max_chars: int) -> str:
    """The text, or as many of its central sentences as fit into so many characters, in their order."""
    if len(text) <= max_chars:
        return text
    sentences = _distinct(split_sentences(text))
    usual = max(1, sum(map(len, sentences)) // max(1, len(sentences)))
    chosen = _central(sentences, max(1, max_chars // (usual + 2)))
    return "\n".join(chosen)[:max_chars]


def _sentence_count(available: int) -> int:
    return 3 if available < 12 else 4 if available < 40 else 5 if available < 120 else 6


def _candidates(sentences: Sequence[str]) -> list[str]:
    """Sentences that can stand in a summary; of a text that has too many, the central ones of each part."""
    return _central(_distinct(sentences), MAX_SENTENCES_COMPARED)


def _distinct(sentences: Sequence[str]) -> list[str]:
    """The sentences that read well alone, each once."""
    fitting = [
        sentence
        for sentence in sentences
        if len(terms(sentence)) >= MIN_TERMS and len(sentence) <= MAX_CHARS_PER_SENTENCE
    ]
    return list(dict.fromkeys(fitting or sentences))


def _central(sentences: list[str], wanted: int) -> list[str]:
    """At most `wanted` sentences in their order, from each part as many as its length calls for."""
    if len(sentences) <= wanted:
        return sentences
    starts = range(0, len(sentences), MAX_SENTENCES_COMPARED)
    parts = [sentences[start : start + MAX_SENTENCES_COMPARED] for start in starts]
    found: list[str] = []
    for number, part in enumerate(parts, start=1):
        due = wanted * number // len(parts) - wanted * (number - 1) // len(parts)
        found += [part[index] for index in _choose(part, _cosine(_tf_idf(part)), due)]
    return found


def _tf_idf(sentences: Sequence[str]) -> Matrix:
    counts = [Counter(terms(sentence)) for sentence in sentences]
    documents = Counter(term for count in counts for term in count)
    column = {term: index for index, term in enumerate(documents)}
    vectors = np.zeros((len(sentences), max(1, len(column))))
    for row, count in enumerate(counts):
        for term, times in count.items():
            vectors[row, column[term]] = times * np.log((1 + len(sentences)) / documents[term])
    return vectors


def _cosine(vectors: Matrix) -> Matrix:
    """How alike each two rows are, from 0 to 1."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return np.clip(unit @ unit.T, 0.0, 1.0)


def _centrality(sentences: Sequence[str], similarity: Matrix) -> Matrix:
    """PageRank; the random surfer starts anew at the opening more often than elsewhere."""
    size = len(sentences)
    links = similarity - np.diag(np.diag(similarity))
    links = np.clip(links - links.mean(), 0.0, None)
    totals = links.sum(axis=1, keepdims=True)
    steps = np.divide(links, totals, out=np.full_like(links, 1.0 / size), where=totals > 0)
    lead = 1.0 + _LEAD_BONUS * np.exp(-np.arange(size) / 2.0)
    start = lead / lead.sum()
    rank = start.copy()
    for _ in range(_ITERATIONS):
        rank = (1 - _DAMPING) * start + _DAMPING * (rank @ steps)
    rank *= np.sqrt(lead) * [_weight(sentence) for sentence in sentences]
    return rank / rank.max()


def _weight(sentence: str) -> float:
    """How well a sentence stands alone: it should be neither scanty nor lean on the one before."""
    fullness = min(1.0, len(terms(sentence)) / FULL_TERMS)
    return fullness * (_LEANING_WEIGHT if _leans(sentence) else 1.0)


def _leans(sentence: str) -> bool:
    opening = [word.strip(",").casefold() for word in sentence.split(maxsplit=3)[:3]]
    return opening[0] in _CONNECTIVES or not _PRONOUNS.isdisjoint(opening)


def _choose(
    sentences: Sequence[str], similarity: Matrix, wanted: int, max_chars: int | None = None
) -> list[int]:
    """Indices of central sentences that differ from one another, in text order.

    With `max_chars`, all together fit into so many characters, and none repeats another.
    """
    rank = _centrality(sentences, similarity)
    words = [frozenset(terms(sentence)) for sentence in sentences]
    chosen: list[int] = []
    left = max_chars or 0
    likeness = np.zeros(len(sentences))
    waiting = np.ones(len(sentences), dtype=bool)
    while waiting.any() and len(chosen) < wanted:
        value = _RELEVANCE * rank - (1 - _RELEVANCE) * likeness
        best = int(np.argmax(np.where(waiting, value, -np.inf)))
        waiting[best] = False
        fits = len(sentences[best]) + 2 <= left or not chosen
        repeats = any(_repeats(words[best], words[index]) for index in chosen) if max_chars else False
        if max_chars is None or (fits and not repeats):
            chosen.append(best)
            likeness = np.maximum(likeness, similarity[:, best])
            left -= len(sentences[best]) + 2
    return sorted(chosen)


def _repeats(words: frozenset[str], said: frozenset[str]) -> bool:
    return len(words & said) >= _REPEATED * max(1, min(len(words), len(said)))


def _finished(sentence: str) -> str:
    return sentence if not sentence[-1].isalnum() else f"{sentence}."


def _cut(text: str, max_chars: int) -> str:
    if len(text) <= max_chars:
        return text
    kept = text[: max_chars - 1]
    return f"{kept.rpartition(' ')[0] or kept}…"
