"""Keep the written corpus good: add to it, check it, count it, and print its data card."""
