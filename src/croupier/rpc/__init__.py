"""gRPC servers that speak both of the contract's codecs.

`codec.py` is the contract's JSON (section 2); `service.py` turns plain coroutines into methods that take either codec and
answer in the one they were asked in, with errors as proper codes, health and reflection.
"""
