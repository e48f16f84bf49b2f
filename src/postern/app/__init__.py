"""The composition root: configuration, clock, and the wiring of every implementation."""
