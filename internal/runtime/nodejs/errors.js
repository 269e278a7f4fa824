'use strict';
// The runtime's own errors, named as AWS names them, and the shape in which any
// thrown value is reported.

const { types } = require('util');

const names = [
  'ImportModuleError', 'HandlerNotFound', 'MalformedHandlerName', 'UserCodeSyntaxError',
  'MalformedStreamingHandler', 'InvalidStreamingOperation', 'NodeJsExit',
  'CallbackHandlerDeprecated', 'JSONStringifyError', 'UnhandledPromiseRejection',
];

for (const name of names) {
  const c = { [name]: class extends Error {} }[name];
  c.prototype.name = 'Runtime.' + name;
  module.exports[name] = c;
}

// report turns whatever was thrown into the error body of an answer.
module.exports.report = function report(err) {
  try {
    if (types.isNativeError(err) || looksLikeError(err)) {
      return { errorType: err.name, errorMessage: err.message, trace: err.stack.split('\n') };
    }
    return { errorType: typeof err, errorMessage: err.toString(), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
    };
  }
};

function looksLikeError(v) {
  return (
    v && typeof v.name === 'string' && v.name &&
    typeof v.message === 'string' && v.message &&
    typeof v.stack === 'string' && v.stack
  );
}
