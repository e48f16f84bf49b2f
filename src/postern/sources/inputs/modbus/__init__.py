"""Contacts at the inputs of a Modbus device."""
