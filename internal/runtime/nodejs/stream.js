'use strict';
// Response streaming: awslambda.streamifyResponse and HttpResponseStream.

const { Writable } = require('stream');
const errors = require('./errors');
const wire = require('./wire');
const { STREAMING } = require('./load');

const BEGIN = 66; // B
const CHUNK = 68; // D
const END = 90; // Z

const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';

// ResponseStream is what a streaming handler writes its answer to. Each write
// is a frame, cut to the size the protocol allows; the next waits for the socket.
class ResponseStream extends Writable {
  #prefix;
  #type = 'application/octet-stream';
  #begun = false;
  #broken = false;

  constructor(prefix) {
    super({ highWaterMark: 64 << 10 });
    this.#prefix = prefix;
  }

  get begun() {
    return this.#begun;
  }

  setContentType(type) {
    if (this.#begun) throw new errors.InvalidStreamingOperation('Cannot set content-type, too late.');
    this.#type = type;
  }

  // write takes anything: what is neither text nor bytes goes out as JSON.
  write(chunk, ...rest) {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) chunk = JSON.stringify(chunk);
    if (!this.#begun) this.#begin();
    return super.write(chunk, ...rest);
  }

  end(chunk, ...rest) {
    if (typeof chunk === 'function') [chunk, rest] = [undefined, [chunk]];
    if (chunk !== undefined && chunk !== null) this.write(chunk);
    return super.end(...rest.filter((a) => typeof a === 'function'));
  }

  #begin() {
    this.#begun = true;
    wire.send(BEGIN, this.#prefix, JSON.stringify({ contentType: this.#type }));
    if (typeof this._onBeforeFirstWrite === 'function') this._onBeforeFirstWrite((b) => super.write(b));
  }

  _write(chunk, _, done) {
    let at = 0;
    const next = () => {
      if (this.#broken || at >= chunk.length) return done();
      const piece = chunk.subarray(at, at + wire.MAX_CHUNK);
      at += piece.length;
      wire.sendBytes(CHUNK, null, piece, next);
    };
    next();
  }

  // complete ends the answer. The runtime calls it, not the end of the stream:
  // the handler may go on after that, and the next call must not come before.
  complete() {
    if (!this.#begun) this.#begin();
    wire.send(END, null, '');
  }

  // fail ends a stream that has begun with an error body.
  fail(body) {
    this.#broken = true;
    wire.send(END, null, JSON.stringify(body));
    this.destroy();
  }
}

// Collector stands in for the stream where the caller takes no stream.
class Collector extends Writable {
  chunks = [];
  size = 0;

  setContentType() {}

  write(chunk, ...rest) {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) chunk = JSON.stringify(chunk);
    const before = this._onBeforeFirstWrite;
    this._onBeforeFirstWrite = undefined;
    if (before) before((b) => super.write(b));
    return super.write(chunk, ...rest);
  }

  _write(chunk, _, done) {
    this.size += chunk.length;
    this.chunks.push(Buffer.from(chunk));
    done();
  }
}

const HttpResponseStream = {
  // from makes the stream start with the status, headers and cookies of an HTTP
  // response as JSON, and eight zero bytes.
  from(stream, prelude) {
    stream.setContentType(PRELUDE_TYPE);
    const json = JSON.stringify(prelude);
    stream._onBeforeFirstWrite = (write) => {
      write(json);
      write(new Uint8Array(8));
    };
    return stream;
  },
};

// install defines the awslambda global.
function install() {
  globalThis.awslambda = {
    streamifyResponse(handler) {
      handler[STREAMING] = 'response';
      return handler;
    },
    HttpResponseStream,
  };
}

module.exports = { ResponseStream, Collector, install };
