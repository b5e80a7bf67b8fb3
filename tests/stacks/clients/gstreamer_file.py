"""Decodes a file to its end with GStreamer's decodebin. Run by the system's Python, which has GStreamer's bindings.

    gstreamer_file.py PATH [FROM_MS]

With FROM_MS it goes to that moment first, as a player does when somebody clicks into the middle. Prints one JSON object: `told_ms` is
how long the file says it is (null when it does not), `video` and `audio` are what was decoded, each `{"count", "first_ms", "end_ms"}`.
"""

import json
import sys

PACKAGES = "python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"

try:
    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
except (ImportError, ValueError) as missing:
    sys.exit(f"GStreamer is missing ({missing}): install the Debian packages {PACKAGES}")

PATIENCE_NS = 20 * 10**9


class Reader:
    """A pipeline with an end for every stream that decodebin finds."""

    def __init__(self, path):
        self.decoded = {}
        self.pipeline = Gst.parse_launch("filesrc name=file ! decodebin name=decode")
        self.pipeline.get_by_name("file").set_property("location", path)
        self.pipeline.get_by_name("decode").connect("pad-added", self._pad)

    def _pad(self, _decode, pad):
        caps = pad.get_current_caps() or pad.query_caps(None)
        kind = caps.get_structure(0).get_name().partition("/")[0]
        queue, sink = Gst.ElementFactory.make("queue"), Gst.ElementFactory.make("fakesink")
        sink.set_property("signal-handoffs", True)
        sink.set_property("sync", False)
        seen = self.decoded.setdefault(kind, {"count": 0, "first_ms": None, "end_ms": 0})
        sink.connect("handoff", self._buffer, seen)
        for element in (queue, sink):
            self.pipeline.add(element)
        queue.link(sink)
        pad.link(queue.get_static_pad("sink"))
        for element in (sink, queue):
            element.sync_state_with_parent()

    @staticmethod
    def _buffer(_sink, buffer, pad, seen):
        # The time as a player shows it: MP4 with pictures out of order does not count from 0, its edit list does.
        segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
        at = segment.to_stream_time(Gst.Format.TIME, buffer.pts)
        lasts = 0 if buffer.duration == Gst.CLOCK_TIME_NONE else buffer.duration
        seen["count"] += 1
        if seen["first_ms"] is None:
            seen["first_ms"] = at // Gst.MSECOND
        seen["end_ms"] = max(seen["end_ms"], (at + lasts) // Gst.MSECOND)

    def wait(self, wanted):
        """Until a message of this kind; ends the program when there is another story to tell."""
        kinds = wanted | Gst.MessageType.ERROR | Gst.MessageType.ELEMENT
        while message := self.pipeline.get_bus().timed_pop_filtered(PATIENCE_NS, kinds):
            if message.type & wanted:
                return
            if message.type == Gst.MessageType.ERROR:
                sys.exit(f"GStreamer: {message.parse_error()}")
            if message.get_structure().get_name() == "missing-plugin":
                sys.exit(f"GStreamer lacks a plugin: {message.get_structure().to_string()}")
        sys.exit(f"GStreamer came to no end; decoded so far: {self.decoded}")


def main(path, from_ms=None):
    """Decodes and tells."""
    Gst.init(None)
    reader = Reader(path)
    reader.pipeline.set_state(Gst.State.PAUSED)
    reader.wait(Gst.MessageType.ASYNC_DONE)
    known, told = reader.pipeline.query_duration(Gst.Format.TIME)
    if from_ms is not None:
        flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE
        if not reader.pipeline.seek_simple(Gst.Format.TIME, flags, int(from_ms) * Gst.MSECOND):
            sys.exit("GStreamer cannot go to the middle")
        reader.wait(Gst.MessageType.ASYNC_DONE)
    reader.pipeline.set_state(Gst.State.PLAYING)
    reader.wait(Gst.MessageType.EOS)
    reader.pipeline.set_state(Gst.State.NULL)
    print(json.dumps({"told_ms": told // Gst.MSECOND if known and told > 0 else None, **reader.decoded}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
