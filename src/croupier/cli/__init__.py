"""The command line.

main.py ─ names the commands, loads one when it is asked for
├── serving: server.py agent.py dev.py ── process.py (signals, loop) logs.py
└── calling: invoke.py job.py registry.py
│ connection.py (flags and settings) payload.py (arguments)
▼
client.py ──HTTP──► server            sse.py following.py (a job's events, resumed when cut)
│
▼
exits.py (problems, exit codes)       terminal.py progress.py (what a person sees)
"""
