'use strict';
// The Node.js runtime: boots before it knows which function it will serve, then
// loads one handler (Init) and answers one call after the other (Invoke).
//
// Between Init and the end the behaviour is that of AWS's managed runtimes; the
// formats of errors and logs are theirs.

const errors = require('./errors');
const log = require('./log');
const loader = require('./load');
const stream = require('./stream');
const wire = require('./wire');
const context = require('./context');

const HELLO = 72; // H
const INIT = 73; // I
const READY = 75; // K
const INVOKE = 67; // C
const RESULT = 82; // R
const FAILED = 69; // E
const SHUTDOWN = 88; // X

const ID_LEN = 36;
const NIL_ID = Buffer.from('00000000-0000-0000-0000-000000000000');
const MAX_RESPONSE = 6291556;

let handler = null; // {fn, streaming, async}, once loaded
let state = 'booted'; // then 'loading', 'ready'
let call = null; // the call in progress

const id = Buffer.alloc(ID_LEN); // its request id

wire.open((kind, body) => {
  if (kind === INVOKE && state === 'ready' && call === null) invoke(body);
  else if (kind === INIT && state === 'booted') init(JSON.parse(body.toString()));
  else if (kind === SHUTDOWN) process.exit(0);
  else {
    process.stderr.write(`unexpected frame ${kind}\n`);
    process.exit(1);
  }
});

log.takeDescriptor();
// Nobody waits for a process that was started ahead.
const ahead = process.argv.splice(2).includes('ahead');
(ahead ? warm() : Promise.resolve()).then(() => {
  wire.send(HELLO, null, JSON.stringify({ runtime: 'nodejs', version: process.version }));
});

// init sets the process up as the function's own and loads its handler.
async function init(body) {
  state = 'loading';
  for (const name of Object.keys(process.env)) if (!(name in body.env)) delete process.env[name];
  Object.assign(process.env, body.env);
  log.patchConsole(body.logFormat, body.applicationLogLevel);
  context.configure(process.env);
  stream.install();
  process.on('uncaughtException', (err) => die('Uncaught Exception', err, 129));
  process.on('unhandledRejection', (reason, promise) => {
    const err = new errors.UnhandledPromiseRejection(reason);
    die('Unhandled Promise Rejection', Object.assign(err, { reason, promise }), 128);
  });
  process.on('beforeExit', () => {
    if (call !== null) ranEmpty(call);
    else wire.hold();
  });
  try {
    process.chdir(body.taskRoot);
    loader.usePaths();
    if (/--enable-source-maps/.test(process.env.NODE_OPTIONS)) process.setSourceMapsEnabled(true);
    handler = await loader.load(body.taskRoot, body.handler);
  } catch (err) {
    die('Uncaught Exception', err, 129);
    return;
  }
  // A rejection that nobody caught while loading is heard of only after this.
  setImmediate(() => {
    if (state !== 'loading') return;
    state = 'ready';
    wire.send(READY, null, '');
  });
}

function invoke(body) {
  body.copy(id, 0, 0, ID_LEN);
  const metaEnd = ID_LEN + 4 + body.readUInt32LE(ID_LEN);
  const requestId = id.latin1Slice(0, ID_LEN);
  const c = (call = { done: false, waits: true, out: null, drained: null });
  log.setRequestId(requestId);
  wire.release();
  try {
    const meta = JSON.parse(body.utf8Slice(ID_LEN + 4, metaEnd));
    if (meta.traceId) process.env._X_AMZN_TRACE_ID = meta.traceId;
    else delete process.env._X_AMZN_TRACE_ID;
    const event = JSON.parse(body.utf8Slice(metaEnd, body.length));
    const ctx = context.build(requestId, meta, c);
    if (handler.streaming) runStream(c, event, ctx, meta.stream);
    else run(c, event, ctx);
  } catch (err) {
    if (!c.drained) fail(c, err);
  }
}

