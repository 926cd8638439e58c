CHAIN_PURPOSE, MASK_PURPOSE, SIGN_PURPOSE = "audit.chain", "audit.mask", "audit.sign"
"""What the deployment's key is asked for (`access/keys.py`)."""
