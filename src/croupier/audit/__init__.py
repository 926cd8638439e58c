"""The chain of the audit record, without a server: what is computed of its rows, the form of exports, and their verification.

    row 1 ──────► row 2 ──────► row 3 ──────► …            row:  canonical JSON (RFC 8785), `rows.py`
     │             │             │
    hash 1 ─────► hash 2 ─────► hash 3 ─────► …            hash: SHA-256 of the hash before and the row
     │             │             │                               anyone can compute it: it shows what does not fit together
    mac 1         mac 2         mac 3                      mac:  HMAC-SHA-256 of the hash, under the deployment's key
                   │                                             only the deployment can compute it: it shows what was made up
               checkpoint: (seq, hash) signed by ed25519   anyone with the public key can check it, and keep it elsewhere

A hash stands for everything before it, so one mac or one checkpoint vouches for all rows up to it.
"""
