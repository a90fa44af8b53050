"""The corpus loads with the library that other people would load it with."""

from pathlib import Path

import datasets

from data.corpus import SPLIT_OF_FILE, load

DATA = Path(__file__).parents[3] / "data"


def test_the_datasets_library_loads_every_split_by_the_card(tmp_path: Path) -> None:
    loaded = datasets.load_dataset(str(DATA), cache_dir=str(tmp_path))
    assert list(loaded) == [Path(file).stem for file in SPLIT_OF_FILE]
    assert sum(split.num_rows for split in loaded.values()) == len(load())
    assert {"id", "text", "messages", "label", "category", "trick", "wave"} <= set(
        loaded["unseen"].column_names
    )
