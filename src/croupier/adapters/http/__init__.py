"""Any HTTP call, within walls that stand one behind the other.

arguments ─► headers.py    nothing that changes the connection, no credentials of the caller's
          ─► allowed.py    the host and port are on the list: for the first request and for every redirect
          ─► target.py     one request; its token by host; the answer bounded and masked
          ─► addresses.py  the address itself, looked at where the socket is made: whatever a name means by then
"""
