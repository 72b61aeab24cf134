"""Rows written by a grammar: a form for nearly every way to ask for each tool, alone and together."""

from tinyagent.training.grammar.generation import Sample, grammar_rows, samples
from tinyagent.training.grammar.phrasings import distinct_phrasings, skeleton

__all__ = ["Sample", "distinct_phrasings", "grammar_rows", "samples", "skeleton"]
