// The physical limit: the same echo as a bare HTTP server, no sandbox, no
// signature, no accounting.
require('http')
  .createServer((req, res) => {
    const parts = [];
    req.on('data', (d) => parts.push(d));
    req.on('end', () => res.end(JSON.stringify(JSON.parse(Buffer.concat(parts).toString()))));
  })
  .listen(+process.argv[2], '127.0.0.1');
