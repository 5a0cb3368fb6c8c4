// An HTTP/2 server for tests, on a free port of 127.0.0.1: writes the port to standard output,
// ends when standard input does.
//
//   h2_server.mjs CERT_AND_KEY.pem
//
//   /bytes?n=&gzip=   n bytes of server_byte() (server.h)
//   /cut?n=           n bytes, then the connection is cut
//   /stats            {"sessions": connections so far, "streams": requests so far}
import fs from 'node:fs';
import http2 from 'node:http2';
import zlib from 'node:zlib';

const pem = fs.readFileSync(process.argv[2]);
const server = http2.createSecureServer({ key: pem, cert: pem, maxSessionMemory: 1000 });
const counts = { sessions: 0, streams: 0 };

function serverByte(at) {
  const x = BigInt.asUintN(64, BigInt(Math.floor(at / 3) + 1) * 0x9e3779b97f4a7c15n);
  return 97 + Number((x >> 40n) % 23n);
}

const bodies = new Map();
function bodyOf(n, gzip) {
  const name = `${n}/${gzip}`;
  if (!bodies.has(name)) {
    const plain = Buffer.allocUnsafe(n);
    for (let i = 0; i < n; i++) plain[i] = serverByte(i);
    bodies.set(name, gzip ? zlib.gzipSync(plain) : plain);
  }
  return bodies.get(name);
}

const sockets = new Set();
server.on('secureConnection', (socket) => sockets.add(socket));
server.on('session', () => counts.sessions++);
server.on('stream', (stream, headers) => {
  const url = new URL(headers[':path'], 'https://localhost');
  const n = Number(url.searchParams.get('n'));
  const gzip = url.searchParams.get('gzip') === '1';
  counts.streams++;
  stream.on('error', () => {}); // the client may go away
  if (url.pathname === '/bytes') {
    stream.respond(gzip ? { ':status': 200, 'content-encoding': 'gzip' } : { ':status': 200 });
    stream.end(bodyOf(n, gzip));
  } else if (url.pathname === '/cut') {
    stream.respond({ ':status': 200 });
    stream.write(bodyOf(n, false), () => setTimeout(() => sockets.forEach((s) => s.destroy()), 20));
  } else {
    stream.respond({ ':status': url.pathname === '/stats' ? 200 : 404 });
    stream.end(JSON.stringify(counts));
  }
});

process.stdin.on('end', () => process.exit(0)).resume();
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
