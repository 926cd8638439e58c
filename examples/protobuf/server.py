"""A game server that speaks protobuf: its handlers take and return the messages of arena.proto.

python -m grpc_tools.protoc -I. -I"$(protoc-gen-croupier --include)" --python_out=. arena.proto
python server.py [--agent 127.0.0.1:19090]
"""

import argparse
import time

from arena_pb2 import (
    BAN_KIND_TEMPORARY,
    BanRequest,
    BanResponse,
    FindRequest,
    GiftRequest,
    GiftResponse,
    Item,
    Player,
)

from croupier_sdk import JobContext, Provider, Rejected


def build(agent: str, service_id: str) -> Provider:
    game = Provider(agent=agent, service_id=service_id, game_id="demo", env="dev", version="1.2.0")

    @game.function("arena.ban", version="1.2.0", risk="high")
    def ban(request: BanRequest) -> BanResponse:
        if not request.player_id:
            raise Rejected("whom? player_id is empty")
        answer = BanResponse(banned=True)
        if request.kind == BAN_KIND_TEMPORARY:
            answer.until.FromSeconds(int(time.time()) + request.lasts.seconds)
        return answer

    @game.function("arena.find", mode="query")
    def find(request: FindRequest) -> Player:
        name = request.player_id or f"account-{request.account}"
        friend = Player(player_id="p-2", coins=7)
        return Player(player_id=name, coins=2**53 + 1, bag=[Item(item_id="sword", count=1)], friends=[friend])

    @game.job("player.send_gift", risk="medium")
    async def send_gift(request: GiftRequest, job: JobContext) -> GiftResponse:
        for number, player_id in enumerate(request.player_ids, 1):
            await job.progress(100 * number // len(request.player_ids), f"sent to {player_id}")
        return GiftResponse(sent=len(request.player_ids))

    return game


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", default="127.0.0.1:19090")
    parser.add_argument("--service-id", default="arena-1")
    chosen = parser.parse_args()
    build(chosen.agent, chosen.service_id).run()


if __name__ == "__main__":
    main()
