"""Publishes by WHIP or plays by WHEP with GStreamer's webrtcbin. Run by the system's Python, which has GStreamer's bindings.

    gstreamer.py publish URL vp8|h264 [TOKEN]
    gstreamer.py simulcast URL vp8|h264 [TOKEN]    the picture in three sizes
    gstreamer.py play URL vp8|h264 [TOKEN]

Prints a JSON object a line: `{"state": …}` when the connection changes, `{"frames": …, "audio": …}` several times a second
(what was decoded), `{"deleted": status}` at the end. It ends when its standard input closes.
"""

import json
import sys
import threading
import urllib.error
import urllib.request
from urllib.parse import urljoin

PACKAGES = (
    "python3-gi gir1.2-gst-plugins-bad-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad "
    "gstreamer1.0-nice"
)
ELEMENTS = {
    "gstreamer1.0-plugins-base": ("opusenc", "opusdec", "videotestsrc", "audiotestsrc", "videoconvert", "videoscale"),
    "gstreamer1.0-plugins-good": ("rtpbin", "vp8enc", "vp8dec", "rtpvp8pay", "rtph264pay", "rtpfunnel"),
    "gstreamer1.0-plugins-bad": ("webrtcbin", "dtlsdec", "srtpdec", "h264parse", "openh264enc", "openh264dec"),
    "gstreamer1.0-nice": ("nicesrc",),
}

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtp", "1.0")
    gi.require_version("GstSdp", "1.0")
    gi.require_version("GstWebRTC", "1.0")
    from gi.repository import GLib, Gst, GstRtp, GstSdp, GstWebRTC
except (ImportError, ValueError) as missing:
    sys.exit(f"GStreamer is missing ({missing}): install the Debian packages {PACKAGES}")

ENCODERS = {
    "vp8": "vp8enc deadline=1 cpu-used=8 keyframe-max-dist={gop} target-bitrate={bps} ! rtpvp8pay name={name} pt=96 "
    "picture-id-mode=15-bit",
    "h264": "openh264enc complexity=low bitrate={bps} gop-size={gop} ! video/x-h264,profile=constrained-baseline ! "
    "h264parse ! rtph264pay name={name} pt=96 config-interval=-1 aggregate-mode=zero-latency",
}
DECODERS = {
    "OPUS": "rtpopusdepay ! opusdec",
    "VP8": "rtpvp8depay ! vp8dec",
    "H264": "rtph264depay ! h264parse ! openh264dec",
}
AUDIO_CAPS = "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2"
VIDEO_CAPS = {
    "vp8": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
    "h264": "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f",
}
SIZES = {"hi": (1280, 720, 1_200_000), "mid": (640, 360, 400_000), "lo": (320, 180, 150_000)}
"""Of simulcast: width, height, bits per second, by RID."""
SDES = "urn:ietf:params:rtp-hdrext:sdes:"
EXTENSIONS = {1: ("mid", SDES + "mid"), 2: ("rid", SDES + "rtp-stream-id")}
SEPARATOR = r"\;"  # as caps write a semicolon
SIMULCAST_CAPS = (
    "a-mid=(string)picture,"
    + "".join(f"extmap-{number}=(string){uri}," for number, (_, uri) in EXTENSIONS.items())
    + "".join(f"rid-{rid}=(string)send," for rid in SIZES)
    + rf'a-simulcast=(string)"send\ {SEPARATOR.join(SIZES)}"'
)
SOUND = (
    "audiotestsrc is-live=true volume=0.3 ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! queue ! opusenc ! "
    "rtpopuspay pt=97 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer. "
)


def one_size(codec):
    """A picture as most publish it."""
    return (
        "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1 ! videoconvert ! queue ! "
        f"{ENCODERS[codec].format(bps=600_000, gop=30, name='pay')} ! "
        f"application/x-rtp,media=video,encoding-name={codec.upper()},payload=96 ! peer. "
    )


def three_sizes(codec):
    """One picture, three encoders, and a funnel: what its caps name is what webrtcbin offers.

    A key frame a second: the funnel inside webrtcbin (1.22) does not know the sizes, and drops what is asked of one of them.
    """
    source = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=1280,height=720,framerate=10/1 ! videoconvert ! tee name=camera "
    return f"rtpfunnel name=funnel ! {VIDEO_CAPS[codec]},{SIMULCAST_CAPS} ! peer. {source}" + "".join(
        f"camera. ! queue ! videoscale ! video/x-raw,width={width},height={height} ! "
        f"{ENCODERS[codec].format(bps=bps, gop=10, name=rid)} ! funnel. "
        for rid, (width, height, bps) in SIZES.items()
    )


def say(**what):
    """One line for the test."""
    print(json.dumps(what), flush=True)


