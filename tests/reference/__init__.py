"""Slow, plain ways to the same answers, for tests to hold the fast ones against."""
