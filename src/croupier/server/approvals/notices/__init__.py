"""Notices about approvals to people outside: written with the change that they tell of, sent later, tried again.

    gate, deciding, executor ──► outbox: one for each webhook ──► store (same commit) ──► sending ──► webhook ──► chat
                                                                     ▲                       │
                                                                     └── later, or given up ─┘

A notice names the function, who asks and why, and links to the page. It holds no arguments, and nothing to approve with.
"""
