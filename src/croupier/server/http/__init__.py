"""The server's HTTP side.

    request ─► front.py       host, token, size ─┬─► entry.py   calls and job starts, straight on ASGI ─► ports.Calls, Jobs
                                                 └─► FastAPI    jobs.py (stream.py) directory.py health.py
    answer  ◄─ problems.py    every failure, one table of statuses

`app.py` puts it together from the ports; `ports.py` says what the server behind must offer.
"""
