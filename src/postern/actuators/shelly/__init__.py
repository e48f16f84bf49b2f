"""A relay by Shelly, second generation or later, reached by its RPC over HTTP."""
