"""Handlers at work: calls with deadlines, jobs with events, threads for what blocks.

Calls ──┬─ async handler: one task on the loop
└─ sync handler:  Workers (threads) ──► outcome back on the loop
Jobs ─── the same, and a context whose events go to a JobEvents (the tunnel's, or a listener's)
"""
