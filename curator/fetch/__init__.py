"""Download and observe listed images: many transfers at once, politely, each recorded."""
