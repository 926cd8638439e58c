"""A page as the build makes it, small."""

from pathlib import Path

INDEX = """<!doctype html>
<html lang="en">
<head>
<meta name="csp-nonce" content="__CSP_NONCE__">
<script type="module" nonce="__CSP_NONCE__" src="/assets/index-B1cD2eF3.js"></script>
<link rel="stylesheet" nonce="__CSP_NONCE__" href="/assets/index-Zz9_-xY1.css">
</head>
<body><div id="root"></div></body>
</html>
"""
SCRIPT = b"console.log('croupier');\n" * 50
PACKED = b"what brotli makes of it"
STYLE = b"body { margin: 0 }\n"
ICON = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def build_page(folder: Path, index: str = INDEX) -> Path:
    """`folder`, with the page in it."""
    assets = folder / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    (assets / "index-B1cD2eF3.js").write_bytes(SCRIPT)
    (assets / "index-B1cD2eF3.js.br").write_bytes(PACKED)
    (assets / "index-Zz9_-xY1.css").write_bytes(STYLE)
    (folder / "favicon.svg").write_bytes(ICON)
    (folder / "index.html").write_text(index, "utf-8")
    return folder
