"""Names for requests and answers: never the same twice, and no secret.

They come from Python's own generator, which the system seeds: asking the system for each would give up
Python's lock twice a request, and to get it back from threads that compute takes milliseconds.
"""

import random


def new_id() -> str:
    """128 random bits as 32 hexadecimal digits.

    >>> len(new_id()), new_id() == new_id()
    (32, False)
    """
    return f"{random.getrandbits(128):032x}"
