"""Finds, downloads, verifies and unpacks what third_party/manifest names."""
