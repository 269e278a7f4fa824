'use strict';
// The context object of a call.

let names = {};

// configure takes what is the same for every call from the environment.
function configure(env) {
  names = {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
  };
}

// build makes the context of one call. call.waits follows
// callbackWaitsForEmptyEventLoop.
function build(requestId, meta, call) {
  const deadline = meta.deadlineMs;
  return {
    get callbackWaitsForEmptyEventLoop() {
      return call.waits;
    },
    set callbackWaitsForEmptyEventLoop(v) {
      call.waits = v;
    },
    functionVersion: names.functionVersion,
    functionName: names.functionName,
    memoryLimitInMB: names.memoryLimitInMB,
    logGroupName: names.logGroupName,
    logStreamName: names.logStreamName,
    clientContext: parse(meta.clientContext, 'ClientContext'),
    identity: parse(meta.identity, 'CognitoIdentity'),
    invokedFunctionArn: meta.arn,
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

function parse(text, name) {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch (err) {
    throw new Error(`Cannot parse ${name} as json: ${err}`);
  }
}

module.exports = { configure, build };
