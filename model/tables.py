"""Rows of a CSV, JSON Lines or Parquet file, one at a time."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import BadData, MissingExtra

Row = dict[str, Any]

FORMATS = (".csv", ".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A line that is no row: why, and the line itself."""

    reason: str
    line: str


def read_rows(path: Path) -> Iterator[Row | Unparsed]:
    """Each row by column name, or why a line is none. Empty lines are passed over.

    Raises ``BadData`` when the file is missing or is no CSV, JSON Lines or Parquet.
    """
    reader = {".csv": _read_csv, ".jsonl": _read_json_lines, ".parquet": _read_parquet}[_format(path)]
    try:
        yield from reader(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadData(
            f"{path}: cannot be read ({type(error).__name__}); "
            "give a CSV or JSON Lines file in UTF-8, or Parquet"
        ) from error


def count_rows(path: Path) -> int | None:
    """How many rows a file has, where that costs nothing to know."""
    return int(_open_parquet(path).metadata.num_rows) if _format(path) == ".parquet" else None


def write_rows(path: Path, rows: Iterator[Row], columns: Sequence[str]) -> None:
    """Write the rows; the file appears when it is whole, and an old one stays until then.

    ``columns`` are the header of a CSV and the schema of a Parquet file. Half a character (a lone
    surrogate) is in no encoding, and is written as its escape.
    """
    writer = {".csv": _write_csv, ".jsonl": _write_json_lines, ".parquet": _write_parquet}[_format(path)]
    part = path.with_name(path.name + ".part")
    try:
        writer(part, rows, columns)
        part.replace(path)
    except OSError as error:
        raise BadData(
            f"{path}: cannot be written ({type(error).__name__}); give another --output"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _format(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise BadData(f"{path}: not a known format; name it {', '.join(FORMATS)}")
    return suffix


def _read_csv(path: Path) -> Iterator[Row | Unparsed]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, restkey=None):  # None: any text may be the name of a column
            if None in row:
                surplus = row.pop(None)
                yield Unparsed(
                    "the row has more fields than the header; quote fields that hold a comma",
                    _csv_line([*row.values(), *surplus]),
                )
                continue
            yield {name: value if value != "" or name == "text" else None for name, value in row.items()}


def _csv_line(fields: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def _read_json_lines(path: Path) -> Iterator[Row | Unparsed]:
    with path.open(encoding="utf-8-sig") as file:
        for line in file:
            if line.strip():
                yield _json_row(line.rstrip("\n"))


def _json_row(line: str) -> Row | Unparsed:
    try:
        row = json.loads(line)
    except ValueError:
        return Unparsed("the line is not JSON", line)
    return row if isinstance(row, dict) else Unparsed("the line is not a JSON object", line)


def _read_parquet(path: Path) -> Iterator[Row]:
    file = _open_parquet(path)
    try:
        for batch in file.iter_batches(batch_size=256):
            yield from batch.to_pylist()
    except _arrow().ArrowException as error:
        raise BadData(
            f"{path}: damaged after its beginning ({type(error).__name__}); write the file again"
        ) from error


def _open_parquet(path: Path) -> Any:
    try:
        return _parquet().ParquetFile(path)
    except (OSError, ValueError) as error:  # ValueError: pyarrow's ArrowInvalid
        raise BadData(f"{path}: cannot be read as Parquet ({type(error).__name__})") from error


def _write_csv(path: Path, rows: Iterator[Row], columns: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _flat(value) for name, value in row.items()})


def _write_json_lines(path: Path, rows: Iterator[Row], columns: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def _write_parquet(path: Path, rows: Iterator[Row], columns: Sequence[str]) -> None:
    """Every column as text but ``score``; the file's own types are not known before its last row."""
    parquet, arrow = _parquet(), _arrow()
    kinds = [(_escaped(name), arrow.float64() if name == "score" else arrow.string()) for name in columns]
    schema = arrow.schema(kinds)
    with parquet.ParquetWriter(path, schema) as writer:
        while chunk := [row for _, row in zip(range(256), rows, strict=False)]:
            flat = [{_escaped(name): _text(name, row.get(name)) for name in columns} for row in chunk]
            writer.write_table(arrow.Table.from_pylist(flat, schema=schema))


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else value


def _text(name: str, value: Any) -> Any:
    return value if value is None or name == "score" else _escaped(str(_flat(value)))


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("pyarrow", "parquet") from error
    return pyarrow.parquet


def _arrow() -> Any:
    import pyarrow

    return pyarrow
