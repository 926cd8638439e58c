"""The server's gRPC side: agents dial in here, and invokers call here.

`tunnels.py` sessions of agents, `registration.py` ControlService, `functions.py` FunctionService and JobService,
`direct.py` agents that are reachable by address, `directory.py` all of it as operators see it.
"""
