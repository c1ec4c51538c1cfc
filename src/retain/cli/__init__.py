"""The commands: words typed become calls of workflows. The one room that knows Hydra and Rich."""
