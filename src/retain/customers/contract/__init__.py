"""Tables under a contract, cleaned and joined."""
