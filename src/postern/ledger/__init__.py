"""The log of events: a Merkle tree in files that other people's verifiers accept."""
