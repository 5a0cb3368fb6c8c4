// Debian's redis-server on a loopback port, with its files in a folder of its own; and keys and
// certificates for it.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PROGRAM = '/usr/bin/redis-server';
export const redisInstalled = fs.existsSync(PROGRAM);

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => socket.destroy() && resolve(true));
    socket.once('error', () => resolve(false));
  });
}

export class Redis {
  #child;

  // dir: for its files; flags: further ones of redis-server, such as --user.
  constructor({ port, dir, flags = [] }) {
    this.port = port;
    this.dir = dir;
    this.flags = flags;
    fs.mkdirSync(dir, { recursive: true });
  }

  get pid() {
    return this.#child?.pid;
  }

  async start() {
    const out = fs.openSync(path.join(this.dir, 'redis.log'), 'a');
    const port = this.flags.includes('--tls-port') ? [] : ['--port', String(this.port)];
    const args = ['--bind', '127.0.0.1', ...port, '--save', '', '--appendonly', 'no', '--dir', this.dir, ...this.flags];
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', PROGRAM, ...args], { stdio: ['ignore', out, out] });
    fs.closeSync(out);
    running.add(this.#child);
    for (const end = Date.now() + 20_000; !(await accepts(this.port)); await sleep(20)) {
      if (Date.now() > end || this.#child.exitCode !== null)
        throw new Error(`redis-server did not start:\n${fs.readFileSync(path.join(this.dir, 'redis.log'), 'utf8')}`);
    }
  }

  async kill() {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    running.delete(child);
  }
}

// A certificate authority and a certificate for an address, both made in dir: { ca, cert, key }.
export function certificateFor(dir, address, name) {
  const file = (what) => path.join(dir, `${name}-${what}.pem`);
  const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const made = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(file('names'), `subjectAltName=${address}\n`);
  openssl(...made, '-x509', '-subj', `/CN=${name} authority`, '-keyout', file('ca-key'), '-out', file('ca'));
  openssl(...made, '-subj', `/CN=${name}`, '-keyout', file('key'), '-out', file('csr'));
  openssl('x509', '-req', '-in', file('csr'), '-CA', file('ca'), '-CAkey', file('ca-key'), '-days', '2', '-extfile', file('names'), '-out', file('cert'));
  return { ca: file('ca'), cert: file('cert'), key: file('key') };
}
