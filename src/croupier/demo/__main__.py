import argparse
import logging
from pathlib import Path

import uvloop

from croupier.demo.game import PLAYERS, build


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m croupier.demo", description="A sample game server.")
    parser.add_argument("--agent", default="127.0.0.1:19090", help="where the agent listens (default: %(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the game's database and exports")
    parser.add_argument("--service-id", default="game-1", help="default: %(default)s")
    parser.add_argument("--game", default="demo", help="default: %(default)s")
    parser.add_argument("--env", default="dev", help="default: %(default)s")
    parser.add_argument("--mode", choices=["attach", "listen"], default="attach", help="default: %(default)s")
    parser.add_argument("--listen", default="127.0.0.1:0", help="the address for --mode listen (default: %(default)s)")
    parser.add_argument("--players", type=int, default=PLAYERS, help="players of a new database (default: %(default)s)")
    return parser.parse_args()


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    game = build(
        options.data,
        players=options.players,
        agent=options.agent,
        service_id=options.service_id,
        game_id=options.game,
        env=options.env,
        mode=options.mode,
        listen=options.listen,
    )
    game.run(loop_factory=uvloop.new_event_loop)


if __name__ == "__main__":
    main()
