"""In-context examples: solved requests that are near to the one at hand."""

from tinyagent.planners.examples.files import load_index
from tinyagent.planners.examples.finder import ExampleFinder, FindExamples, no_examples
from tinyagent.planners.examples.index import ExampleIndex

__all__ = ["ExampleFinder", "ExampleIndex", "FindExamples", "load_index", "no_examples"]
