// A rolling restart of every service, the gateway too, under 16 callers of the official SDKs: no call
// is lost and no session ends. First one replica of each and its replacement, then two replicas that
// are restarted one after the other, as processes on loopback.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { authSettings, jwt, secret } from '../set/tokens.mjs';
import { BUILD, daysBefore, startOverWorld } from '../set/world.mjs';
import { Balancer } from './balancer.mjs';
import { questions, startPython, startTypeScript } from './callers.mjs';
import { findPython } from './python.mjs';

const KINDS = ['auth', 'report', 'aggregate', 'gateway'];
const CALLERS = { typescript: 6, python: 4 }; // of each SDK: 6 + 6 + 4
const LONGEST_MS = 60_000;

let s, balancer, folder, python;
let groups = [];
const gateways = new Set();
const aim = () => balancer.aim([...gateways].map((name) => s.set.http(name)));

before(async () => {
  const key = secret();
  const auth = authSettings(key);
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-rolling-'));
  const sessionKey = path.join(folder, 'session.key');
  fs.writeFileSync(sessionKey, execFileSync(path.join(BUILD, 'bin/auth-svc'), ['keygen']), { mode: 0o600 });
  s = await startOverWorld({
    // A small world: calls must be short beside the grace of a stop, also on a busy machine.
    sim: { dealers: 6, regions: 2, days: 30 },
    replicas: { auth: 2, report: 2, aggregate: 2, gateway: 2 },
    standby: KINDS.map((kind) => `${kind}2`),
    env: {
      // A drain in which every caller calls, also on a busy machine: its next answer says that the
      // connection closes. One that is silent for longer can always meet the end of a connection.
      gateway: { ...auth.gateway, GATEWAY_SESSION_KEY_FILE: sessionKey, AMCP_DRAIN_MS: 3000 },
      // What replicas share: the key of grants. Releases are kept in memory: a file has one owner.
      auth: { ...auth.auth, AUTH_SEAL_KEY: secret() },
      aggregate: { AGGREGATE_STATE_DIR: null },
    },
  });
  balancer = new Balancer();
  const url = `http://${await balancer.listen()}/mcp`;
  gateways.add('gateway');
  aim();
  const today = new Date().toISOString().slice(0, 10);
  const asked = questions({ start_date: daysBefore(today, 9), end_date: daysBefore(today, 7) });
  const tokenOf = (sub) => jwt(key, { sub, role: 'admin' });
  python = findPython();
  const missing = python.python ? 0 : CALLERS.python; // made up for, so that there are 16
  groups = [await startTypeScript(CALLERS.typescript + missing / 2, url, tokenOf, asked)];
  if (python.python) groups.push(startPython(CALLERS.python, python.python, url, tokenOf, asked));
});
after(async () => {
  await Promise.all(groups.map((group) => group.stop().catch(() => {}))); // after a failure
  await balancer?.close();
  await s?.stop();
  if (folder) fs.rmSync(folder, { recursive: true, force: true });
});

// Out of the Service, then SIGTERM; stopOne() throws unless it ends by itself with exit code 0.
async function end(name) {
  if (gateways.delete(name)) aim();
  await s.set.stopOne(name);
}
async function begin(name) {
  await s.set.startOne(name);
  if (name.startsWith('gateway')) {
    gateways.add(name);
    aim();
  }
}
// Until every caller of TypeScript has called on, so that something has been asked of the new state.
async function callsGoOn() {
  const totals = groups[0].totals;
  const before = totals.map((t) => t.calls);
  const enough = CALLERS.typescript;
  const until = Date.now() + LONGEST_MS;
  while (totals.some((t, i) => t.calls < before[i] + enough)) {
    if (Date.now() > until) assert.fail(`the callers stand still: ${JSON.stringify(totals)}`);
    await sleep(20);
  }
}

describe('under 16 callers', () => {
  test('they call', callsGoOn);

  for (const kind of KINDS)
    test(`${kind}: a replica is replaced`, async () => {
      await begin(`${kind}2`);
      await end(kind);
      await callsGoOn();
      await begin(kind);
    });

  for (const kind of KINDS)
    test(`${kind}: two replicas are restarted one after the other`, async () => {
      for (const name of [kind, `${kind}2`]) {
        await end(name);
        await callsGoOn();
        await begin(name);
      }
    });
});

describe('afterwards', () => {
  test('no call was lost and no session ended', async (t) => {
    const totals = groups.flatMap((group) => group.totals);
    const ends = await Promise.allSettled(groups.splice(0).map((group) => group.stop()));
    for (const { name, calls, lost, sessionErrors } of totals) t.diagnostic(`${name}: ${calls} calls, ${lost} lost, ${sessionErrors} session errors`);
    t.diagnostic(`${balancer.connections} connections`);
    assert.deepEqual(ends.filter((end) => end.status === 'rejected').map((end) => end.reason.message), []);
    for (const total of totals) {
      assert.ok(total.calls > 40, `${total.name} made only ${total.calls} calls`);
      assert.deepEqual([total.lost, total.sessionErrors], [0, 0], `${total.name}: ${JSON.stringify(total)}`);
    }
  });

  test('the Python SDK was among the callers', (t) => {
    if (!python.python) t.skip(`Python SDK not tested: ${python.why}`);
  });
});
