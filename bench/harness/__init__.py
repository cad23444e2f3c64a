"""The benchmark behind scripts/bench: see bench/README.md."""
