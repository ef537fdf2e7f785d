"""From activity data to emissions."""
