// Free ports of 127.0.0.1 below the range from which the kernel takes ports for outgoing connections:
// those could be gone again before a program binds them.
import net from 'node:net';

const FIRST = 10_240;
const LAST = 32_000;
const given = new Set();

function canListen(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

// A port that nothing listens on, given out once by this process.
export async function freePort() {
  for (let tries = 0; tries < 200; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port)) continue;
    given.add(port);
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port found between ${FIRST} and ${LAST}`);
}
