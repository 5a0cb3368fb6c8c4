// docs/HARDENED_SETUP.md, followed from its first command to its last: blocks marked `sh test` run in order, and
// what they print is what the page shows. (Those for grpcurl run where it is installed.)
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { inherited } from '../lib/child.mjs';
import { freePort } from '../lib/ports.mjs';
import { SecretScan } from '../lib/secrets.mjs';
import { blocksOf, prints, withOutput } from './page.mjs';
import { BIN, ROOT } from './reference.mjs';

const run = promisify(execFile);
const ADDRESSES = ['AUTH', 'REPORT', 'AGGREGATE', 'MCP', 'AUTH_ADMIN', 'REPORT_ADMIN', 'AGGREGATE_ADMIN', 'GATEWAY_ADMIN', 'SIM'];
const SERVICES = ['gateway', 'aggregate', 'report', 'auth'];
const ADDRESS_OF = { auth: 'AUTH', report: 'REPORT', aggregate: 'AGGREGATE' };
const MARK = '@@block';

let dir, env, blocks, output;
const file = (name) => path.join(dir, name);

function hasGrpcurl() {
  try {
    return execFileSync('grpcurl', ['-version'], { stdio: 'ignore' }) === null;
  } catch {
    return false;
  }
}

async function shell(some) {
  const script = some.map((block) => `echo '${MARK}'\n${block.text}`).join('\n');
  const { stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: dir, env, timeout: 120_000 })
    .catch((error) => assert.fail(`${error.message}\n${error.stdout}\n${logs()}`));
  return { all: stdout + stderr, each: stdout.split(`${MARK}\n`).slice(1) };
}

function logs() {
  return SERVICES.map((name) => fs.existsSync(file(`${name}/log`)) ? `${name}:\n${fs.readFileSync(file(`${name}/log`), 'utf8')}` : '').join('\n');
}

// What the page left running, by its pid files.
function stopAll() {
  for (const pidFile of [...SERVICES.map((name) => `${name}/pid`), 'sim.pid']) {
    try {
      process.kill(Number(fs.readFileSync(file(pidFile), 'utf8')), 'SIGKILL');
    } catch {
      // never started, or ended
    }
  }
}

before(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-hardened-'));
  env = { ...inherited(), PATH: `${BIN}:${process.env.PATH}`, SETUP: dir };
  for (const name of ADDRESSES) env[name] = `127.0.0.1:${await freePort()}`;
  const kinds = ['sh test', ...(hasGrpcurl() ? ['sh test grpcurl'] : [])];
  blocks = withOutput(blocksOf(path.join(ROOT, 'docs/HARDENED_SETUP.md')), (kind) => kinds.includes(kind));
  assert.ok(blocks.length >= 19 && blocks.at(-1).text.includes('kill'));
  output = await shell(blocks.slice(0, -1));
}, { timeout: 150_000 });
after(() => {
  stopAll();
  if (process.env.KEEP_RUN !== '1') fs.rmSync(dir, { recursive: true, force: true });
});

test('the commands print what the page says', () => {
  const shown = blocks.slice(0, -1).filter((block) => block.shown !== undefined);
  assert.ok(shown.length >= 8);
  blocks.slice(0, -1).forEach((block, i) => {
    if (block.shown !== undefined) assert.ok(prints(output.each[i], block.shown), `line ${block.line} printed:\n${output.each[i]}`);
  });
});

// Whether a server that wants a certificate takes this one: it then says something (HTTP/2's settings).
// The server must be the service that is meant: its name is not that of the host.
function isTaken(service, key, cert) {
  const [host, port] = env[ADDRESS_OF[service]].split(':');
  const checkServerIdentity = (_, peer) => tls.checkServerIdentity(`${service}-svc`, peer);
  const options = { host, port, ca: fs.readFileSync(file('ca/ca.pem')), key, cert, checkServerIdentity, ALPNProtocols: ['h2'] };
  return new Promise((resolve) => {
    const socket = tls.connect(options);
    const end = (taken) => {
      const peer = socket.getPeerX509Certificate?.();
      socket.destroy();
      resolve({ taken, peer });
    };
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.setTimeout(10_000, () => end(false));
  });
}

