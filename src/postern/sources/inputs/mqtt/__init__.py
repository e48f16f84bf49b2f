"""Contacts that somebody publishes over MQTT."""
