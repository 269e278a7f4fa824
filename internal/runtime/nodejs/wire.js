'use strict';
// Frames on the control socket, descriptor 3: an 8-byte header (kind, three
// zeros, length of the body in little-endian) and a body.

const fs = require('fs');
const net = require('net');

const FD = 3;
const HEADER = 8;
const MAX_BODY = 7 << 20;
const MAX_CHUNK = 256 << 10;
const BUFFER = 64 << 10;

const inBuf = Buffer.allocUnsafeSlow(BUFFER);
const outBuf = Buffer.allocUnsafeSlow(BUFFER);

let socket;
let receive;
let muted = false;

// Bytes of a frame that has not arrived whole.
let part = null;
let have = 0;

// open starts reading; f(kind, body) gets every frame. The body is valid only
// until f returns.
function open(f) {
  receive = f;
  socket = new net.Socket({
    fd: FD,
    readable: true,
    writable: true,
    onread: { buffer: inBuf, callback: onRead },
  });
  socket.on('end', () => process.exit(0));
  socket.on('error', () => process.exit(1));
}

function onRead(n) {
  let at = 0;
  while (at < n) {
    if (part === null && n - at >= HEADER) {
      const end = at + HEADER + bodyLength(inBuf, at);
      if (end <= n) {
        receive(inBuf[at], inBuf.subarray(at + HEADER, end));
        at = end;
        continue;
      }
    }
    at += keep(at, n);
  }
  return true;
}

// keep stores what has arrived of a frame and hands it on when it is whole.
function keep(at, n) {
  if (part === null) {
    part = Buffer.allocUnsafe(HEADER);
    have = 0;
  }
  const used = inBuf.copy(part, have, at, n);
  have += used;
  if (have === HEADER && part.length === HEADER) {
    const whole = Buffer.allocUnsafe(HEADER + bodyLength(part, 0));
    part.copy(whole);
    part = whole;
  }
  if (have === part.length) {
    const frame = part;
    part = null;
    receive(frame[0], frame.subarray(HEADER));
  }
  return used;
}

function bodyLength(b, at) {
  const n = b.readUInt32LE(at + 4);
  if (n > MAX_BODY) {
    process.stderr.write('frame over the limit\n');
    process.exit(1);
  }
  return n;
}

// send writes one frame of a kind (a character code), an optional buffer and a
// text. Small ones are built in place and go out in one system call.
function send(kind, prefix, text) {
  const start = HEADER + (prefix ? prefix.length : 0);
  let b = outBuf;
  if (text.length * 3 + start > BUFFER) b = Buffer.allocUnsafe(start + Buffer.byteLength(text));
  if (prefix) b.set(prefix, HEADER);
  const end = start + b.write(text, start);
  header(b, kind, end - HEADER);
  flush(b, end);
}

function header(b, kind, n) {
  b[0] = kind;
  b[1] = b[2] = b[3] = 0;
  b.writeUInt32LE(n, 4);
}

// mute makes send build frames and keep them to itself.
function mute(on) {
  muted = on;
}

// flush writes past the stream machinery, which costs more than the call
// itself; what the socket doesn't take at once goes through it.
function flush(b, end) {
  if (muted) return;
  let done = 0;
  if (socket.writableLength === 0) {
    try {
      while (done < end) done += fs.writeSync(FD, b, done, end - done);
    } catch (e) {
      if (e.code !== 'EAGAIN') process.exit(1);
    }
  }
  if (done < end) socket.write(Buffer.from(b.subarray(done, end)));
}

// sendBytes writes a frame of raw bytes and calls done when there is room for
// more.
function sendBytes(kind, prefix, bytes, done) {
  const h = Buffer.allocUnsafe(HEADER + (prefix ? prefix.length : 0));
  if (prefix) h.set(prefix, HEADER);
  header(h, kind, h.length - HEADER + bytes.length);
  socket.cork();
  socket.write(h);
  socket.write(bytes, done);
  socket.uncork();
}

// drain writes what is still queued, so that the process may end.
function drain(then) {
  if (socket.writableLength === 0) then();
  else socket.write('', then);
}

// hold keeps the event loop alive while waiting for a frame; release lets it
// run empty while a handler works.
function hold() {
  socket.ref();
}
function release() {
  socket.unref();
}

module.exports = { open, mute, send, sendBytes, drain, hold, release, MAX_CHUNK };
