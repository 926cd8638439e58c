"""The link between an edge and a server: many gRPC calls over one stream, their messages as the bytes that came.

    agent ── call ──► edge: stream 1 ┐                       ┌ stream 1: handler ── as if the agent had called the server
    agent ── call ──► edge: stream 3 ┼── link ──► ◄── link ──┼ stream 3: handler
    caller ─ call ──► edge: stream 5 ┘  (either side dials)  └ stream 5: handler

    write ─► credit? ─► lane of the stream ─┐                  ┌─► inbox of the stream ─► read ─► credit back
    write ─► credit? ─► lane of the stream ─┴► Mux.take ─ … ─► Mux.receive

- `frames.py` values, `codec.py` their bytes, `machine.py` the multiplexer as a state machine: bytes in, events out, no I/O.
- `handshake.py` both ends prove that they know the link token, which itself never travels.
- `link.py` pumps a machine over a stream and hands out logical streams; `dialing.py` dials for ever.
- `context.py` a logical stream as the context of a gRPC method, so that a handler does not know the difference.

What a lost link means is the business of what it carried: the session of a tunnel resumes over another one.
The protocol is described in docs/reference/edge.md.
"""
