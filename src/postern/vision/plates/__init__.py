"""Number plates: found, read character by character, and compared with registered ones."""
