"""A typed Python function becomes a function of the platform.

signature ──► shapes (JSON Schema, reader) ──┐
docstring ──► summary, descriptions ─────────┼──► Function ──► manifest entry
decorator ──► Options (id, risk, timeout) ───┘
"""
