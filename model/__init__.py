"""From text to a verdict, without torch."""
