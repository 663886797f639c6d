"""Train the bundled models on a manifest and compare them."""
