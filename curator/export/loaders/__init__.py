"""A data set in memory for TensorFlow, PyTorch and Hugging Face datasets; each file imports one of them."""
