"""Messages between robots and aggregators: generated v1/, and convert.py, the only place where protobuf meets our types."""
