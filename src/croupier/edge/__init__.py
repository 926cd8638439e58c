"""The edge: agents and callers dial it, it relays their calls to a server as bytes. It opens no payload and keeps nothing.

    agent ─ Open ──┐              ┌─────────── links.py ───────────┐
    caller ─ Invoke┴─► passing.py ┤ the link with the fewest calls ├─► server
                                  └────── the server dials, or ────┘
                                          the edge does

`app.py` puts it together. The link itself is `croupier.relay`; docs/reference/edge.md describes it.
"""
