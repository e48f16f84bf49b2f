"""Postern: secure access for the people and vehicles that asked to be recognised."""