test('the services take certificates of the authority that have not ended, and no others', async () => {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const read = (name) => fs.readFileSync(file(name));
  fs.writeFileSync(file('names'), 'subjectAltName=DNS:report-svc\n');
  const request = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=report-svc'];
  openssl(...request, '-keyout', 'ended.key', '-out', 'ended.csr');
  openssl('x509', '-req', '-in', 'ended.csr', '-CA', 'ca/ca.pem', '-CAkey', 'ca/ca.key', '-days', '-1', '-extfile', 'names', '-out', 'ended.pem');
  openssl(...request, '-x509', '-keyout', 'own.key', '-out', 'own.pem');
  for (const service of Object.keys(ADDRESS_OF)) {
    assert.equal((await isTaken(service, read('nightly-export/key.pem'), read('nightly-export/cert.pem'))).taken, true, service);
    assert.equal((await isTaken(service, read('ended.key'), read('ended.pem'))).taken, false, `${service}: ended`);
    assert.equal((await isTaken(service, read('own.key'), read('own.pem'))).taken, false, `${service}: signed by itself`);
    assert.equal((await isTaken(service)).taken, false, `${service}: none`);
  }
});

// Whether a gateway with the page's settings speaks to a server at auth-svc's address that has this key and
// certificate: then it sends something.
async function speaksTo(name) {
  const read = (what) => fs.readFileSync(file(`${name}/${what}.pem`));
  const options = { key: read('key'), cert: read('cert'), ca: read('ca'), requestCert: true, ALPNProtocols: ['h2'] };
  let refusals = 0;
  const server = tls.createServer(options);
  const spoke = new Promise((resolve) => {
    server.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => resolve(true));
      socket.once('close', () => ++refusals === 3 && resolve(false));
    });
    server.on('tlsClientError', () => ++refusals === 3 && resolve(false));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const settings = Object.fromEntries(fs.readFileSync(file('gateway/env'), 'utf8').trim().split('\n').map((line) => line.split(/=(.*)/s)));
  Object.assign(settings, { AUTH_SVC_ADDR: `127.0.0.1:${server.address().port}`, ANALYTICS_MCP_PORT: String(await freePort()), ADMIN_LISTEN: 'off' });
  const gateway = spawn(path.join(BIN, 'gateway'), { env: { ...inherited(), ...settings }, stdio: 'ignore' });
  const asking = setInterval(() => fetch(`http://127.0.0.1:${settings.ANALYTICS_MCP_PORT}/health`).catch(() => {}), 200);
  try {
    return await Promise.race([spoke, sleep(20_000, 'nobody came', { ref: false })]);
  } finally {
    clearInterval(asking);
    gateway.kill();
    await once(gateway, 'exit');
    server.close();
  }
}

test('the gateway speaks to auth-svc, and to nobody who shows the certificate of a consumer or of another service', async () => {
  assert.equal(await speaksTo('auth'), true);
  assert.equal(await speaksTo('nightly-export'), false);
  assert.equal(await speaksTo('gateway'), false);
  assert.equal(await speaksTo('report'), false);
});

test('the renewed certificates are served, and the metric says when they end', async () => {
  const key = fs.readFileSync(file('nightly-export/key.pem')), cert = fs.readFileSync(file('nightly-export/cert.pem'));
  for (const [service, variable] of Object.entries(ADDRESS_OF)) {
    const now = new X509Certificate(fs.readFileSync(file(`${service}/cert.pem`)));
    for (let i = 0; (await isTaken(service, key, cert)).peer?.fingerprint256 !== now.fingerprint256; i++) {
      assert.ok(i < 50, `${service} serves the old one`);
      await sleep(200);
    }
    const metrics = await (await fetch(`http://${env[`${variable}_ADMIN`]}/metrics`)).text();
    const [, end] = /^rpc_tls_certificate_expiry_timestamp_seconds\{file=".*cert\.pem"\} (\d+)$/m.exec(metrics) ?? [];
    assert.equal(Number(end) * 1000, Date.parse(now.validTo), service);
  }
});

