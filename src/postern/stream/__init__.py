"""Video as streams and files: read, and decoded in a process of its own where it is hostile."""