function run(c, event, ctx) {
  const { fn } = handler;
  if (loader.major >= 24) {
    const value = fn(event, ctx);
    if (isPromise(value)) value.then((v) => succeed(c, v), (err) => fail(c, err));
    else succeed(c, value);
    return;
  }
  const done = (err, value) => {
    if (err !== undefined && err !== null) fail(c, err);
    else succeed(c, value);
  };
  ctx.done = done;
  ctx.succeed = (value) => done(null, value);
  ctx.fail = (err) => done(err ?? 'handled');
  const value = fn(event, ctx, (err, v) => {
    if (c.done || c.drained) return;
    if (!c.waits || (err !== undefined && err !== null)) done(err, v);
    else c.drained = () => succeed(c, v);
  });
  if (isPromise(value)) value.then(ctx.succeed, ctx.fail);
}

function isPromise(v) {
  return v && typeof v.then === 'function';
}

// ranEmpty ends a call whose event loop has nothing left to do: with the value
// given to the callback, or with none, which is an error for an async handler.
function ranEmpty(c) {
  if (c.drained) c.drained();
  else if (c.out) fail(c, new errors.NodeJsExit('Response stream is not finished.'));
  else if (handler.async) fail(c, new errors.NodeJsExit());
  else succeed(c, null);
}

function succeed(c, value) {
  if (c.done) return;
  let text;
  try {
    text = JSON.stringify(value === undefined ? null : value);
    if (text === undefined) text = 'null';
  } catch {
    const Type = loader.major >= 24 ? errors.JSONStringifyError : Error;
    fail(c, new Type('Unable to stringify response body'));
    return;
  }
  if (text.length > MAX_RESPONSE / 3 && Buffer.byteLength(text) > MAX_RESPONSE) tooLarge(c);
  else answer(c, RESULT, text);
}

function fail(c, err) {
  if (c.done) return;
  log.logError('Invoke Error', err);
  if (c.out?.begun) {
    finish(c);
    c.out.fail(errors.report(err));
  } else answer(c, FAILED, JSON.stringify(errors.report(err)));
}

function tooLarge(c) {
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE} bytes).`;
  answer(c, FAILED, JSON.stringify({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }));
}

function answer(c, kind, text) {
  finish(c);
  wire.send(kind, id, text);
}

// finish makes the process wait for the next frame. It comes before the answer:
// the next call may arrive as soon as that is out.
function finish(c) {
  c.done = true;
  call = null;
  wire.hold();
}

async function runStream(c, event, ctx, streamed) {
  const out = streamed ? new stream.ResponseStream(Buffer.from(id)) : new stream.Collector();
  c.out = out;
  out.on('error', (err) => fail(c, err));
  try {
    const { fn } = handler;
    const result = fn(event, out, ctx);
    if (!isPromise(result)) throw 'Streaming does not support non-async handlers.';
    if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.');
    if (!out.writableEnded) throw 'Response stream is not finished.';
    if (!out.writableFinished) await new Promise((resolve) => out.once('close', resolve));
  } catch (err) {
    fail(c, err);
    return;
  }
  if (c.done) return;
  if (streamed) {
    finish(c);
    out.complete();
  } else if (out.size > MAX_RESPONSE) tooLarge(c);
  else {
    finish(c);
    wire.sendBytes(RESULT, Buffer.from(id), Buffer.concat(out.chunks), () => {});
  }
}

// die reports an error nobody caught, in the name of the call in progress or of
// the init, and ends the process with AWS's exit codes.
function die(what, err, code) {
  log.logError(what, err);
  const body = JSON.stringify(errors.report(err));
  if (call !== null) {
    if (call.out?.begun) call.out.fail(errors.report(err));
    else wire.send(FAILED, id, body);
  } else if (state === 'loading') wire.send(FAILED, NIL_ID, body);
  state = 'dead';
  wire.drain(() => process.exit(code));
}

// warm loads and calls functions of the runtime's own, saying nothing: the first
// call of a real one then finds everything loaded and compiled. It costs the
// boot what it saves the call, and more.
async function warm() {
  const meta = JSON.stringify({ arn: '', deadlineMs: 0, traceId: 'Root=1' });
  const body = Buffer.alloc(ID_LEN + 4 + meta.length + 2);
  body.writeUInt32LE(meta.length, ID_LEN);
  body.write(meta + '{}', ID_LEN + 4);
  wire.mute(true);
  for (const name of ['sample.handler', 'sample-module.handler']) {
    handler = await loader.load(__dirname, name);
    for (let i = 0; i < 20; i++) {
      invoke(body);
      while (call !== null) await null;
    }
  }
  wire.mute(false);
  log.setRequestId(undefined);
  handler = null;
}
