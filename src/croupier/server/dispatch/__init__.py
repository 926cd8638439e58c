"""Who can run a function, and how to reach them.

control/ ─ put, drop ─► agents.py (the table) ─► router.py (the choice) ─► link.py (one agent) ─► tunnel
"""
