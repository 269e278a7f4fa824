// What stands outside the handler runs once per execution environment, when it
// starts; the handler runs once per call.
const started = new Date().toISOString();
let calls = 0;

export const handler = async (event) => {
  const name = event.queryStringParameters?.name ?? event.name ?? 'world';
  calls += 1;
  console.log(`greeting ${name}`);
  return { message: `Hello, ${name}!`, started, calls };
};
