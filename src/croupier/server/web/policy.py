"""What browsers may do with what they are sent (CSP, and the headers beside it)."""

from collections.abc import Sequence

Headers = Sequence[tuple[bytes, bytes]]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{nonce}; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

_FEATURES = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)

STATIC: Headers = (
    # A worker has the policy of its own file, and a picture that is opened by itself is a document.
    (b"content-security-policy", _POLICY.format(nonce="").encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

_DOCUMENT: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", ", ".join(f"{name}=()" for name in _FEATURES).encode()),
    (b"x-frame-options", b"DENY"),
)


PLUGIN_FILE: Headers = (
    # A frame without an origin asks for modules with CORS, and gets nothing that is kept to this origin.
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def plugin_frame(files: str, origin: str) -> Headers:
    """For the document that a plugin runs in: it may load what is below `files` and talk to the page of `origin` around it.

    Both are named in full: what `'self'` means to a document without an origin differs from browser to browser.
    """
    told = (
        "sandbox allow-scripts; default-src 'none'; "
        f"script-src {files}; style-src {files} 'unsafe-inline'; img-src {files} data: blob:; font-src {files} data:; "
        f"connect-src 'none'; worker-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {origin}"
    )
    return (
        (b"content-security-policy", told.encode()),
        (b"cache-control", b"no-store"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", ", ".join(f"{name}=()" for name in _FEATURES).encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-dns-prefetch-control", b"off"),
    )


def document(nonce: str) -> Headers:
    """For index.html. The page's own style elements carry `nonce`; nothing else in it may style or run."""
    policy = _POLICY.format(nonce=f" 'nonce-{nonce}'")
    return ((b"content-security-policy", policy.encode()), *_DOCUMENT)
