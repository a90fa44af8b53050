from functools import partial
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from data.errors import BaseModelNotFound
from training.bases import base_digest, find_base


def test_a_base_that_knows_the_role_tokens_reads_the_folded_view(compact_base: Path) -> None:
    base = find_base(str(compact_base))
    assert (base.view, base.max_tokens, base.tokenizer_files) == ("folded", 256, ("tokenizer.json",))


def test_a_phobert_folder_reads_segmented_words_with_its_own_tokenizer(phobert_base: Path) -> None:
    base = find_base(str(phobert_base))
    assert (base.view, base.max_tokens) == ("segmented", 256)
    assert base.tokenizer_files == ("vocab.txt", "bpe.codes")


def test_a_base_from_the_hub_keeps_its_name(phobert_base: Path) -> None:
    base = find_base("vinai/phobert-base", download=lambda *_, **__: str(phobert_base))
    assert (base.name, base.slug) == ("vinai/phobert-base", "vinai-phobert-base")


def test_an_unreachable_hub_says_to_set_base_to_a_local_folder(tmp_path: Path) -> None:
    unreachable = partial(snapshot_download, endpoint="http://127.0.0.1:9", cache_dir=tmp_path)
    with pytest.raises(BaseModelNotFound, match="BASE= to compact, or to a local folder"):
        find_base("vinai/phobert-base", download=unreachable)


def test_a_name_that_no_hub_could_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BaseModelNotFound, match="BASE="):
        find_base("no/such/base/at all", download=partial(snapshot_download, cache_dir=tmp_path))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BaseModelNotFound, match="holds no base model"):
        find_base(str(tmp_path))


def test_other_weights_have_another_digest(compact_base: Path, phobert_base: Path) -> None:
    first, second = (base_digest(find_base(str(path))) for path in (compact_base, phobert_base))
    assert first != second
