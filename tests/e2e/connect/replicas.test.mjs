// Two replicas of auth-svc over one PostgreSQL, which tests/unit/postgres.sh starts: whichever takes a
// step, dealers are connected once, both serve them, and neither a replica nor the database that is
// killed loses a consent or stops those who are connected.
import assert from 'node:assert/strict';
import { execSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStage } from './stage.mjs';

const server = (what) => execSync(`${process.env.AMCP_TEST_SERVER} ${what}`);

describe('two replicas over one database', () => {
  let s, first;
  before(async () => {
    s = await startStage({ replicas: 2 });
  });
  after(async () => { await s?.stop(); });

  const title = (page) => page.text.match(/<h1>(.*?)<\/h1>/)?.[1];
  // A replica that could not reach the database a moment ago says so for a second.
  async function comes(what) {
    const end = Date.now() + 20_000;
    let last;
    while (!(await Promise.resolve().then(what).catch((error) => void (last = error)))) {
      assert.ok(Date.now() < end, `did not come about: ${what}: ${last?.message}`);
      await sleep(50);
    }
  }
  const ask = (d) => s.tool(s.token('admin'), 'run_report', { dealer_id: d.dealer_id, metrics: ['sessions'],
    date_ranges: [{ start_date: '3daysAgo', end_date: 'yesterday' }] });

  test('dealers connect by both, and both have all of them', async () => {
    const some = Array.from({ length: 8 }, () => s.dealer());
    first = some[0];
    const links = some.map((d, i) => (i % 2 === 0 ? s.invite(d) : s.commandAt('auth2', 'invite', d.dealer_id, '--name', d.name, '--region', d.region).stdout.trim()));
    const pages = await Promise.all(some.map((d, i) => s.walker().connect(d, links[i])));
    pages.forEach((page, i) => assert.match(page.text, /is connected<\/h1>/, `${some[i].dealer_id}: ${page.status} ${title(page)}`));
    for (const name of ['auth', 'auth2'])
      await comes(() => some.every((d) => s.connections(name).get(d.dealer_id) === 'ok'));
    for (const d of some) assert.equal((await ask(d)).status, 200);
    const steps = ['auth', 'auth2'].map((name) => fs.readFileSync(path.join(s.dir, `audit-${name}.log`), 'utf8').match(/"event":"connect_/g)?.length ?? 0);
    assert.ok(steps.every((n) => n > 0), `steps taken by each: ${steps}`);
  });

  test('a consent goes on when the replica that began it is killed', async () => {
    for (const victim of ['auth', 'auth2']) {
      const d = s.dealer(), w = s.walker();
      const started = await w.begin(s.invite(d)), back = await w.consent(started.location, d.email);
      await s.set.stopOne(victim, { signal: 'SIGKILL' });
      assert.equal((await w.ask(back)).status, 303);
      const done = await w.finish(String(d.property_id));
      assert.equal(done.status, 303, done.text);
      assert.match((await w.ask(done.location)).text, /is connected<\/h1>/);
      await s.set.startOne(victim);
      assert.equal(s.connections(victim).get(d.dealer_id), 'ok', 'also for the one that comes back');
    }
  });

  test('orders may be given to either: disconnect, export, import, renew', async () => {
    const exported = JSON.parse(s.commandAt('auth2', 'export').stdout);
    const one = exported.dealers.find((d) => d.dealer_id === first.dealer_id);
    assert.ok(one.oauth.refresh_token.sealed.startsWith('v1:k1:'));
    assert.match(s.commandAt('auth2', 'disconnect', first.dealer_id).stdout, /revoked at Google/);
    await comes(() => !s.connections('auth').has(first.dealer_id));
    await comes(async () => (await ask(first)).status !== 200);
    const file = path.join(s.dir, 'export.json');
    fs.writeFileSync(file, JSON.stringify({ dealers: [one] }), { mode: 0o600 });
    assert.match(s.order('import', file), /^1 dealer is connected/);
    await comes(() => s.connections('auth2').has(first.dealer_id));
    const link = s.commandAt('auth2', 'invite', '--renew', first.dealer_id).stdout.trim();
    const email = `owner@${first.host}`;
    assert.equal((await s.walker().connect({ ...first, email }, link)).status, 200);
    await comes(async () => (await ask(first)).status === 200);
  });

  test('without the database nobody connects, and everybody who is connected is served', async () => {
    const d = s.dealer(), w = s.walker(), link = s.invite(d);
    const started = await w.begin(link), back = await w.consent(started.location, d.email);
    assert.equal((await w.ask(back)).status, 303);
    server('kill');
    const page = await w.finish(String(d.property_id));
    assert.equal(page.status, 503);
    assert.equal(title(page), 'Your consent cannot be stored at the moment');
    const order = s.command('invite', 'new', '--name', 'N', '--region', d.region);
    assert.equal(order.status, 1);
    assert.match(order.stderr, /DATABASE_URL/);
    assert.equal((await ask(first)).status, 200, 'a dealer that is connected');
    const ready = await fetch(`${s.set.admin('auth')}/readyz`);
    assert.equal(ready.status, 200);
    assert.match(await ready.text(), /^warn connect: \d+ dealers connected.*database cannot be reached/m);
    const writable = async () => /^auth_connected_writable (\d)$/m.exec(await (await fetch(`${s.set.admin('auth')}/metrics`)).text())[1];
    assert.equal(await writable(), '0');
    server('start');
    await comes(async () => (await w.finish(String(d.property_id))).status === 303);
    for (const name of ['auth', 'auth2']) await comes(() => s.connections(name).get(d.dealer_id) === 'ok');
    await comes(async () => (await writable()) === '1');
  });

  test('one that starts without the database is not ready until it is there', async () => {
    server('kill');
    await s.set.stopOne('auth2');
    const coming = s.set.startOne('auth2');
    const status = async () => (await fetch(`${s.set.admin('auth2')}/readyz`).catch(() => null))?.status;
    await comes(async () => (await status()) === 503);
    server('start');
    await coming;
    assert.equal(s.connections('auth2').get(first.dealer_id), 'ok');
  });

  test('and both audit logs are whole', () => {
    for (const name of ['auth', 'auth2']) s.audit(name);
  });
});
