"""Images of the ImageNet URL lists."""
