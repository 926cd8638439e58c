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


def document(nonce: str) -> Headers:
    """For index.html. The page's own style elements carry `nonce`; nothing else in it may style or run."""
    policy = _POLICY.format(nonce=f" 'nonce-{nonce}'")
    return ((b"content-security-policy", policy.encode()), *_DOCUMENT)
