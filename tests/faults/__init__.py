"""The fault suite: what breaks around the gateway, and what its callers notice of it. See docs/faults.md."""
