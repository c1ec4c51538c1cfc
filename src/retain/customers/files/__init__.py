"""Files of any store as tables: encoding, dialect, rows, columns."""
