// deploy/up.sh over the programs of this build: the first question, Ctrl-C, a busy port, a kill.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Walker } from '../connect/stage.mjs';
import { inherited } from '../lib/child.mjs';
import { Collector } from '../lib/collector.mjs';
import { freePort, freePorts } from '../lib/ports.mjs';
import { Mcp } from './mcp.mjs';
import { BUILD, ROOT, World, worldFile } from './world.mjs';

const missing = ['jq', 'sqlite3', 'curl', 'setpriv', 'flock'].filter((tool) => spawnSync('which', [tool]).status !== 0);
const skip = missing.length > 0 && `up.sh needs ${missing}`;

const processes = new Set();
after(() => {
  for (const child of processes) child.kill('SIGKILL');
});

// A checkout of links, for the tests of a suite: its own run directory, our build, a world that is there already.
function checkout() {
  const root = path.join(os.tmpdir(), `amcp-up-${randomUUID()}`);
  before(() => {
    fs.mkdirSync(path.join(root, 'run'), { recursive: true });
    fs.symlinkSync(path.join(ROOT, 'deploy'), path.join(root, 'deploy'));
    fs.symlinkSync(BUILD, path.join(root, 'build'));
    fs.symlinkSync(worldFile({ dealers: 25 }), path.join(root, 'run/world.db'));
  });
  after(() => fs.rmSync(root, { recursive: true, force: true }));
  return root;
}

async function up(root, args, { port, ignoreInt = false, settings = {} } = {}) {
  const own = port ?? (await freePort());
  const ports = { UP_SIM_PORT: await freePort(), UP_AUTH_PORT: await freePort(), UP_REPORT_PORT: await freePort(),
    UP_AGGREGATE_PORT: await freePort(), UP_ADMIN_PORT: await freePorts(5),
    UP_STATUS_PORT: await freePort() };
  const env = { ...inherited(), HOME: os.tmpdir(), UP_WORLD: 'plain', ...settings, ...Object.fromEntries(Object.entries(ports).map(([k, v]) => [k, String(v)])) };
  // A process group of its own, as a terminal gives it, so that Ctrl-C can be sent to all of it.
  const command = [path.join(root, 'deploy/up.sh'), '--no-install', '--no-build', '--port', String(own), ...args];
  const child = spawn(ignoreInt ? 'env' : 'bash', ignoreInt ? ['--ignore-signal=INT', 'bash', ...command] : command, {
    env, detached: true, stdio: ['ignore', 'pipe', 'pipe'],
  });
  processes.add(child);
  const run = { root, child, port: own, out: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (run.out += data));
  run.ended = new Promise((resolve) => child.once('close', (code, signal) => {
    processes.delete(child);
    resolve({ code, signal });
  }));
  return run;
}

async function says(run, pattern) {
  const end = Date.now() + 120_000;
  let over = false;
  run.ended.then(() => (over = true));
  while (!pattern.test(run.out)) {
    if (over || Date.now() > end) assert.fail(`up.sh did not say ${pattern}:\n${run.out}`);
    await sleep(50);
  }
}

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const pids = (run) => [...run.out.matchAll(/ready \(pid (\d+)/g)].map((m) => Number(m[1]));

async function noOrphan(run) {
  const all = pids(run);
  assert.equal(all.length, 5, run.out);
  for (let i = 0; all.some(alive); i++) {
    assert.ok(i < 100, `still there: ${all.filter(alive)}`);
    await sleep(100);
  }
}

// The transcript in README.md: the same kinds of lines in the same order as today, and a verdict that holds. Figures
// are those of its day, "..." stands for rows that it leaves out, and the world of this test has no unusual dealer.
function assertTranscript(out) {
  const [, page] = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8').split('## A transcript')[1].split('```');
  assert.match(page, /\tBETTER\t/);
  assert.match(page, /: better\)/);
  const kinds = (text) => text.split('\n').filter((line) => /^[a-z_]+(\t[a-z0-9_]+)+$/.test(line) || /^[a-z_]+:$|\?$/.test(line) || /^Checked:/.test(line))
    .map((line) => line.replace('\tunusual_among_dealers', ''));
  assert.deepEqual(kinds(page), kinds(out), 'README.md: the transcript is not what up.sh prints today; run deploy/up.sh --once and copy it');
}

