"""The Python runtime: boots before it knows which function it will serve, then
loads one handler (Init) and answers one call after the other (Invoke).

Errors and logs have the formats of AWS's managed runtimes.
"""

import json
import os
import socket
import struct
import sys

# Run as a folder, this is on the path by itself; a function must not find it.
HERE = sys.path.pop(0)
sys.path.insert(0, HERE)
import context
import handler
import logs
import marshal_json
import sdk

sys.path.remove(HERE)
for _name in ("context", "handler", "logs", "marshal_json", "sdk"):
    del sys.modules[_name]

HELLO, INIT, READY, INVOKE = b"H", b"I", b"K", b"C"
RESULT, FAILED, SHUTDOWN = b"R", b"E", b"X"

NIL_ID = b"00000000-0000-0000-0000-000000000000"
MAX_BODY = 7 << 20
MAX_RESPONSE = 6291556

header = struct.Struct("<cxxxI")
wire = socket.socket(fileno=3)


def send(kind, *parts):
    """Write one frame, after everything the code has printed."""
    sys.__stdout__.flush()
    sys.__stderr__.flush()
    body = b"".join(parts)
    wire.sendall(header.pack(kind, len(body)) + body)


def receive():
    """Read one frame. Small ones come with one system call."""
    data = wire.recv(65536)
    while len(data) < 8:
        data += more(8 - len(data))
    kind, size = header.unpack_from(data)
    if size > MAX_BODY:
        end("frame over the limit")
    missing = size + 8 - len(data)
    if missing < 0:
        end("frames out of order")
    if missing > 0:
        whole = bytearray(data)
        while missing > 0:
            part = more(missing)
            whole += part
            missing -= len(part)
        data = bytes(whole)
    return kind, data


def more(size):
    part = wire.recv(size)
    if not part:
        os._exit(0)
    return part


def end(why):
    sys.stderr.write(why + "\n")
    os._exit(1)


def init(body):
    """Make the process the function's own and load its handler."""
    for name in list(os.environ):
        if name not in body["env"]:
            del os.environ[name]
    os.environ.update(body["env"])
    os.chdir(body["taskRoot"])
    handler.set_path(body["taskRoot"], os.environ.get("PYTHONPATH", ""))
    logs.configure(body["logFormat"], body.get("applicationLogLevel"))
    context.configure(os.environ)
    try:
        function = handler.load(body["handler"])
    except handler.Fault as fault:
        error = logs.error_body(fault.message, fault.kind, fault.trace)
    except Exception as exc:
        error = logs.exception_body(exc, HERE)
    else:
        send(READY)
        return function
    logs.log_error(error)
    send(FAILED, NIL_ID, marshal_json.encode(error).encode())
    os._exit(1)


def invoke(function, data):
    """Answer one call: header, request id, length and text of its JSON, payload."""
    request = data[8:44]
    split = 48 + int.from_bytes(data[44:48], "little")
    meta = json.loads(data[48:split])
    request_id = request.decode()
    logs.request_id = request_id
    trace = meta.get("traceId")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    try:
        ctx = context.Context(request_id, meta)
        try:
            event = json.loads(data[split:])
        except Exception as exc:
            raise handler.Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {exc}")
        answer = function(event, ctx)
        if not isinstance(answer, bytes):
            try:
                answer = marshal_json.encode(answer).encode()
            except Exception as exc:
                raise handler.Fault("Runtime.MarshalError", f"Unable to marshal response: {exc}")
    except handler.Fault as fault:
        error = logs.error_body(fault.message, fault.kind, fault.trace, request_id)
    except Exception as exc:
        error = logs.exception_body(exc, HERE, request_id)
    else:
        if len(answer) <= MAX_RESPONSE:
            send(RESULT, request, answer)
            return
        send(FAILED, request, marshal_json.encode({
            "errorMessage": f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        }).encode())
        return
    logs.log_error(error)
    send(FAILED, request, marshal_json.encode(error).encode())


def main():
    sys.stdout.reconfigure(line_buffering=True)
    logs.take_descriptor()
    sdk.find_the_node()
    if len(sys.argv) > 1:
        sdk.serve_from(sys.argv[1])
    sys.argv = [sys.argv[0]]
    version = ".".join(map(str, sys.version_info[:3]))
    send(HELLO, json.dumps({"runtime": "python", "version": version}).encode())
    kind, data = receive_or_exit()
    if kind != INIT:
        end(f"unexpected frame {kind!r}")
    function = init(json.loads(data[8:]))
    while True:
        kind, data = receive_or_exit()
        if kind != INVOKE:
            end(f"unexpected frame {kind!r}")
        invoke(function, data)


def receive_or_exit():
    kind, data = receive()
    if kind == SHUTDOWN:
        os._exit(0)
    return kind, data


main()
