"""The command line.

main.py ─ names the commands, loads one when it is asked for
   ├── serving: server.py agent.py dev.py ── process.py (signals, loop) parts.py logs.py
   └── calling: invoke.py job.py registry.py
                   │ connection.py flags.py (settings) payload.py (arguments)
                   ▼
                client.py ──HTTP──► server       sse.py following.py (a job's events, resumed when cut)
                   │
                   ▼
                exits.py (problems, exit codes)  terminal.py progress.py (what a person sees)
"""
