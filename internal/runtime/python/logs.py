"""Log lines and errors in the formats of AWS's Python runtimes.

A message is one telemetry frame, so that one with many lines stays one log
event: 4 bytes 0xa55a0002 (JSON) or 0xa55a0003 (text) with the level in bits 2-4,
4 bytes length, 8 bytes microseconds since 1970, all big-endian, then the text.
Without a descriptor for frames, lines go to standard output.
"""

import json
import logging
import os
import select
import struct
import time
import traceback

FRAME = 0xA55A0002
TEXT = 1

request_id = ""

_fd = None
_json = False
_header = struct.Struct(">IIQ")
_RANKS = {logging.DEBUG: 2, logging.INFO: 3, logging.WARNING: 4, logging.ERROR: 5, logging.CRITICAL: 6}
_SECONDS = "%Y-%m-%dT%H:%M:%S"
_OWN = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"aws_request_id", "taskName"}


def take_descriptor():
    """Read and hide the variable that names the log descriptor."""
    global _fd
    value = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    if value:
        _fd = int(value)


def configure(log_format, level):
    """Give the root logger its one handler."""
    global _json
    _json = log_format == "JSON"
    logging.Formatter.converter = time.gmtime
    target = _Handler()
    target.setFormatter(_JSONFormatter() if _json else logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", _SECONDS))
    target.addFilter(_add_request_id)
    root = logging.getLogger()
    root.addHandler(target)
    level = {"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"}.get(level, level)
    if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        root.setLevel(level)


def _add_request_id(record):
    record.aws_request_id = request_id
    return True


class _Handler(logging.Handler):
    def emit(self, record):
        rank = _RANKS.get(min(50, max(0, record.levelno)) // 10 * 10, 0)
        self.write_line(self.format(record), rank)

    def write_line(self, text, rank=0):
        _write(text, rank)


class _JSONFormatter(logging.Formatter):
    def format(self, record):
        millis = f"{int(record.msecs):03d}"
        line = {
            "timestamp": time.strftime(_SECONDS, time.gmtime(record.created)) + f".{millis}Z",
            "level": logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10),
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0]:
            kind, value, tb = record.exc_info
            line["stackTrace"] = traceback.format_tb(tb)
            line["errorType"] = kind.__name__
            line["errorMessage"] = str(value)
            line["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        line["requestId"] = record.aws_request_id
        for name, value in record.__dict__.items():
            if name not in _OWN and name not in line:
                line[name] = value
        line = {k: v for k, v in line.items() if v is not None}
        return json.dumps(line, ensure_ascii=False, default=str) + "\n"


def _write(text, rank):
    data = text.encode("utf-8", "backslashreplace")
    if _fd is None:
        _write_all(1, data)
        return
    kind = FRAME | (0 if _json and rank else TEXT) | rank << 2
    _write_all(_fd, _header.pack(kind, len(data), time.time_ns() // 1000) + data)


def _write_all(fd, data):
    """Write it all, waiting where the pipe is full: no log line is lost."""
    while data:
        try:
            data = data[os.write(fd, data):]
        except BlockingIOError:
            select.select([], [fd], [])


def error_body(message, kind, trace=None, request=None):
    """The JSON that a caller gets for an error."""
    return {
        "errorMessage": message or "",
        "errorType": kind or "",
        "requestId": request or "",
        "stackTrace": trace or [],
    }


def exception_body(exc, own_folder, request=None):
    """The same for an exception, without the frames of the runtime itself."""
    frames = traceback.extract_tb(exc.__traceback__)
    while frames and frames[0].filename.startswith(own_folder):
        frames.pop(0)
    lines = traceback.format_list([(f.filename, f.lineno, f.name, f.line) for f in frames])
    return error_body(str(exc), type(exc).__name__, lines, request)


def log_error(error):
    """Write an error the way AWS's runtime does, as one event."""
    if _json:
        stamp = time.strftime(_SECONDS, time.gmtime()) + "Z"
        _write(json.dumps({"timestamp": stamp, "level": "ERROR", **error}), 5)
        return
    lines = ["[ERROR] " + ": ".join(p for p in (error["errorType"], error["errorMessage"]) if p)]
    lines.append("Traceback (most recent call last):")
    for element in error["stackTrace"]:
        for line in element.splitlines():
            bare = line.lstrip(" ")
            lines.append("\u00a0" * (len(line) - len(bare)) + bare)
    _write(("\n" if _fd is not None else "\r").join(lines) + ("" if _fd is not None else "\n"), 5)
