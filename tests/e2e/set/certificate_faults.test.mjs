// What report-svc says of Google's certificate when a proxy, a clock or an address is wrong.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from '../lib/ports.mjs';
import { Mcp } from './mcp.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

const FAULTS = { expired: /expired/, wrong_name: /127\.0\.0\.1|alternative/, self_signed: /self[- ]signed/ };
let s, client, ports, ca;

before(async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-ca-'));
  ca = path.join(dir, 'ca.pem');
  ports = {};
  for (const kind of ['good', ...Object.keys(FAULTS)]) ports[kind] = await freePort();
  const tls = Object.entries(ports).map(([kind, port]) => `${kind}@127.0.0.1:${port}`);
  s = await startOverWorld({
    sim: { tls, writeCa: ca },
    env: { report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0, SSL_CERT_FILE: ca, GA4_DATA_ENDPOINT: `https://127.0.0.1:${ports.good}` } },
  });
  client = await Mcp.connect(s.set.url);
});
after(async () => {
  await s?.stop();
  fs.rmSync(path.dirname(ca), { recursive: true, force: true });
});

const log = () => s.set.output('report').stderr;
const report = () => client.call('run_report', { dealer_id: 'd01', metrics: ['sessions'] });
async function use(kind, more = {}) {
  s.set.changeEnv('report', { GA4_DATA_ENDPOINT: `https://127.0.0.1:${ports[kind]}`, ...more });
  await s.set.restart('report');
}
const failures = async () => {
  const text = await (await fetch(`${s.set.admin('report')}/metrics`)).text();
  return [...text.matchAll(/^report_google_requests_total\{([^}]*)\} (\d+)/gm)].filter(([, labels]) => !labels.includes('"ok"')).reduce((n, m) => n + Number(m[2]), 0);
};

test('a_certificate_of_the_given_authority_is_trusted', async () => {
  const answer = await report();
  assert.equal(answer.isError, false, answer.text);
  assert.ok(answer.result.structuredContent.rows[0][0] > 0);
});

for (const [kind, text] of Object.entries(FAULTS))
  test(`${kind}: refused once, with the operator's remedy in the log`, async () => {
    await use(kind);
    const answer = await report();
    assert.equal(answer.isError, true);
    assert.match(answer.text, /Google's certificate is not trusted/);
    assert.match(answer.text, text);
    assert.match(answer.text, /Only the operator of this service can fix that/);
    assert.match(log(), /set SSL_CERT_FILE .* or check GA4_DATA_ENDPOINT, GA4_ADMIN_ENDPOINT and the clock/);
    assert.equal(await failures(), 1, 'not tried again');
  });

test('in a fan-out every dealer is named with it', async () => {
  const today = todayIn('UTC');
  const answer = await client.call('run_report_across_dealers', {
    dealer_ids: ['d01', 'd02'], metrics: ['sessions'], date_range: { start_date: daysBefore(today, 10), end_date: daysBefore(today, 5) },
  });
  assert.equal(answer.isError, true);
  assert.match(answer.text, /d01.*d02|certificate/s);
  assert.match(log(), /SSL_CERT_FILE/);
});

test('without the authority even the good one is refused', async () => {
  await use('good', { SSL_CERT_FILE: null });
  const answer = await report();
  assert.equal(answer.isError, true);
  assert.match(log(), /SSL_CERT_FILE/);
});
