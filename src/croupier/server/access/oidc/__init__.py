"""Login by an identity provider: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636).

    browser ── GET /api/login/oidc ──► attempt.py: state, nonce, verifier, sealed into a cookie ──► the provider
    browser ◄─────────────────────────────────────────────── code, state ────────────────────────── the provider
       └──── GET …/callback ──► logins.py ──► provider.py: code + verifier ──► token endpoint (fetching.py)
                                    │             └─► id_token.py: signature, iss, aud, exp, iat, nonce
                                    └─► claims.py: who, which groups ──► the account of (issuer, subject) ──► a session

Nothing that the provider or the browser sends is believed before it was checked, and nothing is waited for without end.
"""
