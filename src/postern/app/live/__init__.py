"""What happens at a site now: told by the service that runs, and passed on to whoever watches."""