// What the lines that up.sh prints lead to, followed as a browser and a shell do.
async function connectByTheLink(run, client) {
  const { root } = run;
  const link = /^ {2}(http:\S+\/connect\?invite=\S+)$/m.exec(run.out)[1];
  const orders = (...args) => spawnSync(path.join(root, 'run/auth-svc'), args, { encoding: 'utf8' });
  const { dealers } = JSON.parse(fs.readFileSync(path.join(root, 'run/everyone.json'), 'utf8'));
  const d = dealers.at(-1), sim = /CONNECT_AUTHORIZATION_ENDPOINT=(http:\/\/[\d.]+:\d+)/.exec(fs.readFileSync(path.join(root, 'run/auth-svc'), 'utf8'))[1];
  const w = new Walker({ url: new URL('/connect', link).href, set: { sim } });
  const started = await w.begin(link);
  assert.equal(started.status, 303, started.text);
  const screen = await (await fetch(started.location)).text(); // Google's, as the simulator draws it
  assert.match(screen, /<form/);
  const host = new World(path.join(root, 'run/world.db')).one('SELECT p.host FROM dealers d JOIN properties p USING (property_id) WHERE d.dealer_id = ?', d.dealer_id).host;
  const back = await w.ask(await w.consent(started.location, `owner@${host}`));
  assert.equal(back.status, 303, back.text);
  const done = await w.finish(d.properties[0]);
  assert.match((await w.ask(done.location)).text, /is connected<\/h1>/);
  assert.match(orders('connections').stdout, new RegExp(`^dealer ${d.dealer_id} +ok `, 'm'));
  const listed = await client.data('list_dealers', {});
  assert.equal(listed.total, 25);
  const again = /Another link: run\/auth-svc (invite .*)$/m.exec(run.out)[1];
  assert.match(spawnSync('bash', ['-c', `run/auth-svc ${again}`], { cwd: root, encoding: 'utf8' }).stderr, /is connected already/);
}

