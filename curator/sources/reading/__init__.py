"""Lists and tables read as a stream from disk or server: cache, resume, unpacking."""
