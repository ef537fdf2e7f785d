"""The server: pages and API on a registry and exchange that stand in a log."""
