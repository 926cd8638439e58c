"""A sample game server: 200 players in a SQLite file, and what operators do to them. It knows the SDK only, as any game would.

python -m croupier.demo --agent 127.0.0.1:19090 --data DIR
"""

from croupier.demo.game import build, serve

__all__ = ["build", "serve"]
