"""OSDP (IEC 60839-11-5), always with its secure channel: as a panel, or as a reader."""
