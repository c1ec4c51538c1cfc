"""The commands: command lines become calls of workflows. Only this package uses Hydra and Rich."""
