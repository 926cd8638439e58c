"""Certificates of machines: an authority that issues them, what is asked of it, what a machine keeps.

    authority.py    the CA: its key, and what it signs           request.py     a machine's key and its CSR
    names.py        who a certificate says its holder is         join.py        join tokens
    identity.py     certificate, key and CA as files of a machine, replaced as a whole

Keys are EC P-256, which every TLS library takes; signatures ECDSA with SHA-256. Nothing here knows gRPC or HTTP.
"""
