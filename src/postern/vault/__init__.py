"""Sealed references: rotated, quantised, encrypted, and erased by destroying their key."""
