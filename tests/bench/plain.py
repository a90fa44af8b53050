"""What anybody would write in ten minutes: FastAPI, a transformers pipeline, a plain function.

The model has PhoBERT-base's shape and random weights in fp32; its tokenizer, one token for each
syllable, is that of the int8 one.
"""

import os
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel
from transformers import (
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    pipeline,
)

#: Where the service finds its model.
MODEL = "PLAIN_MODEL"


def save_model(folder: Path, shape: RobertaConfig, tokenizer_file: Path) -> None:
    """Write a model folder as transformers reads it: half a gigabyte at PhoBERT's size."""
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(tokenizer_file),
        model_max_length=shape.max_position_embeddings - 2,
        pad_token="<pad>",
        unk_token="<unk>",
    )
    tokenizer.save_pretrained(folder)
    RobertaForSequenceClassification(shape).save_pretrained(folder)


class Message(BaseModel):
    """A message, or the messages of a conversation."""

    text: str | None = None
    messages: list[dict[str, str]] = []


def create_app() -> FastAPI:
    """The service."""
    app = FastAPI()
    classifier = pipeline("text-classification", model=os.environ[MODEL], device="cpu")

    @app.post("/v1/classify")
    def classify(message: Message) -> dict[str, object]:
        text = message.text or "\n".join(one["text"] for one in message.messages)
        [answer] = classifier(text, truncation=True)
        return dict(answer)

    @app.get("/readyz")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app
