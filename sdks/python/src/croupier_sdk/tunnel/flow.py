from collections import deque

from croupier_sdk.limits import ACK_AFTER_MESSAGES, BATCH_BYTES
from croupier_wire.tunnel.v1.tunnel_pb2 import TunnelMessage


class ProtocolError(Exception):
    """The peer broke the rules of the tunnel: the stream must end. The session may be resumed on another."""


class Flow:
    """Both directions of one session, without I/O: numbers what is sent and keeps it until acknowledged; finds repeats and gaps."""

    def __init__(self) -> None:
        self.received = 0
        """The last number received in order."""
        self.kept_bytes = 0
        self._sent = 0
        self._acknowledged = 0
        self._kept: deque[tuple[int, bytes]] = deque()
        self._arrived = 0
        self._arrived_bytes = 0

    @property
    def ack_due(self) -> bool:
        """So much has arrived since the last acknowledgement that one should be sent at once."""
        return self._arrived >= ACK_AFTER_MESSAGES or self._arrived_bytes >= BATCH_BYTES

    def pack(self, frames: list[bytes]) -> bytes:
        """The next message, carrying `frames`; it is kept."""
        self._sent += 1
        data = TunnelMessage(seq=self._sent, ack=self.received, batch=frames).SerializeToString()
        self._kept.append((self._sent, data))
        self.kept_bytes += len(data)
        self._arrived = self._arrived_bytes = 0
        return data

    def heartbeat(self) -> bytes:
        """A message that only acknowledges; it is not kept."""
        self._arrived = self._arrived_bytes = 0
        return TunnelMessage(type="heartbeat", ack=self.received).SerializeToString()

    def accept(self, message: TunnelMessage, size: int) -> bool:
        """Take note of a message; False if its frames were seen before or it has none.

        Raises ProtocolError for a gap, and for an acknowledgement of what was never sent.
        """
        self.acknowledge(message.ack)
        seq = message.seq
        if seq <= self.received:
            return False
        if seq != self.received + 1:
            raise ProtocolError(f"message {seq} came after {self.received}: something was lost on the way")
        self.received = seq
        self._arrived += 1
        self._arrived_bytes += size
        return True

    def acknowledge(self, seq: int) -> None:
        """The peer has everything up to `seq`: keep it no longer."""
        if seq > self._sent:
            raise ProtocolError(f"the agent acknowledged message {seq}, but only {self._sent} were sent")
        if seq <= self._acknowledged:
            return
        self._acknowledged = seq
        kept = self._kept
        while kept and kept[0][0] <= seq:
            self.kept_bytes -= len(kept.popleft()[1])

    def unacknowledged(self) -> list[bytes]:
        """What a resumed stream must be sent again, in order."""
        return [data for _, data in self._kept]
