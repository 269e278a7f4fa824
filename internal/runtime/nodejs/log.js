'use strict';
// Console output in the formats of AWS's Node.js runtimes.
//
// A message is one telemetry frame on the descriptor named by
// _LAMBDA_TELEMETRY_LOG_FD, so that one with many lines stays one log event:
//
//   4 bytes  0xa55a0002 (JSON) or 0xa55a0003 (text), with the level in bits 2-4
//   4 bytes  length, 8 bytes microseconds since 1970, then the text; big-endian
//
// It is written before the console method returns, hence before the answer.
// Without the descriptor the lines go to standard output.

const fs = require('fs');
const util = require('util');

const FRAME = 0xa55a0002;
const TEXT = 1;

const levels = {
  TRACE: { name: 'TRACE', rank: 1 },
  DEBUG: { name: 'DEBUG', rank: 2 },
  INFO: { name: 'INFO', rank: 3 },
  WARN: { name: 'WARN', rank: 4 },
  ERROR: { name: 'ERROR', rank: 5 },
  FATAL: { name: 'FATAL', rank: 6 },
};

const ID = Symbol.for('aws.lambda.runtime.requestId');

let fd = -1;
let json = false;

// takeDescriptor reads and hides the variable that names the log descriptor.
function takeDescriptor() {
  const v = process.env._LAMBDA_TELEMETRY_LOG_FD;
  delete process.env._LAMBDA_TELEMETRY_LOG_FD;
  if (v) fd = parseInt(v, 10);
}

// patchConsole replaces console's methods; levels below the given one are
// dropped, FATAL never.
function patchConsole(format, lowest) {
  json = format === 'JSON';
  const min = (levels[String(lowest || '').toUpperCase()] || levels.TRACE).rank;
  const method = (level) =>
    level.rank < min ? () => {} : (...args) => write(level, args);
  console.trace = method(levels.TRACE);
  console.debug = method(levels.DEBUG);
  console.info = method(levels.INFO);
  console.log = console.info;
  console.warn = method(levels.WARN);
  console.error = method(levels.ERROR);
  console.fatal = (...args) => write(levels.FATAL, args);
}

function write(level, args) {
  const now = new Date();
  const line = json
    ? jsonLine(level, now, args)
    : `${now.toISOString()}\t${global[ID]}\t${level.name}\t${util.format(...args)}`;
  if (fd < 0) {
    writeAll(1, Buffer.from(line.replace(/\n/g, '\r') + '\n'));
    return;
  }
  const text = json ? line : line + '\n';
  const b = Buffer.allocUnsafe(16 + Buffer.byteLength(text));
  b.writeUInt32BE((FRAME | (json ? 0 : TEXT) | (level.rank << 2)) >>> 0, 0);
  b.writeUInt32BE(b.length - 16, 4);
  b.writeBigInt64BE(BigInt(now.getTime()) * 1000n, 8);
  b.write(text, 16);
  writeAll(fd, b);
}

// writeAll waits when a pipe is full: a log line is never lost, and a flood of
// them slows only the one who writes it.
function writeAll(to, b) {
  let off = 0;
  while (off < b.length) {
    try {
      off += fs.writeSync(to, b, off);
    } catch (e) {
      if (e.code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function jsonLine(level, now, args) {
  const line = { timestamp: now.toISOString(), level: level.name, requestId: global[ID] };
  if (args.length === 1) {
    line.message = args[0];
    try {
      return JSON.stringify(line, withErrors);
    } catch {
      line.message = util.format(args[0]);
      return JSON.stringify(line);
    }
  }
  line.message = util.format(...args);
  const err = args.find((a) => a instanceof Error);
  if (err) Object.assign(line, describe(err));
  return JSON.stringify(line);
}

function withErrors(_, v) {
  return v instanceof Error ? Object.assign(describe(v), v) : v;
}

function describe(err) {
  return {
    errorType: err?.constructor?.name ?? 'UnknownError',
    errorMessage: err.message,
    stackTrace: typeof err.stack === 'string' ? err.stack.split('\n') : err.stack,
  };
}

// logError writes what the runtime itself has to say of an error.
function logError(what, err) {
  const e = err instanceof Error ? err : new Error(err);
  if (json) console.error(e);
  else console.error(what, '\t' + errorText(e));
}

function errorText(err) {
  try {
    return JSON.stringify(err, (_, v) => {
      if (!(v instanceof Error)) return v;
      const o = Object.assign({ errorType: v.name, errorMessage: v.message, code: v.code }, v);
      if (typeof v.stack === 'string') o.stack = v.stack.split('\n');
      return o;
    });
  } catch {
    return JSON.stringify({ errorType: err.name, errorMessage: err.message });
  }
}

function setRequestId(id) {
  global[ID] = id;
}

module.exports = { takeDescriptor, patchConsole, logError, setRequestId };
