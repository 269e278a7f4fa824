"""JSON of answers, which AWS writes with decimals as numbers."""

import decimal
import json
import re
import sys

# Until 3.12, answers were ASCII with escapes.
_ASCII = sys.version_info < (3, 12)
_MARK = "\ue000decimal:"
_MARKED = re.compile('"(?:\ue000|\\\\ue000)decimal:([^"]*)"')


class _Encoder(json.JSONEncoder):
    def __init__(self):
        super().__init__(ensure_ascii=_ASCII)
        self.decimals = False

    def default(self, value):
        if not isinstance(value, decimal.Decimal):
            return super().default(value)
        if value.is_nan():
            return float("nan")
        self.decimals = True
        return _MARK + str(value)


def encode(value):
    encoder = _Encoder()
    text = encoder.encode(value)
    if encoder.decimals:
        text = _MARKED.sub(r"\1", text)
    return text
