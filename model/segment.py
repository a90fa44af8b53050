"""Words of a Vietnamese text, joined by ``_``: the second step, for model folders that ask for it.

PhoBERT was trained on segmented text. The compact model was not, and never imports underthesea.
"""

from data.errors import MissingExtra


def segment(text: str) -> str:
    """The text with the syllables of each word joined by ``_`` and punctuation set apart.

    No character is added or dropped but spaces and ``_``. Raises ``MissingExtra`` where underthesea
    is not installed. Method: underthesea's conditional random field over syllables.

    >>> segment("Chuyển khoản ngay cho công an")                                 # doctest: +SKIP
    'Chuyển_khoản ngay cho công_an'
    """
    try:
        from underthesea import word_tokenize
    except ImportError as error:
        raise MissingExtra("underthesea", "segment") from error
    return str(word_tokenize(text, format="text", use_token_normalize=False)) if text.strip() else ""
