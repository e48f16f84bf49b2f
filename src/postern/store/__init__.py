"""What Postern remembers: people, vehicles, consents, credentials, permits, areas and events."""