// Two checkouts side by side; in each, one up.sh after the other finds what the last one left.
describe('up.sh', { skip, concurrency: true }, () => {
  describe('in a checkout', { concurrency: 1 }, () => {
    const root = checkout();

    test('--once asks both questions, checks the answers, and leaves nothing behind', async (t) => {
      const collector = await Collector.start({ headers: { 'api-key': 'x' } });
      t.after(() => collector.stop());
      const run = await up(root, ['--once'], { settings: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: 'api-key=x',
        OTEL_TRACES_SAMPLER: 'always_on', OTEL_SERVICE_NAME: 'all-the-same' } });
      const { code } = await run.ended;
      assert.equal(code, 0, run.out);
      assert.match(run.out, /How is Kia of New York performing relative to its region\?/);
      assert.match(run.out, /engagement/i);
      assert.match(run.out, /Which models are shoppers most engaged with across our sites\?/);
      assert.equal(run.out.match(/Checked: the figures equal those computed by SQL/g).length, 2, run.out);
      assert.match(run.out, /is not in the set yet\. Its owner connects it by this link.*\n.*\n {2}http:\/\/127\.0\.0\.1:\d+\/connect\?invite=[\w-]{43}\n/);
      assert.doesNotMatch(run.out, /ended with exit code|did not stop/);
      await noOrphan(run);
      assertTranscript(run.out);
      // OTEL_* reach every service, each of which has its own name.
      assert.deepEqual(collector.faults, []);
      assert.deepEqual([...new Set(collector.spans.map(({ service }) => service))].sort(), ['aggregate-svc', 'auth-svc', 'gateway', 'report-svc']);
    });

    test('it stays up until Ctrl-C, which ends everything; a second one says so', async () => {
      const run = await up(root, []);
      await says(run, /Ctrl-C stops everything/);
      assert.match(run.out, new RegExp(`url: http://127.0.0.1:${run.port}/mcp`));
      const client = await Mcp.connect(`http://127.0.0.1:${run.port}/mcp`);
      assert.equal((await client.data('list_dealers', {})).total, 24);
      const status = await fetch(run.out.match(/^The state of services and dealers: (http:\S+)$/m)[1], { headers: { Accept: 'application/json' } });
      const { dealers, services } = await status.json();
      assert.deepEqual([dealers.length, services.every((s) => s.state === 'ok')], [24, true]);
      await connectByTheLink(run, client);

      const second = await up(root, []);
      assert.equal((await second.ended).code, 1);
      assert.match(second.out, /another deploy\/up\.sh of this checkout is running \(pid \d+\)/);

      process.kill(-run.child.pid, 'SIGINT');
      const { code } = await run.ended;
      assert.equal(code, 0, run.out);
      assert.match(run.out, /stopped\n$/);
      assert.doesNotMatch(run.out, /ended with exit code|did not stop/);
      await noOrphan(run);
    });

    test('--auth makes a token, without which nobody gets in; --host is said in the entry', async () => {
      const run = await up(root, ['--auth', '--host', '0.0.0.0']);
      await says(run, /Ctrl-C stops everything/);
      const url = `http://127.0.0.1:${run.port}/mcp`;
      const post = (headers = {}) => fetch(url, { method: 'POST', body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers } });
      assert.equal((await post()).status, 401);
      const [, token] = /export ANALYTICS_TOKEN=(\S+)/.exec(run.out);
      const client = await Mcp.connect(url, { token });
      assert.equal((await client.data('list_dealers', {})).total, 24);
      assert.match(run.out, /headers: \{Authorization: "Bearer \$\{ANALYTICS_TOKEN\}"\}/);
      process.kill(-run.child.pid, 'SIGINT');
      assert.equal((await run.ended).code, 0, run.out);
    });
  });

  describe('in another, where something goes wrong', { concurrency: 1 }, () => {
    const root = checkout();

    test('Ctrl-C works where a shell started it in the background with SIGINT ignored', async () => {
      const run = await up(root, [], { ignoreInt: true });
      await says(run, /Ctrl-C stops everything/);
      run.child.kill('SIGINT');
      const { code } = await run.ended;
      assert.equal(code, 0, run.out);
      assert.match(run.out, /stopped\n$/);
    });

    test('a busy port is named before anything starts', async () => {
      const port = await freePort();
      const server = net.createServer();
      await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
      try {
        const run = await up(root, [], { port });
        assert.equal((await run.ended).code, 1);
        assert.match(run.out, new RegExp(`port ${port} is in use; choose another with --port`));
        assert.deepEqual(pids(run), []);
      } finally {
        server.close();
      }
    });

    test('a kill of up.sh that cannot be caught leaves no orphan either', async () => {
      const run = await up(root, []);
      await says(run, /Ctrl-C stops everything/);
      run.child.kill('SIGKILL');
      await run.ended;
      await noOrphan(run);
    });

    test('a service that ends by itself ends the set with a message', async () => {
      const run = await up(root, []);
      await says(run, /Ctrl-C stops everything/);
      process.kill(pids(run)[2], 'SIGKILL'); // report-svc
      assert.equal((await run.ended).code, 1);
      assert.match(run.out, /report-svc ended; its log is run\/log\/report-svc\.log/);
      await noOrphan(run);
    });

    test('wrong usage ends with 2', async () => {
      const absent = path.join(root, 'absent.json');
      for (const args of [['--nonsense'], ['--port', 'x'], ['--port'], ['--host'], ['--dealers'], ['--dealers', absent], ['--dealers', root],
        ['--host', '0.0.0.0', '--dealers', path.join(ROOT, 'config/dealers.example.json')]]) {
        const end = spawnSync('bash', [path.join(root, 'deploy/up.sh'), '--no-install', '--no-build', ...args], { encoding: 'utf8', timeout: 10_000 });
        assert.equal(end.status, 2, end.stderr);
        assert.match(end.stderr, /^up\.sh: .*; see deploy\/up\.sh --help\n$/);
      }
    });
  });
});
