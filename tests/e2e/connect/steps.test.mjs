// The steps of a consent without a browser: what each leads to, headers and limits, many at once, a
// restart in between, renewal and withdrawal, and what may never be in a log.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startStage } from './stage.mjs';

describe('a dealer connects', () => {
  let s, fifty;
  before(async () => { s = await startStage(); });
  after(async () => { await s?.stop(); });

  const title = (page) => page.text.match(/<h1>(.*?)<\/h1>/)?.[1];

  test('and is answered for, with the figures of yesterday as the world has them', async () => {
    const d = s.dealer();
    const page = await s.walker().connect(d, s.invite(d, '--group', 'Spring'));
    assert.equal(page.status, 200, page.text);
    assert.equal(title(page), `${d.name} is connected`.replaceAll('&', '&amp;').replaceAll("'", '&#39;'));
    const { sessions, users } = s.yesterday(d);
    const figure = (n) => n.toLocaleString('en-US');
    assert.match(page.text, new RegExp(`Yesterday: ${figure(sessions)} sessions, ${figure(users)} active users\\.`));
    assert.equal(s.connections().get(d.dealer_id), 'ok');
    const { status, body } = await s.tool(s.token('admin'), 'run_report', { dealer_id: d.dealer_id, metrics: ['sessions'],
      date_ranges: [{ start_date: 'yesterday', end_date: 'yesterday' }] });
    assert.equal(status, 200, JSON.stringify(body));
    assert.ok(JSON.stringify(body).includes(String(sessions)), JSON.stringify(body));
  });

  test('by a link that is good once', async () => {
    const d = s.dealer(), link = s.invite(d);
    assert.equal((await s.walker().ask(link)).status, 200);
    assert.equal((await s.walker().ask(link)).status, 200, 'to look at it uses nothing up');
    assert.equal((await s.walker().connect(d, link)).status, 200);
    for (const page of [await s.walker().ask(link), await s.walker().begin(link), await s.walker().ask(`${s.url}?invite=${'x'.repeat(43)}`), await s.walker().ask(s.url)]) {
      assert.equal(page.status, 410);
      assert.equal(title(page), 'This link can no longer be used');
    }
    const revoked = s.invite(s.dealer()), id = s.order('connections').match(/^link +(\S+)/m)[1];
    s.order('invite', '--revoke', id);
    assert.equal((await s.walker().ask(revoked)).status, 410);
  });

  test('and every page has its headers, the cookie its marks', async () => {
    const d = s.dealer(), w = s.walker(), link = s.invite(d);
    const pages = [await w.ask(link), await w.begin(link), await w.ask(`${s.url}/nowhere`), await w.ask(`${s.url}/style.css`),
      await w.ask(`${s.url}/finish`), await w.ask(`${s.url}/finish`, { method: 'POST', body: '', headers: { 'Sec-Fetch-Site': 'cross-site' } })];
    for (const { headers } of pages) {
      assert.match(headers.get('content-security-policy'), /^default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'.*; base-uri 'none'; frame-ancestors 'none'$/);
      for (const [name, value] of Object.entries({ 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store',
        'x-content-type-options': 'nosniff', 'cross-origin-opener-policy': 'same-origin', 'strict-transport-security': 'max-age=31536000' }))
        assert.equal(headers.get(name), value);
    }
    assert.deepEqual(pages.map((p) => p.status), [200, 303, 404, 200, 405, 403]);
    assert.match(pages[1].headers.get('set-cookie'), /^__Host-connect=[\w-]{43}\.en; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/);
    const google = new URL(pages[1].location).searchParams;
    assert.equal(google.get('redirect_uri'), `${s.url}/callback`);
    assert.equal(google.get('code_challenge_method'), 'S256');
    assert.equal(google.get('access_type'), 'offline');
    for (const { text } of pages) assert.ok(!/<script|onclick|style=/i.test(text));
  });

  test('only by a form of our own page', async () => {
    const link = s.invite(s.dealer()), body = new URLSearchParams({ invite: new URL(link).searchParams.get('invite') });
    const start = (headers) => fetch(`${s.url}/start`, { method: 'POST', body, redirect: 'manual', headers });
    for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }, { 'Sec-Fetch-Site': 'none' },
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': '' }, { 'Sec-Fetch-Site': '', Origin: 'null' }])
      assert.equal((await start(headers)).status, 403, JSON.stringify(headers));
    assert.equal((await fetch(`${s.url}/start`, { method: 'POST', body: '{}', headers: { 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'text/plain' } })).status, 403);
    assert.equal((await start({ 'Sec-Fetch-Site': 'same-origin' })).status, 303);
  });

  test('not when the redirect belongs to another browser or attempt, or not to Google', async () => {
    const d = s.dealer(), link = s.invite(d), victim = s.walker(), attacker = s.walker();
    const mine = await attacker.begin(s.invite(s.dealer())), theirs = await victim.begin(link);
    const back = await victim.consent(theirs.location, d.email);
    assert.equal((await s.walker().ask(back)).status, 410, 'no cookie');
    const swapped = await victim.consent(mine.location, 'agency@example.com');
    assert.equal(title(await victim.ask(swapped)), 'This answer belongs to another browser');
    assert.equal((await attacker.ask(back)).status, 403);
    assert.equal((await victim.ask(back)).status, 303, 'its own browser is served all the same');
    await s.policy('wrong_iss');
    const w = s.walker(), started = await w.begin(s.invite(s.dealer()));
    assert.equal(title(await w.ask(await w.consent(started.location, d.email))), 'This answer does not come from Google');
    await s.policy('no_iss');
    const x = s.dealer();
    assert.equal((await s.walker().connect(x, s.invite(x))).status, 200);
    await s.policy();
  });

  test('not when something is missing, and each page says what to do', async () => {
    const cases = [
      [{ decision: 'deny' }, 'normal', 403, 'You declined, and nothing was connected'],
      [{ analytics: false }, 'normal', 403, 'The permission for Google Analytics is missing'],
      [{}, 'admin_policy', 403, 'Your organisation does not allow this'],
      [{}, 'no_refresh_token', 502, 'Google gave no lasting access'],
    ];
    for (const [choices, policy, status, expected] of cases) {
      const d = s.dealer(), w = s.walker();
      await s.policy(policy);
      const page = await w.connect(d, s.invite(d), choices);
      await s.policy();
      assert.equal(page.status, status);
      assert.equal(title(page), expected);
      assert.ok(!s.connections().has(d.dealer_id));
      assert.match(page.text, /action="\/connect\/again"/);
      const again = await w.ask(`${s.url}/again`, { method: 'POST', body: new URLSearchParams() });
      assert.equal(again.status, 303);
      assert.equal((await w.ask(await w.consent(again.location, d.email))).status, 303);
      assert.equal((await w.finish(String(d.property_id))).status, 303);
      assert.equal(s.connections().get(d.dealer_id), 'ok');
    }
    const d = s.dealer();
    const page = await s.walker().connect({ ...d, email: 'nobody@example.com' }, s.invite(d));
    assert.equal(title(page), 'This Google account has no access to Google Analytics');
  });

  test('when Google was slow, by trying again', async () => {
    const d = s.dealer(), w = s.walker();
    await s.policy('normal', { slow_ms: 4000 });
    const page = await w.connect(d, s.invite(d));
    await s.policy();
    assert.equal(page.status, 503);
    assert.equal(title(page), 'Google does not answer at the moment');
    const again = await w.ask(`${s.url}/again`, { method: 'POST', body: new URLSearchParams() });
    assert.equal((await w.ask(await w.consent(again.location, d.email))).status, 303);
    assert.equal((await w.finish(String(d.property_id))).status, 303);
  });

  test('one property of several, and no other', async () => {
    const d = s.dealers.at(-2), w = s.walker();
    const started = await w.begin(s.order('invite', 'agency-1', '--name', d.name, '--region', d.region).trim());
    const back = await w.ask(await w.consent(started.location, 'agency@example.com'));
    const page = await w.ask(back.location);
    assert.equal((page.text.match(/type="radio"/g) ?? []).length, 3);
    assert.ok(!/ checked/.test(page.text), 'none is chosen for the person');
    assert.equal((await w.finish('1')).status, 400);
    assert.equal((await w.finish('')).status, 400);
    assert.equal((await w.finish(String(s.dealers[0].property_id))).status, 400, 'one that the account does not see');
    assert.equal((await w.finish(String(d.property_id))).status, 303);
    const other = s.walker(), second = await other.begin(s.order('invite', 'agency-2', '--name', 'Other', '--region', d.region).trim());
    await other.ask(await other.consent(second.location, 'agency@example.com'));
    const taken = await other.finish(String(d.property_id));
    assert.equal(taken.status, 409);
    assert.equal(title(taken), 'This website is connected already');
  });

  test('although auth-svc is restarted at every step', async () => {
    const d = s.dealer(), w = s.walker(), link = s.invite(d);
    await s.set.restart('auth');
    const started = await w.begin(link);
    assert.equal(started.status, 303, started.text);
    const back = await w.consent(started.location, d.email);
    await s.set.restart('auth');
    assert.equal((await w.ask(back)).status, 303);
    await s.set.restart('auth');
    assert.equal((await w.finish(String(d.property_id))).status, 303);
    await s.set.restart('auth');
    assert.equal(s.connections().get(d.dealer_id), 'ok');
    assert.match((await w.ask(`${s.url}/consent`)).text, /is connected/);
  });

  test('fifty at once', async () => {
    fifty = Array.from({ length: 50 }, () => s.dealer());
    const links = fifty.map((d) => s.invite(d));
    const pages = await Promise.all(fifty.map((d, i) => s.walker().connect(d, links[i])));
    const states = s.connections();
    pages.forEach((page, i) => assert.match(page.text, /is connected/, `${fifty[i].dealer_id}: ${page.status}`));
    for (const d of fifty) assert.equal(states.get(d.dealer_id), 'ok');
  });

  test('a consent that is withdrawn shows as such, leads to a new link, and is renewed', async () => {
    const d = s.dealers[5], email = `owner@${d.host}`; // connected by the tests above
    const ask = (token) => s.tool(token, 'run_report', { dealer_id: d.dealer_id, metrics: ['sessions'],
      date_ranges: [{ start_date: '3daysAgo', end_date: 'yesterday' }] });
    assert.equal(s.connections().get(d.dealer_id), 'ok');
    await s.withdraw(email);
    await s.set.restart('auth'); // the access token that is held would last an hour
    const admin = JSON.stringify((await ask(s.token('admin'))).body);
    assert.match(admin, new RegExp(`auth-svc invite --renew ${d.dealer_id}`));
    const dealer = JSON.stringify((await ask(s.token('dealer', '--dealer', d.dealer_id))).body);
    assert.match(dealer, /ask your administrator for a new link/);
    assert.ok(!dealer.includes('auth-svc'));
    assert.equal(s.connections().get(d.dealer_id), 'needs_reconsent');
    const w = s.walker(), link = s.renewal(d);
    assert.match((await w.ask(link)).text, /Renew the consent/);
    assert.equal((await w.connect({ ...d, email }, link)).status, 200);
    assert.equal(s.connections().get(d.dealer_id), 'ok');
    assert.equal((await ask(s.token('admin'))).status, 200);
  });

  test('and is disconnected: revoked at Google, and forgotten', async () => {
    const d = fifty[0];
    assert.match(s.order('disconnect', d.dealer_id), /revoked at Google/);
    assert.ok(!s.connections().has(d.dealer_id));
    assert.equal((await s.withdraw(`owner@${d.host}`)).withdrawn, 0, 'nothing was left to withdraw');
    assert.equal(s.command('disconnect', d.dealer_id).status, 1);
  });

  test('orders are for admins, and for the holder of the seal key', async () => {
    const bare = s.set.env('auth');
    s.set.changeEnv('auth', { AUTH_SEAL_KEY_FILE: null });
    assert.equal(s.command('connections').status, 78);
    s.set.changeEnv('auth', { AUTH_SEAL_KEY_FILE: s.set.env('auth').AUTH_KEYRING_FILE });
    assert.equal(s.command('connections').status === 0, false);
    s.set.changeEnv('auth', { AUTH_SEAL_KEY_FILE: bare.AUTH_SEAL_KEY_FILE });
    assert.equal(s.command('connections').status, 0);
    const known = s.command('invite', s.dealers[0].dealer_id, '--name', 'N', '--region', 'West');
    assert.match(known.stderr, /is in the dealers file already/);
    assert.match(s.command('invite', 'new', '--name', 'N', '--region', 'West', '--ttl', '25h').stderr, /ttl_s: must be 60 to 86400/);
  });

  test('what is exported is sealed, and can be imported', async () => {
    const d = fifty[1];
    const all = JSON.parse(s.order('export'));
    const one = all.dealers.find((x) => x.dealer_id === d.dealer_id);
    assert.ok(one.oauth.refresh_token.sealed.startsWith('v1:k1:'));
    s.order('disconnect', d.dealer_id);
    const fs = await import('node:fs');
    const file = `${s.dir}/export.json`;
    fs.writeFileSync(file, JSON.stringify({ dealers: [one] }), { mode: 0o600 });
    assert.match(s.order('import', file), /^1 dealer is connected/);
    assert.ok(s.connections().has(d.dealer_id));
    assert.equal(s.command('import', file).status, 1);
  });

  test('no link, session, code or state is in a log, and the audit log is whole', async () => {
    const d = s.dealer(), w = s.walker(), link = s.invite(d);
    const started = await w.begin(link), back = await w.consent(started.location, d.email);
    await w.ask(back);
    await w.finish(String(d.property_id));
    const secret = [new URL(link).searchParams.get('invite'), w.cookie.split('=')[1].split('.')[0], new URL(back).searchParams.get('code'), new URL(back).searchParams.get('state')];
    secret.forEach((value) => s.set.secrets.add('of a consent', value));
    assert.deepEqual(await s.set.secretsSeen(), []);
    assert.ok(s.set.output('gateway').stderr.includes('/connect/callback'), 'the log has debug lines');
    s.audit();
  });
});

test('requests of one address are limited', async () => {
  const s = await startStage({ env: { gateway: { CONNECT_REQUESTS_PER_MINUTE: '10' } } });
  try {
    const seen = [];
    for (let i = 0; i < 14; i++) seen.push((await s.walker().ask(s.url)).status);
    assert.deepEqual(seen.slice(0, 10), Array(10).fill(410));
    assert.ok(seen.slice(11).every((status) => status === 429), String(seen));
  } finally {
    await s.stop();
  }
});
