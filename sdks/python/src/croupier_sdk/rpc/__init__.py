"""gRPC at the rim: channels with their credentials, both codecs of the contract, the listener of `mode="listen"`."""
