"""The agent: it stands beside the game servers, dials the server, and passes calls and jobs between them.

    server ◄──uplink──┐                          ┌── attachments ◄── game server that dials in (our SDKs)
                      ├──► forward ──► a server ─┤
    local caller ─────┘        ▲                 └── foreign ──────► game server that listens (any gRPC stub)
                               │
                    instances, choice: which one

- `instances.py` the table of game servers, `choice.py` who takes a call: no I/O.
- `game_server.py` what either kind of game server can do; `attachments.py` by a stream, `foreign_server.py` by its address
  (`foreign.py` its messages, `foreign_jobs.py` its jobs).
- `registrar.py` takes registrations by address, keeps them on disk (`registrations.py`) and drops the dead.
- `forward.py` one call on its way; `resend.py` what becomes of calls whose game server was lost; `jobs.py` which job runs where (`tracked_job.py` what is known of one), `job_keeper.py` and
  `spool.py` what of it is on disk; `local_jobs.py` the jobs of local callers.
- `local.py` and `local_functions.py` the gRPC services for this machine; `uplink.py` and `control.py` the way to the server.
- `health.py` and `metrics.py` for operators; `app.py` puts it together.

What it does is described in docs/reference/agent.md.
"""