test('a file that is refused shows as a metric until it is mended', async () => {
  const gauge = async (name) => {
    const text = await (await fetch(`http://${env.AUTH_ADMIN}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  const until = async (value) => {
    for (let i = 0; (await gauge('auth_config_last_reload_successful')) !== value; i++) {
      assert.ok(i < 100, `it stays, where ${value} is expected`);
      await sleep(100);
    }
  };
  for (const name of ['auth_config_last_reload_successful', 'auth_audit_writable', 'auth_state_writable']) assert.equal(await gauge(name), 1, name);
  assert.equal(await gauge('auth_keyring_keys_idle'), 0);
  const good = fs.readFileSync(file('auth/policies.json'));
  fs.writeFileSync(file('auth/policies.json'), '{"revoked": [{"subjct": "ann"}]}');
  await until(0);
  fs.writeFileSync(file('auth/policies.json'), good);
  await until(1);
  const ring = fs.readFileSync(file('auth/keyring'), 'utf8');
  fs.writeFileSync(file('auth/keyring'), ring + fs.readFileSync(file('keyring.before'), 'utf8'));
  for (let i = 0; (await gauge('auth_keyring_keys_idle')) !== 1; i++) {
    assert.ok(i < 100, 'the key of before may leave');
    await sleep(100);
  }
});

test('no secret is in what was printed, logged, audited or served', async () => {
  const scan = new SecretScan();
  const clear = execFileSync('auth-svc', ['unseal', 'auth/dealers.json', '--yes-print-secrets'],
    { cwd: dir, env: { ...env, AUTH_KEYRING_FILE: file('auth/keyring') }, encoding: 'utf8' });
  fs.writeFileSync(file('clear.json'), clear, { mode: 0o600 });
  scan.addFile(file('clear.json'));
  for (const line of fs.readFileSync(file('auth/seal.key'), 'utf8').trim().split('\n')) scan.add('seal key', line);
  for (const line of fs.readFileSync(file('ring'), 'utf8').trim().split('\n')) scan.add('key of the keyring', line.split(': ')[1]);
  scan.look('the shell', output.all);
  for (const name of SERVICES) scan.look(`${name} log`, fs.readFileSync(file(`${name}/log`), 'utf8'));
  scan.look('audit log', fs.readFileSync(file('auth/audit.log'), 'utf8'));
  for (const name of ADDRESSES.filter((one) => one.endsWith('_ADMIN')))
    for (const page of ['metrics', 'readyz']) scan.look(`${name} ${page}`, await (await fetch(`http://${env[name]}/${page}`)).text());
  assert.deepEqual(scan.findings, []);
  for (const name of ['ca/ca.key', 'auth/keyring', 'auth/seal.key', 'auth/dealers.json', 'auth/key.pem', 'auth/audit.log', 'issuer/jwt.key'])
    assert.equal(fs.statSync(file(name)).mode & 0o077, 0, `others may not read ${name}`);
});

test('the last command ends all of it cleanly', async () => {
  const digest = () => createHash('sha256').update(fs.readFileSync(file('auth/dealers.json'))).digest('hex');
  const before = digest();
  const pids = SERVICES.map((name) => Number(fs.readFileSync(file(`${name}/pid`), 'utf8')));
  await shell([{ text: 'cd "$SETUP"' }, blocks.at(-1)]);
  for (let i = 0; pids.some((pid) => fs.existsSync(`/proc/${pid}`)); i++) {
    assert.ok(i < 150, logs());
    await sleep(100);
  }
  assert.doesNotMatch(logs().replace(/^.*the new configuration is refused.*$/gm, ''), /"level":"error"|Sanitizer/);
  assert.equal(digest(), before);
});
