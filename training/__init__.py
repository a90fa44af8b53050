"""``make train``: from labels to a model folder that passed the gate."""

import model as model  # before onnxruntime, which must be told to keep quiet
