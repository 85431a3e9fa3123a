"""The functions of the stream and batch paths, one folder each."""
