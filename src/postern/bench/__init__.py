"""Measurements: cases as data, run beside the peers, written down with the machine they ran on."""
