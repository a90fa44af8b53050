"""From text to a verdict, without torch.

onnxruntime reports its use to its maker as soon as it is imported, unless it was told not to before.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
