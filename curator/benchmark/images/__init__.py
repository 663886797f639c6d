"""The images that a benchmark trains on: arrays, augmentation, validation part, checks for confounds and overlap."""
