"""The attachment to the agent: one stream, called over it in both directions (docs/reference/tunnel.md).

agent ══ stream ══► attachment ── bytes ──► session ── frames ──► calls, jobs
◄═════════════ (I/O)     ◄── bytes ──  (no I/O) ◄── answers, job events ──┘
│
├ flow     numbers, acknowledges, keeps, resends
└ outbox   one job's events until the agent has stored them
"""
