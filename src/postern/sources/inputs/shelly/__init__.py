"""Contacts at the inputs of a Shelly device."""
