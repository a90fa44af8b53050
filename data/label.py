"""The labelling script: one message at a time, one or two keys each, in Vietnamese.

The officer answers first; only then does the script show what the model thought, so that the
model's guess never leads the answer. Every answer is saved before the next message appears.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from data.errors import LeaseExpired, ServerError, UnknownItem
from data.exchange import Answer
from data.queues import Item, Queue
from data.taxonomy import LABELS, Category, Label, taxonomy

LABEL_NAMES: dict[Label, str] = {"scam": "LỪA ĐẢO", "legitimate": "HỢP LỆ"}
VERDICT_NAMES: dict[str, str] = {"scam": "LỪA ĐẢO", "legitimate": "HỢP LỆ", "unsure": "CHƯA RÕ"}
LABEL_KEYS: dict[str, Label] = {"l": "scam", "h": "legitimate"}
LABEL_STYLES: dict[Label, str] = {"scam": "bold red", "legitimate": "bold green"}
#: One key a category, in taxonomy order; q, u and g keep their meaning everywhere.
CATEGORY_KEYS = "123456789abcdefhijklmnop"
STOP = ("q", "\x03", "\x04")  # q, Ctrl-C, Ctrl-D
MENU = "[l] lừa đảo  [h] hợp lệ  [b] bỏ qua  [g] ghi chú  [u] làm lại  [q] nghỉ"


@dataclass
class Sitting:
    """One annotator in front of one queue, until it is empty or they stop.

    ``read_key`` returns one key press, ``read_line`` one line of text: the terminal in use, a
    script in tests.
    """

    queue: Queue
    console: Console
    read_key: Callable[[], str]
    read_line: Callable[[], str]
    _previous: Item | None = field(default=None, init=False)
    _note: str | None = field(default=None, init=False)

    def run(self) -> int:
        """Label until nothing is left or the annotator stops; how many answers this queue has now."""
        item = self.queue.next()
        while item is not None:
            item = self._ask(item)
        answered, _ = self.queue.progress()
        self.console.print(f"Đã lưu {answered} câu trả lời. Cảm ơn anh/chị!")
        return answered

    def _ask(self, item: Item) -> Item | None:
        """Show one message and act on keys until the next message is known; None to stop."""
        self._note = None
        self._show(item)
        while True:
            key = self._key()
            if key in LABEL_KEYS:
                category = self._ask_category(LABEL_KEYS[key])
                if category is not None and self._save(item, category):
                    self._reveal(item)
                    return self._next(item)
                self._show(item)
            elif key == "b" and self._save(item, None):
                return self._next(item)
            elif key == "g":
                self.console.print("Ghi chú (Enter để xong): ", end="")
                self._note = self.read_line().strip() or None
            elif key == "u":
                if self._previous is not None:
                    return self._previous
                self.console.print("Chưa có tin nào trước đó trong lần ngồi này.")
            elif key in STOP:
                return None

    def _next(self, answered: Item) -> Item | None:
        self._previous = answered
        return self.queue.next()

    def _ask_category(self, label: Label) -> Category | None:
        """The category chosen for a label; None when the annotator goes back."""
        categories = taxonomy().categories_of(label)
        self.console.print(Text(f"{LABEL_NAMES[label]} — loại nào?  (u: quay lại)", LABEL_STYLES[label]))
        for key, category in zip(CATEGORY_KEYS, categories, strict=False):
            self.console.print(Text.assemble("  ", (f"[{key}]", "bold cyan"), f" {category.name_vi}"))
        while True:
            key = self._key()
            position = CATEGORY_KEYS.find(key) if key else -1
            if 0 <= position < len(categories):
                return categories[position]
            if key in ("u", *STOP):
                return None

    def _save(self, item: Item, category: Category | None) -> bool:
        """Save an answer (a skip where there is no category); False when it could not be."""
        answer = Answer(
            id=item.id,
            conversation=item.conversation,
            label=category.label if category else None,
            category=category.id if category else None,
            note=self._note,
            at=datetime.now(UTC),
        )
        try:
            self.queue.save(answer)
        except (ServerError, OSError) as error:
            self.console.print(Text(f"CHƯA LƯU: {error} Hãy thử lại.", "bold yellow"))
            return False
        except (LeaseExpired, UnknownItem) as error:
            self.console.print(Text(f"CHƯA LƯU: {error} Chuyển sang tin khác.", "bold yellow"))
        else:
            self.console.print(Text("Đã lưu.", "green"))
        return True

    def _reveal(self, item: Item) -> None:
        """After the answer: what the model had said, and what whoever reported it thinks."""
        said, proposed = item.guess.get("verdict"), item.guess.get("label")
        if said in VERDICT_NAMES and proposed in LABELS:
            line = f"Máy đã xếp: {VERDICT_NAMES[said]}. Người báo cho là: {LABEL_NAMES[proposed]}."
            self.console.print(Text(f"{line}  (u: xem lại tin vừa rồi)", "dim"))

    def _show(self, item: Item) -> None:
        answered, total = self.queue.progress()
        title = f"Tin {answered + 1}" + (f"/{total}" if total else "")
        if item.wave_size > 1:
            title += f" · {item.wave_size} tin giống nhau"
        if item.conversation.sender:
            title += f" · từ {_printable(item.conversation.sender)}"
        self.console.print()
        self.console.print(Panel(_marked(item), title=Text(title), title_align="left"))
        self.console.print(Text(MENU, "dim"))

    def _key(self) -> str:
        """One key, small letters; an end of input or an interrupt counts as «stop»."""
        try:
            return self.read_key().lower()
        except (EOFError, KeyboardInterrupt):
            return STOP[-1]


def _marked(item: Item) -> Text:
    """The conversation as text for a terminal, indicators underlined, control characters shown inert."""
    shown = Text()
    for position, message in enumerate(item.conversation.messages):
        if position:
            shown.append("\n")
        if len(item.conversation.messages) > 1:
            shown.append("Người gửi: " if message.role == "sender" else "Người nhận: ", "bold")
        body = Text(_printable(message.text))
        for mark in item.marks:
            if mark.message == position:
                body.stylize("bold underline yellow", mark.start, mark.end)
        shown.append_text(body)
    return shown


def _printable(text: str) -> str:
    """The text with control characters (which could steer the terminal) replaced, one for one."""
    return "".join(c if c == "\n" or c.isprintable() or c == "\u200d" else "\ufffd" for c in text)
