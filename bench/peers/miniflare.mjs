import { Miniflare } from 'miniflare';

const mf = new Miniflare({
  modules: true,
  script: 'export default { async fetch(req) { return Response.json(await req.json()); } };',
  host: '127.0.0.1',
  port: +process.argv[2],
});
await mf.ready;
