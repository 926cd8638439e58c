"""The tunnel: one stream that a connector opens outwards, over which an acceptor calls it.

    agent (Connector) ──uplink──► server (Acceptor)        game server (SDK) ──attachment──► agent (Acceptor)

      acceptor side                                              connector side
      call()  ─► Acceptor ─► Link ─► [batch seq=7 ack=4] ─►  Link ─► Connector ─► Execute
      token ◄─ Completed ◄── Link ◄─ [batch seq=5 ack=7] ◄─  Link ◄── answer()

- `frames.py` values, `codec.py` their bytes, `status.py` errors as gRPC statuses.
- `link.py` numbers, batches, acknowledges and resends messages; a stream may break, a session goes on.
- `acceptor.py` and `connector.py` are the two ends as state machines: bytes and time in, events and bytes out, no I/O.
- `stream.py` is the port to a transport; `grpc.py` is grpcio; `peer.py` pumps a machine over whatever streams come.

The protocol is described in docs/reference/tunnel.md.
"""
