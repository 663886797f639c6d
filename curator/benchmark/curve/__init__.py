"""The learning curve: how the test error falls with more training images, and what more of them would bring."""
