"""Recordings and pictures on disk, for trials, the demo and evaluation."""
