"""Why somebody may or may not, before anything happens: every gate that a call would pass, each with its verdict and its rule.

    Question ─► Explain ─► Inspector: assigned, descriptor, permission, allow_if, maintenance, rate and concurrency, schema, budget,
                   │               approval (product A4; as admission asks them), and for one's own call, route
                   └─► Explanation: allowed? · the gates · who would have to agree · whom it would affect

    Matrix: which role may call which functions

Nothing is sent, counted, held or put on record, so a page asks while somebody types.
"""

from croupier.server.explain.answers import Affected, Explanation, Gate, Says
from croupier.server.explain.explain import Explain, Question
from croupier.server.explain.matrix import Matrix, MatrixPage, MatrixRow

__all__ = ["Affected", "Explain", "Explanation", "Gate", "Matrix", "MatrixPage", "MatrixRow", "Question", "Says"]
