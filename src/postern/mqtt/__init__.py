"""A connection to an MQTT broker, and the words for it."""
