"""Cameras at this machine's own ports (Video4Linux): webcams, CSI modules, grabbers."""
