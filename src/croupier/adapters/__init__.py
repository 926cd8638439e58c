"""Other systems as functions: each adapter is a provider, written with the SDK as a game developer would write one.

    agent ◄── attached stream ── Provider ── prometheus.py alertmanager.py grafana.py ── upstream.py ── HTTP ──► one system
                                     │              (times.py: moments and durations)       │
                                     │                                                 secret.py (a token, sent and masked)
                                     └────────── http/ ── any host that is allowed, at an address that is allowed

`app.py` puts one together from its settings. What an operator may ask is checked before anything is sent; an answer is read up to a
bound and never trusted; a token comes from where the settings name it, and leaves only in a request's header.
"""
