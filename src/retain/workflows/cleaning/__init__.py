"""The removal of what failed, is out of date or can be made again from a folder of outputs."""
