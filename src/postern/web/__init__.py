"""What everything that answers over HTTP shares: the server, who calls, what went wrong."""
