"""Pixels to looks: pure functions on arrays around models whose hash was checked."""