class Client:
    """One peer connection."""

    def __init__(self, role, url, codec, token=""):
        self.url, self.codec, self.location = url, codec, ""
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.frames = self.audio = 0
        self.kept = []  # what the bindings would free too early
        self.loop = GLib.MainLoop()
        if role != "play":
            picture = three_sizes(codec) if role == "simulcast" else one_size(codec)
            self.pipeline = Gst.parse_launch("webrtcbin name=peer bundle-policy=max-bundle " + picture + SOUND)
            if role == "simulcast":
                self.name_sizes()
            self.peer = self.pipeline.get_by_name("peer")
            self.peer.connect("on-negotiation-needed", lambda _: self.create_offer())
        else:
            self.pipeline = Gst.Pipeline.new("player")
            self.peer = Gst.ElementFactory.make("webrtcbin", "peer")
            self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(self.peer)
            self.peer.connect("pad-added", self.show)
        ice = self.peer.get_property("ice-agent")
        self.kept.append(ice)  # it is handed out without a reference of one's own
        ice.emit(
            "add-local-ip-address", "127.0.0.1"
        )  # by itself it takes the other interfaces and binds itself to them
        ice.get_property("agent").set_property("upnp", False)
        self.peer.connect("notify::connection-state", self.changed)
        self.pipeline.get_bus().add_signal_watch()
        self.pipeline.get_bus().connect("message::error", self.failed)
        self.pipeline.set_state(Gst.State.PLAYING)
        if role != "play":
            for i in range(2):
                transceiver = self.peer.emit("get-transceiver", i)
                transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        else:
            for caps in (AUDIO_CAPS, VIDEO_CAPS[codec]):
                direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
                self.peer.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
            GLib.idle_add(self.create_offer)

    def name_sizes(self):
        """Every packet says to which section and size it belongs."""
        for rid in SIZES:
            for number, (name, uri) in EXTENSIONS.items():
                extension = GstRtp.RTPHeaderExtension.create_from_uri(uri)
                extension.set_id(number)
                extension.set_property(name, {"mid": "picture", "rid": rid}[name])
                self.pipeline.get_by_name(rid).emit("add-extension", extension)

    def create_offer(self):
        """Asks for an offer; the server needs no candidates, so it goes out as it is."""
        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offer_made))
        return False

    def offer_made(self, promise):
        """Posts the offer and takes the answer."""
        promise.wait()
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.kept += [promise, reply, offer]
        self.peer.emit("set-local-description", offer, Gst.Promise.new())
        threading.Thread(target=self.post, args=(offer.sdp.as_text(),), daemon=True).start()

    def post(self, text):
        """Speaks HTTP, outside GStreamer's threads."""
        headers = {**self.headers, "Content-Type": "application/sdp"}
        request = urllib.request.Request(self.url, text.encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                self.location = urljoin(self.url, response.headers["Location"])
                answer = response.read().decode()
        except urllib.error.HTTPError as error:
            say(error=f"{error.code} {error.read().decode()}")
            self.loop.quit()
            return
        say(status=201)
        _, sdp = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.kept += [sdp, description]
        self.peer.emit("set-remote-description", description, Gst.Promise.new())

    def show(self, _, pad):
        """Decodes what arrives and counts it."""
        if pad.direction != Gst.PadDirection.SRC:
            return
        name = pad.get_current_caps().get_structure(0).get_string("encoding-name").upper()
        is_video = name != "OPUS"
        sink = Gst.parse_bin_from_description(
            f"queue ! {DECODERS[name]} ! fakesink name=end sync=false async=false signal-handoffs=true", True
        )
        end = sink.get_by_name("end")
        end.connect("handoff", self.count_frame if is_video else self.count_sound)
        self.pipeline.add(sink)
        say(linked=name, how=pad.link(sink.get_static_pad("sink")).value_nick)
        sink.sync_state_with_parent()

    def count_frame(self, *_):
        """A picture was decoded."""
        self.frames += 1

    def count_sound(self, *_):
        """A piece of sound was decoded."""
        self.audio += 1

    def changed(self, *_):
        """The connection has another state."""
        say(state=self.peer.get_property("connection-state").value_nick)

    def failed(self, _, message):
        """A part of the pipeline gave up."""
        say(error=str(message.parse_error()))
        self.loop.quit()

    def tick(self):
        """Tells what was decoded so far."""
        say(frames=self.frames, audio=self.audio)
        return True

    def run(self):
        """Until standard input closes."""
        threading.Thread(target=lambda: (sys.stdin.read(), self.loop.quit()), daemon=True).start()
        GLib.timeout_add(100, self.tick)
        self.loop.run()
        if self.location:
            request = urllib.request.Request(self.location, headers=self.headers, method="DELETE")
            try:
                with urllib.request.urlopen(request, timeout=5) as response:
                    say(deleted=response.status)
            except urllib.error.HTTPError as error:
                say(deleted=error.code)
        self.pipeline.set_state(Gst.State.NULL)


def check_installed():
    """Ends with the name of the package that is missing."""
    for package, elements in ELEMENTS.items():
        for element in elements:
            if Gst.ElementFactory.find(element) is None:
                sys.exit(f"GStreamer's {element} is missing: install the Debian package {package}")


if __name__ == "__main__":
    Gst.init(None)
    check_installed()
    Client(*sys.argv[1:]).run()
