"""One received track: its layers, who receives which of them, and the tap. A muted track goes nowhere."""

import itertools
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pymeet.ids import new_id
from pymeet.sfu.codecs import CodecChoice
from pymeet.sfu.consumer import Consumer
from pymeet.sfu.events import Wanted
from pymeet.sfu.layer import Layer
from pymeet.sfu.ports import Port
from pymeet.sfu.scalable import PointLayer, Rung
from pymeet.sfu.switching import Receiver
from pymeet.sfu.tap import Tap, TapFeed

if TYPE_CHECKING:
    from pymeet.sfu.publish import PublishTransport
    from pymeet.sfu.voices import Voice

Source = Literal["microphone", "camera", "screen", "screen_audio"]

_LEVELS = 50
"""A second of them: for those of whom nobody asks."""
_UNWANTED_S = 2.0
_NOTHING_LOWER_S = 2.0
_OVER_S = 10.0
"""So long after its last packet nothing about a track changes any more by itself."""
_USUAL_LINES = 720
_CLEARLY = 1.5
_MOVED = 0.05
_ENOUGH = 0.8
"""A picture is enlarged by a quarter before a larger one is fetched."""


class Track:
    """A published microphone, camera or screen, as rooms see it and as packets meet it."""

    def __init__(
        self,
        transport: "PublishTransport",
        mid: str,
        source: Source,
        choice: CodecChoice,
        port: Port,
        now: float,
        rids: Sequence[str] = ("",),
        *,
        is_scalable: bool = False,
    ) -> None:
        self.id = new_id()
        self.transport = transport
        self.owner = transport.owner
        self.mid = mid
        self.source: Source = source
        self.choice = choice
        self.codec = choice.codec.name.lower()
        self.kind: Literal["audio", "video"] = "audio" if choice.codec.clock_rate == 48000 else "video"
        self.muted = False
        self.withheld = False
        """Whether receivers get nothing of it, because there are louder voices; a tap does."""
        self.closed = False
        self.has_levels = False
        """Whether its packets tell how loud they are."""
        self.levels: deque[int] = deque(maxlen=_LEVELS)
        """How loud packets were since somebody asked."""
        self.voice: Voice | None = None
        """Who is to know at once how loud they are."""
        self.revision = 0
        """Counts the changes of what receivers share their bandwidth by: layers, their sizes and rates, mute."""
        self._shape: tuple[object, ...] = ()
        self._rates: list[int] = []
        self.rids = tuple(rids)
        """The names of the layers as the sender listed them."""
        self.streams = [
            Layer(self, rid, place, port, now, is_layered=len(rids) > 1, is_scalable=is_scalable and place == 0)
            for place, rid in enumerate(rids)
        ]
        """Lowest first. Which is lower than which is as the sender listed them, until pictures tell."""
        self.layers: list[Rung] = []
        """What receivers can be sent, lowest first: the streams, and before each the parts of it that suffice for less."""
        self._lay_out()
        self.receivers: dict[Consumer, Receiver] = {}
        self.feed = TapFeed(self.streams[-1])
        self._begun_at = now
        self._live = [False] * len(self.streams)
        self._told: tuple[str, ...] | None = (
            None  # the track before it in this section may have said what does not hold for it
        )

    def set_muted(self, muted: bool, now: float) -> None:
        """Stops or starts forwarding at once, whatever the client goes on sending."""
        if muted == self.muted:
            return
        self.muted = muted
        self._revise()
        if muted:
            self.pause(self.layers, now)
            self.feed.muted()
            self.levels.clear()
        else:
            self._begun_at = now
            self.request_keyframe(now)
            for stream in self.streams:
                if stream.has_waiting:
                    stream.request_keyframe(now)

    def move(self, transport: "PublishTransport", choice: CodecChoice, now: float) -> None:
        """It comes by another connection of its sender's from now on. Receivers go on with the next key frame, under the
        numbers that they know; nobody has to be told."""
        self.transport = transport
        self.choice = choice
        self._begun_at = now
        self._told = None
        for stream in self.streams:
            stream.take_ssrc(None, now)

    def set_withheld(self, withheld: bool, now: float) -> None:
        """Stops or starts sending it to receivers; sound begins again with its next packet."""
        if withheld != self.withheld:
            self.withheld = withheld
            if withheld:
                self.pause(self.layers, now)

    # -- who receives -------------------------------------------------------------------------------------------

    def add(self, consumer: Consumer, now: float, rank: int | None = None) -> None:
        """A receiver wants this track, in the layer of this rank (see `prefer`). Unless said otherwise, that is the highest, and plain
        sound."""
        receiver = self.receivers[consumer] = Receiver(consumer, self._usual_rank if rank is None else rank)
        receiver.follow(self._choose(receiver.wish, None, now), now)
        self._wake(now)

    @property
    def _usual_rank(self) -> int:
        return 0 if self.kind == "audio" else len(self.layers) - 1

    def remove(self, consumer: Consumer, now: float) -> None:
        """A receiver no longer wants it."""
        receiver = self.receivers.pop(consumer, None)
        if receiver is not None:
            receiver.leave(now)

    def prefer(self, consumer: Consumer, rank: int, now: float) -> None:
        """A receiver wants the layer of this rank: 0 is the lowest, -1 none at all. It changes with the next key frame."""
        receiver = self.receivers.get(consumer)
        if receiver is not None and receiver.wish != rank:
            receiver.wish = rank
            receiver.follow(self._choose(rank, receiver.layer, now), now)
            self._wake(now)

    def _wake(self, now: float) -> None:
        """What is wanted may have changed: its sender is told at once."""
        if len(self.layers) > 1:
            self.transport.wake(now)

    def is_quick(self, consumer: Consumer, rank: int) -> bool:
        """Whether a receiver can go over from what it is sent to the layer of this rank at once, without a key frame."""
        receiver = self.receivers.get(consumer)
        if receiver is None or receiver.layer is None or not 0 <= rank < len(self.layers):
            return False
        scalable = receiver.layer.stream.scalable
        return scalable is not None and scalable.needs_no_keyframe(receiver.layer, self.layers[rank])

    def rank_of(self, consumer: Consumer) -> int:
        """Which layer the receiver is being sent, or waits for when it is sent none; -1 for none."""
        receiver = self.receivers.get(consumer)
        if receiver is None or receiver.layer is None:
            return -1
        # a part of a stream that is no longer the lowest is no choice any more, but goes on until a key frame
        layer = receiver.layer if receiver.layer in self.layers else receiver.layer.stream
        return self.layers.index(layer)

    def rank_for(self, lines: int) -> int:
        """The lowest layer that fills a picture of so many lines; -1 for none when there are no lines to fill."""
        if lines <= 0:
            return -1
        whole = [layer for layer in self.layers if not (isinstance(layer, PointLayer) and layer.is_slowed)]
        for place, layer in enumerate(whole):
            if self._lines(whole, place) >= _ENOUGH * lines:
                return self.layers.index(layer)
        return len(self.layers) - 1

    def _lines(self, layers: list[Rung], rank: int) -> float:
        """How high the pictures of a layer are. What is not known is half of what is above, as senders have it."""
        for known in range(len(layers) - 1, -1, -1):
            if layers[known].height and (known == rank or not layers[rank].height):
                return layers[known].height * 2.0 ** (rank - known)
        return _USUAL_LINES * 2.0 ** (rank - len(layers) + 1)

    def _choose(self, rank: int, current: Rung | None, now: float) -> Rung | None:
        """The layer to send to whom wants this rank: that one or the highest that lives below. Where none has lived for
        a while, any."""
        layers = self.layers
        if rank < 0:
            return None
        if self.kind == "audio" or len(layers) == 1:
            return layers[min(rank, len(layers) - 1)]
        lower = layers[: rank + 1]
        for layer in reversed(lower):
            if layer.is_live(now):
                return layer
        if now - max(self._begun_at, *(layer.heard_at for layer in lower)) > _NOTHING_LOWER_S:
            for layer in layers[rank + 1 :]:
                if layer.is_live(now):
                    return layer
        return current or lower[-1]

    def settle(self, now: float) -> None:
        """A layer has come, gone, or become another size: everybody gets what suits best now."""
        self._live = [stream.is_live(now) for stream in self.streams]
        for receiver in self.receivers.values():
            receiver.follow(self._choose(receiver.wish, receiver.layer, now), now)
        best = self._choose(len(self.layers) - 1, self.feed.layer, now)
        if best is not None:
            self.feed.aim(best.stream, now)

    def put_in_order(self, now: float) -> None:
        """Puts the lowest layer first: by the size of the pictures, or where that is not to be seen by the bits they take.

        A layer that was never sent, as the highest on a slow line, stands where it was listed, from whichever end that is.
        """
        in_order = self.streams
        heights = [stream.height for stream in self.streams if stream.height]
        if len(heights) == len(self.streams):
            in_order = sorted(self.streams, key=lambda stream: stream.height)
        elif len(heights) > 1:
            is_falling = all(a > b for a, b in itertools.pairwise(heights))
            in_order = self.streams[::-1] if is_falling else self.streams
        elif not heights:
            by_rate = sorted(self.streams, key=lambda stream: stream.rate_bps)
            if all(b.rate_bps > _CLEARLY * a.rate_bps > 0 for a, b in itertools.pairwise(by_rate)):
                in_order = by_rate
        if in_order != self.streams:
            self.streams = in_order
            self._lay_out()
            self.settle(now)
        self._revise()

    def _lay_out(self) -> None:
        # above the lowest stream, the one below is better than fewer pictures
        self.layers = [*self.streams[0].family, *self.streams[1:]]

    def grown(self, now: float) -> None:
        """A stream has shown that it has more parts. Who wished for a layer goes on wishing for that one."""
        before = self.layers
        self._lay_out()
        for receiver in self.receivers.values():
            if receiver.wish >= 0:
                receiver.wish = self.layers.index(before[min(receiver.wish, len(before) - 1)])
        self.settle(now)
        self._revise()

    def request_keyframe(self, now: float, consumer: Consumer | None = None) -> None:
        """Asks the publisher for a key frame of what this receiver is sent, or else of what the tap gets."""
        receiver = None if consumer is None else self.receivers.get(consumer)
        layer = self.feed.layer if receiver is None else receiver.layer
        if layer is not None:
            layer.request_keyframe(now)

    def pause(self, layers: Sequence[Rung], now: float) -> None:
        """Nobody gets anything from these until there is a key frame."""
        for receiver in self.receivers.values():
            if receiver.layer in layers:
                receiver.note_last()
        for layer in layers:
            layer.fanout.pause(now)

    def forget_clock(self, layer: Layer) -> None:
        """The timestamps of a layer are others from now on."""
        for receiver in self.receivers.values():
            if receiver.clock is layer:
                receiver.clock = None

    def close(self, now: float) -> None:
        """The track ends for everybody."""
        self.closed = True
        self.feed.tap = None
        for consumer in list(self.receivers):
            self.remove(consumer, now)
        self.pause(self.layers, now)  # its packets are forgotten now, not whenever the collector finds the track

    def set_tap(self, tap: Tap | None, now: float) -> None:
        """Gives every packet of the highest layer from now on to `tap` too, or to none any more.

        The tap is told the newest sender report, and `restarted` whenever another layer takes over.
        """
        highest = self._choose(len(self.layers) - 1, None, now) or self.layers[-1]
        self.feed.set(tap, highest.stream, now)
        self._wake(now)

    # -- time ---------------------------------------------------------------------------------------------------

    def watch(self, now: float) -> None:
        """To be called many times a second while packets come: sees which layers live, and which somebody wants."""
        if self.kind == "audio" or len(self.layers) == 1:
            return
        if not self.muted and self._live != [stream.is_live(now) for stream in self.streams]:
            self.settle(now)
        if not any(self.rids):
            return
        asked = self._asked()
        for stream in asked:
            stream.want(now, _UNWANTED_S)
        for lower, stream in reversed([*itertools.pairwise(self.streams)]):
            # below a layer that its sender cannot send for now, the next best
            if stream in asked and now - max(stream.heard_at, stream.wanted_since) > _UNWANTED_S:
                asked.add(lower)
                lower.want(now, _UNWANTED_S)
        wanted = {stream.rid for stream in self.streams if now - stream.wanted_at < _UNWANTED_S}
        told = tuple(rid for rid in self.rids if rid in wanted)
        if told != self._told:
            self._told = told
            self.transport.tell(Wanted(self.mid, told))

    def _asked(self) -> set[Layer]:
        """The streams that somebody gets or should get. The lowest is one as long as there is anybody: to fall back on it
        must not take a round trip to its sender."""
        top = len(self.layers) - 1
        wanted: set[Layer] = set()
        for receiver in self.receivers.values():
            if receiver.wish >= 0:
                wanted.add(self.layers[min(receiver.wish, top)].stream)
            wanted |= {layer.stream for layer in (receiver.layer, receiver.target) if layer is not None}
        if self.feed.tap is not None:
            wanted |= {self.streams[-1], self.feed.layer, self.feed.target}
        if wanted:
            wanted.add(self.streams[0])
        return wanted

    def keep_up(self, now: float) -> None:
        """Once a second: lets numbers move along, and measures."""
        for stream in self.streams:
            stream.keep_up(now)
        self.feed.keep_up()
        if now - max(self._begun_at, *(stream.heard_at for stream in self.streams)) > _OVER_S:
            return
        if self.kind == "video" and len(self.layers) > 1 and not self.muted:
            self.put_in_order(now)
            self.settle(now)
        self._revise()

    def _revise(self) -> None:
        """Counts on when receivers would share their bandwidth otherwise now. Rates are never quite the same."""
        shape = (self.muted, self.withheld, *((layer, layer.width, layer.height) for layer in self.layers))
        rates = [layer.usual_bps for layer in self.layers]
        if shape != self._shape or any(
            abs(new - old) > _MOVED * old for new, old in zip(rates, self._rates, strict=True)
        ):
            self.revision += 1
            self.transport.sfu.revisions += 1
            self._shape, self._rates = shape, rates

    def hear(self, level: int, now: float) -> None:
        """Takes how loud a packet is that has just come, 0 (silence) to 127."""
        if not self.muted:
            self.levels.append(level)
            if self.voice is not None:
                self.voice.hear(level, now)

    def take_levels(self) -> tuple[int, ...]:
        """How loud each packet was since the last call."""
        levels = tuple(self.levels)
        self.levels.clear()
        return levels
