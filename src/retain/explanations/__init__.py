"""Why a winner ranks as it does: associations, drivers, contributions, and what they can bear."""
