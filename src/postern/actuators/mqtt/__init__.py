"""A relay behind an MQTT broker: Tasmota, ESPHome, Zigbee2MQTT and others."""
