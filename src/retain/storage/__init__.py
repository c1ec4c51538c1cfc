"""Files on disk, whoever wrote them: safe names, bounded reading, atomic writing, locks."""
