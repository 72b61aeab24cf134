"""tinyagent: a private assistant agent that plans and acts on your own computer."""

__version__ = "0.1.0"
