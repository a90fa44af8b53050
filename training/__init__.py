"""``make train``: from labels to a model folder that passed the gate."""
