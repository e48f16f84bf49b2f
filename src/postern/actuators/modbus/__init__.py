"""A relay of a board that is reached by Modbus TCP."""
