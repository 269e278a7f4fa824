// The SDK for JavaScript against a node, as AWS_ENDPOINT_URL and its credentials
// name it. CODE is a package with the handlers echo, fail and stream, ROLE a role.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException as NoLogGroup,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  InvalidParameterValueException,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  PublishVersionCommand,
  ResourceConflictException,
  ResourceNotFoundException,
  paginateListFunctions,
  paginateListVersionsByFunction,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';

const lambda = new LambdaClient({ maxAttempts: 1 });
const logs = new CloudWatchLogsClient({ maxAttempts: 1 });
const ZipFile = await readFile(process.env.CODE);

const create = (FunctionName, Handler = `index.${FunctionName}`) =>
  lambda.send(new CreateFunctionCommand({
    FunctionName, Handler, Runtime: 'nodejs20.x', Role: process.env.ROLE, Code: { ZipFile }, MemorySize: 256,
  }));

const collect = async (pages, key) => {
  const all = [];
  for await (const page of pages) all.push(...page[key]);
  return all;
};

before(async () => {
  for (const name of ['echo', 'fail', 'stream']) {
    await create(name);
    const { state } = await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60, minDelay: 1 }, { FunctionName: name });
    assert.equal(state, 'SUCCESS');
  }
});

test('invoke answers, with the log', async () => {
  const out = await lambda.send(new InvokeCommand({ FunctionName: 'echo', Payload: '{"name":"Ada"}', LogType: 'Tail' }));
  assert.deepEqual(JSON.parse(out.Payload.transformToString()), { name: 'Ada' });
  assert.equal(out.StatusCode, 200);
  assert.equal(out.ExecutedVersion, '$LATEST');
  assert.match(Buffer.from(out.LogResult, 'base64').toString(), /REPORT RequestId: /);
});

test("a function's error is an answer", async () => {
  const out = await lambda.send(new InvokeCommand({ FunctionName: 'fail' }));
  assert.equal(out.FunctionError, 'Unhandled');
  const { errorType, errorMessage } = JSON.parse(out.Payload.transformToString());
  assert.deepEqual({ errorType, errorMessage }, { errorType: 'RangeError', errorMessage: 'too far' });
});

test('a streamed answer arrives in parts', async () => {
  const out = await lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: 'stream' }));
  const parts = [];
  let complete;
  for await (const event of out.EventStream) {
    if (event.PayloadChunk) parts.push(Buffer.from(event.PayloadChunk.Payload).toString());
    complete = event.InvokeComplete ?? complete;
  }
  assert.equal(parts.join(''), 'one two three');
  assert.ok(parts.length > 1, `${parts.length} parts`);
  assert.ok(complete && !complete.ErrorCode);
});

test('errors are of their classes', async () => {
  await assert.rejects(lambda.send(new GetFunctionCommand({ FunctionName: 'nobody' })), (e) => {
    assert.ok(e instanceof ResourceNotFoundException);
    assert.equal(e.$metadata.httpStatusCode, 404);
    assert.match(e.$metadata.requestId, /^[0-9a-f-]{36}$/);
    assert.match(e.message, /^Function not found: arn:aws:lambda:us-east-1:\d{12}:function:nobody$/);
    return true;
  });
  await assert.rejects(create('echo'), ResourceConflictException);
  await assert.rejects(lambda.send(new CreateFunctionCommand({
    FunctionName: 'x', Handler: 'x.x', Runtime: 'nodejs20.x', Role: process.env.ROLE, Code: { ZipFile: Buffer.from('no zip') },
  })), InvalidParameterValueException);
  await assert.rejects(logs.send(new GetLogEventsCommand({ logGroupName: 'none', logStreamName: 's' })), NoLogGroup);
});

test('paginators go on to the end', async () => {
  const functions = await collect(paginateListFunctions({ client: lambda, pageSize: 2 }, {}), 'Functions');
  assert.deepEqual(functions.map((f) => f.FunctionName).sort(), ['echo', 'fail', 'stream']);
  await lambda.send(new PublishVersionCommand({ FunctionName: 'echo' }));
  const versions = await collect(paginateListVersionsByFunction({ client: lambda, pageSize: 1 }, { FunctionName: 'echo' }), 'Versions');
  assert.deepEqual(versions.map((v) => v.Version), ['$LATEST', '1']);
});

test('logs are written, found and listed', async () => {
  const stream = { logGroupName: '/app/js', logStreamName: 'one' };
  await logs.send(new CreateLogGroupCommand({ logGroupName: '/app/js' }));
  await assert.rejects(logs.send(new CreateLogGroupCommand({ logGroupName: '/app/js' })), ResourceAlreadyExistsException);
  await logs.send(new CreateLogStreamCommand(stream));
  const now = Date.now();
  const logEvents = Array.from({ length: 50 }, (_, i) => ({ timestamp: now + i, message: `line ${i}${i % 2 ? ' odd' : ''}` }));
  await logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
  const odd = await collect(paginateFilterLogEvents({ client: logs, pageSize: 10 }, { logGroupName: '/app/js', filterPattern: 'odd' }), 'events');
  assert.deepEqual(odd.map((e) => e.message), logEvents.map((e) => e.message).filter((m) => m.endsWith('odd')));
  const groups = await collect(paginateDescribeLogGroups({ client: logs, pageSize: 1 }, { logGroupNamePrefix: '/app/' }), 'logGroups');
  assert.deepEqual(groups.map((g) => g.logGroupName), ['/app/js']);
});
