"""The Model Context Protocol: other assistants call the tools, or hand over a whole request in words.

Every call is a run: it is planned or given, checked, approved, recorded and carried out as any other.
"""
