"""Files of any store as tables: encoding, dialect, types."""
