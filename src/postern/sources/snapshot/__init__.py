"""Cameras that give one picture at a time over HTTP."""
