"""The commands. The only room that knows Hydra; may import every other room."""
