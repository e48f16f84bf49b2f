"""Faces: found, aligned, judged, turned into vectors, and compared."""
