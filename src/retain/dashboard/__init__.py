"""The dashboard: what lies under ``outputs``, as a local web application and as static files.

It only reads. A page is made from frozen dataclasses by a template, and holds all its data, so that
the server and the export show the same page.
"""
