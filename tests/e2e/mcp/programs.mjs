// Starts the fake backend and the gateway for the client tests, and ends them.
//
// AMCP_GATEWAY and AMCP_FAKE_BACKEND name the programs; ctest sets them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';

const running = new Set();

/** Ends a program that was started here and waits for it; its exit code. */
async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  if (signal) child.kill(signal);
  else child.stdin.end();
  const [code] = await exited;
  running.delete(child);
  return code;
}

process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

function start(program, args, env, stdio) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio });
  running.add(child);
  return child;
}

/** The fake services; `address` is where they listen. open: they take callers without a bearer. */
export async function startBackend({ open = false } = {}) {
  const child = start(process.env.AMCP_FAKE_BACKEND, ['0', ...(open ? ['open'] : [])], {}, ['pipe', 'pipe', 'inherit']);
  const [port] = await once(readline.createInterface({ input: child.stdout }), 'line');
  return { pid: child.pid, address: `127.0.0.1:${port}`, stop: () => end(child) };
}

/** The gateway in front of them, on a free port or the given one. */
export async function startGateway(backend, { port = 0, env = {} } = {}) {
  const child = start(process.env.AMCP_GATEWAY, [], {
    ANALYTICS_MCP_HOST: '127.0.0.1',
    ANALYTICS_MCP_PORT: String(port),
    ADMIN_LISTEN: 'off',
    AUTH_SVC_ADDR: backend.address,
    REPORT_SVC_ADDR: backend.address,
    AGGREGATE_SVC_ADDR: backend.address,
    AMCP_DRAIN_MS: '10',
    ANALYTICS_MCP_GRACE_MS: '500',
    LOG_LEVEL: 'INFO',
    ...env,
  }, ['ignore', 'ignore', 'pipe']);
  const lines = readline.createInterface({ input: child.stderr });
  const log = [];
  const serving = new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      log.push(line);
      if (!line.startsWith('{')) return process.stderr.write(`${line}\n`);
      const entry = JSON.parse(line);
      if (entry.msg === 'serving') resolve(entry.port);
    });
    child.on('exit', (code) => reject(new Error(`gateway ended with ${code}: ${log.join('\n')}`)));
  });
  const actual = await serving;
  return { pid: child.pid, port: actual, url: `http://127.0.0.1:${actual}/mcp`, log, stop: () => end(child, 'SIGTERM') };
}
