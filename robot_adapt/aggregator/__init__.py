"""The aggregator: takes trials from many robots over gRPC, commits each before it acknowledges, gives them back."""
