"""A camera for the tests: GStreamer's RTSP server, told on standard input how to behave.

Run by the system's own Python, which has the bindings. It prints its port, then obeys:
`pattern NAME` (of videotestsrc), `stall`, `resume`, `size WIDTH HEIGHT`; and, where it shows the
pictures of a folder, `freeze`, `thaw`.
"""

import sys
from pathlib import Path
from threading import Thread

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtspServer  # noqa: E402

PICTURES = (
    "videotestsrc name=src is-live=true pattern={pattern} ! "
    "capsfilter name=caps caps=video/x-raw,width={width},height={height},framerate={fps}/1 ! "
    "valve name=valve ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={fps} ! "
    "rtph264pay name=pay0 pt=96 config-interval=1"
)
#: Pictures of a folder, in the order of their names, over and over: JPEG, or parts of an H.264
#: stream, each a picture's.
FOLDER = {
    ".jpg": (
        "appsrc name=src is-live=true do-timestamp=true format=time "
        "caps=image/jpeg,framerate={fps}/1 ! valve name=valve ! jpegparse ! "
        "rtpjpegpay name=pay0 pt=26"
    ),
    ".h264": (
        "appsrc name=src is-live=true do-timestamp=true format=time "
        "caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate={fps}/1 ! "
        "valve name=valve ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1"
    ),
}


class Camera(GstRtspServer.RTSPMediaFactory):
    """One stream for everybody who watches; how it behaves outlives them."""

    def __init__(self, settings):
        super().__init__()
        self._settings = settings
        self._bin = None
        self._at = 0
        files = sorted(Path(settings["folder"]).iterdir()) if "folder" in settings else []
        self._kind = files[0].suffix if files else ""
        self._pictures = [file.read_bytes() for file in files]
        if self._pictures:
            GLib.timeout_add(1000 // int(settings["fps"]), self._push)
        self.set_shared(True)

    def do_create_element(self, _url):
        launch = FOLDER[self._kind] if self._pictures else PICTURES
        self._bin = Gst.parse_launch(f"( {launch.format(**self._settings)} )")
        if self._settings.get("stalled"):
            self._bin.get_by_name("valve").set_property("drop", True)
        return self._bin

    def _push(self):
        if self._bin is not None:
            if not self._settings.get("frozen"):
                self._at = (self._at + 1) % len(self._pictures)
            data = Gst.Buffer.new_wrapped(self._pictures[self._at])
            self._bin.get_by_name("src").emit("push-buffer", data)
        return True

    def obey(self, words):
        order, *rest = words
        if order in ("stall", "resume"):
            self._settings["stalled"] = order == "stall"
            self._change("valve", "drop", order == "stall")
        elif order in ("freeze", "thaw"):
            self._settings["frozen"] = order == "freeze"
        elif order == "pattern":
            self._settings["pattern"] = rest[0]
            if self._bin is not None:
                Gst.util_set_object_arg(self._bin.get_by_name("src"), "pattern", rest[0])
        elif order == "size":
            self._settings["width"], self._settings["height"] = rest
            caps = "video/x-raw,width={width},height={height},framerate={fps}/1"
            self._change("caps", "caps", Gst.Caps.from_string(caps.format(**self._settings)))
        say("done")

    def _change(self, name, setting, value):
        if self._bin is not None:
            self._bin.get_by_name(name).set_property(setting, value)


def say(what):
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main():
    settings = dict(word.split("=", 1) for word in sys.argv[1:])
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(settings.get("port", "0"))
    camera = Camera(settings)
    if settings.get("user"):
        auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
        auth.add_digest(settings["user"], settings["password"], token)
        if settings.get("certificate"):
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(settings["certificate"]))
        server.set_auth(auth)
        camera.add_role_from_structure(
            Gst.Structure.from_string(
                "viewer,media.factory.access=true,media.factory.construct=true"
            )[0]
        )
    server.get_mount_points().add_factory("/lane", camera)
    server.attach(None)
    say(server.get_bound_port())
    loop = GLib.MainLoop()

    def listen():
        for line in sys.stdin:
            GLib.idle_add(camera.obey, line.split())
        loop.quit()

    Thread(target=listen, daemon=True).start()
    loop.run()


main()
