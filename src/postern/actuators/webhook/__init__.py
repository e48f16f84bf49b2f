"""Another program that opens when it is asked by a signed HTTP request."""
