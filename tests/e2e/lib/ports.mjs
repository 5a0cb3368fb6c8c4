// Free ports of 127.0.0.1 below the range from which the kernel takes ports for outgoing connections:
// those could be gone again before a program binds them.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const FIRST = 10_240;
const LAST = 32_000;
const RESERVED = path.join(os.tmpdir(), 'amcp-test-ports');
const given = new Set();
process.on('exit', () => given.forEach((port) => fs.rmSync(path.join(RESERVED, String(port)), { force: true })));

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
};

// Between a look at a port and the program that binds it lie seconds, in which a test beside this one
// may find the same: a file per port says who has it. What a killed process left counts for nothing.
function reserve(port) {
  const file = path.join(RESERVED, String(port));
  fs.mkdirSync(RESERVED, { recursive: true });
  for (let tries = 0; tries < 2; tries++)
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      return true;
    } catch {
      const owner = Number(fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : 0);
      if (owner > 0 && isAlive(owner)) return false;
      fs.rmSync(file, { force: true });
    }
  return false;
}

function canListen(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

async function take(port) {
  if (given.has(port) || !reserve(port)) return false;
  given.add(port);
  return canListen(port);
}

// The first of `n` ports in a row that nothing listens on, given out once to the processes of the tests.
export async function freePorts(n) {
  for (let tries = 0; tries < 200; tries++) {
    const first = FIRST + Math.floor(Math.random() * (LAST - FIRST - n));
    let taken = 0;
    while (taken < n && (await take(first + taken))) taken++;
    if (taken === n) return first;
  }
  throw new Error(`no ${n} free ports found between ${FIRST} and ${LAST}`);
}

export const freePort = () => freePorts(1);
