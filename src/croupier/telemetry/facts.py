from croupier.domain.call import Call
from croupier.telemetry import Facts


def facts_of(call: Call) -> Facts:
    """What a span tells of a call: who runs what where, never with which payload."""
    return {
        "croupier.call": call.id,
        "croupier.function": call.function_id,
        "croupier.game": call.scope.game_id,
        "croupier.env": call.scope.env,
        "croupier.route": call.route,
    }
