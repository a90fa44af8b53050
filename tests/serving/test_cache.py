"""What was judged once is judged the same again, and no text is kept for it."""

import gc
from pathlib import Path

from data.messages import Conversation
from serving.answers import Answer
from serving.cache import Cache
from serving.served import FolderModel

SCAM = (
    "Trung thuong! Goi {phone}, vao vietcombank-x.top. Ma OTP la {code}, chuyen {amount} vao STK {account}"
)


def _copy(number: int, before: str = "") -> str:
    return before + SCAM.format(
        phone=f"05741182{number:02}",
        code=f"4829{number:02}",
        amount=f"{number}00k",
        account=f"00044190{number:02}",
    )


def _said(answer: Answer) -> dict[str, object]:
    return answer.model_dump(exclude={"id", "indicators", "evidence"})


def test_a_copy_with_other_numbers_is_not_read_by_the_network_again(tiny_model_folder: Path) -> None:
    asked: list[bool] = []
    model = FolderModel.from_folder(tiny_model_folder, cached=10, on_asked=asked.append)
    first, second = (model.read(Conversation.from_text(_copy(number)))() for number in (11, 12))
    assert asked == [False, True]
    assert _said(first) == _said(second)
    assert first.verdict != "legitimate"


def test_a_kept_judgment_stands_on_the_text_as_received(tiny_model_folder: Path) -> None:
    model = FolderModel.from_folder(tiny_model_folder, cached=10)
    texts = [_copy(13), _copy(14).replace("Trung", "Tr\u200bung")]
    answers = [model.read(Conversation.from_text(text))() for text in texts]
    for text, answer in zip(texts, answers, strict=True):
        assert {text[one.start : one.end] for one in answer.indicators} >= {"vietcombank-x.top"}
        assert "vietcombank-x.top" in {text[one.start : one.end] for one in answer.evidence}
    shown = [
        [text[one.start : one.end].replace("\u200b", "") for one in answer.evidence]
        for text, answer in zip(texts, answers, strict=True)
    ]
    assert [len(one) for one in shown] == [len(shown[0])] * 2


def test_with_the_cache_and_without_it_the_answer_is_the_same(tiny_model_folder: Path) -> None:
    cached = FolderModel.from_folder(tiny_model_folder, cached=10)
    plain = FolderModel.from_folder(tiny_model_folder, cached=0)
    for text in (_copy(15), _copy(16), "Ma OTP la 482913", "Ma OTP la 482914"):
        conversation = Conversation.from_text(text)
        assert cached.read(conversation)().model_dump(exclude={"id"}) == plain.read(
            conversation
        )().model_dump(exclude={"id"})


def test_a_copy_with_other_line_breaks_gets_reasons_of_its_own(tiny_model_folder: Path) -> None:
    joined = "Xin kinh chao quy vi Ban trung thuong roi Nhanh tay nhe"
    parted = joined.replace(" Ban", "\nBan").replace(" Nhanh", "\nNhanh")
    cached = FolderModel.from_folder(tiny_model_folder, cached=10)
    plain = FolderModel.from_folder(tiny_model_folder, cached=0)
    for text in (joined, parted):
        conversation = Conversation.from_text(text)
        assert cached.read(conversation)().evidence == plain.read(conversation)().evidence


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    cache = Cache[str](2)
    keys = [cache.key(word) for word in "abc"]
    cache.put(keys[0], "a")
    cache.put(keys[1], "b")
    cache.get(keys[0])
    cache.put(keys[2], "c")
    assert [cache.get(key) for key in keys] == ["a", None, "c"]
    assert len(cache) == 2


def test_texts_are_parted_and_every_process_has_its_own_keys() -> None:
    cache = Cache[str](1)
    assert len({cache.key("ab", "c"), cache.key("a", "bc"), cache.key("abc"), cache.key("abc", "")}) == 4
    assert cache.key("abc") != Cache[str](1).key("abc")


def test_no_text_is_kept(tiny_model_folder: Path) -> None:
    model = FolderModel.from_folder(tiny_model_folder, cached=10)
    model.read(Conversation.from_text("trung thuong chimhoangyen"))()
    kept = list(model._cache._kept.items())
    assert kept
    seen, todo = set(), list(kept)
    while todo:
        thing = todo.pop()
        if id(thing) not in seen and not isinstance(thing, type):
            seen.add(id(thing))
            assert not (isinstance(thing, str | bytes) and "chimhoangyen" in repr(thing))
            todo += [one for one in gc.get_referents(thing) if not callable(one)]
