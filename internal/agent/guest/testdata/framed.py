#!/usr/bin/env python3
# A runtime that speaks frames on descriptor 3, and answers what it is asked.
import json, os, socket, struct, sys

s = socket.socket(fileno=3)
f = s.makefile("rb")


def send(kind, body=b""):
    s.sendall(struct.pack("<cxxxI", kind, len(body)) + body)


def read():
    kind, n = struct.unpack("<cxxxI", f.read(8))
    return kind, f.read(n)


send(b"H", b'{"runtime":"test","version":"1"}')
_, body = read()
init = json.loads(body)
if init["handler"] == "missing":
    send(b"E", b"0" * 36 + b'{"errorMessage":"no handler","errorType":"Runtime.HandlerNotFound"}')
    sys.exit(0)
text = b"two\nlines"
os.write(int(os.environ["_LAMBDA_TELEMETRY_LOG_FD"]), struct.pack(">IIq", 0xA55A0003, len(text), 0) + text)
print("log line", sorted(init), flush=True)
send(b"K")
while True:
    kind, body = read()
    if kind != b"C":
        break
    rid, n = body[:36], struct.unpack("<I", body[36:40])[0]
    event = json.loads(body[40 + n:])
    if event == "exit":
        os._exit(9)
    if event == "stream":
        send(b"B", rid + b'{"contentType":"text/plain"}')
        send(b"D", b"one")
        send(b"Z")
    elif event == "fail":
        send(b"E", rid + b'{"errorMessage":"m","errorType":"T"}')
    else:
        send(b"R", rid + json.dumps(event).encode())
