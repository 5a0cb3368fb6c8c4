// The state of the set for operators: the page, its JSON and the tool say the same of 24 dealers of which four
// are at fault; other callers than admins are refused; sorting works; a service that is killed is named within two seconds.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { Stage } from './stage.mjs';

// What is wrong with whom, as the stage made it; each state with the words of its remedy.
const FAULTS = {
  d04: ['needs_reconsent', /^put a new refresh token of d04 into the dealers file/],
  d06: ['no_quota', /^wait until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ at the latest$/],
  d07: ['failing', /Viewer role/],
  d03: ['suspect', /^ask check_data_health about d03$/],
};
const URGENCY = ['needs_reconsent', 'misconfigured', 'failing', 'held', 'no_quota', 'suspect', 'no_report', 'ok'];
let s, admin;

before(async () => {
  s = await Stage.start({ sim: { plant: 'gap:d03' } });
  admin = await s.makeFaults();
});
after(() => s?.stop());

const states = (dealers) => Object.fromEntries(dealers.map((d) => [d.dealer_id, d.state]));
const status = (client, args = {}) => client.call('get_service_status', args);
const tables = (answer) => ({ ...answer.result.structuredContent, dealers: objects(answer.result.structuredContent.dealers) });

describe('the page', () => {
  test('shows every dealer, those at fault first and with their remedy', async () => {
    const { dealers, headline, coverage, services } = await s.json();
    assert.equal(dealers.length, 24);
    assert.deepEqual({ asked: coverage.asked, ok: coverage.ok }, { asked: 24, ok: 24 });
    for (const [id, [state, remedy]] of Object.entries(FAULTS)) {
      const dealer = dealers.find((d) => d.dealer_id === id);
      assert.equal(dealer.state, state, JSON.stringify(dealer));
      assert.match(dealer.remedy, remedy);
    }
    for (const d of dealers) if (!(d.dealer_id in FAULTS)) assert.deepEqual([d.state, d.last_outcome, d.failures], ['ok', 'ok', ''], d.dealer_id);
    const places = dealers.map((d) => URGENCY.indexOf(d.state));
    assert.deepEqual(places, places.toSorted((a, b) => a - b));
    assert.match(headline, /^4 of 24 dealers need action: 1 needs_reconsent, 1 failing, 1 no_quota, 1 suspect\.$/);
    assert.deepEqual(services.map((r) => [r.service, r.state]), [['gateway', 'ok'], ['auth-svc', 'ok'], ['report-svc', 'ok'], ['aggregate-svc', 'ok']]);
  });

  test('is HTML without script, closed to frames and scripts, and says what the JSON says', async () => {
    const { text, headers, status: code } = await s.page();
    assert.equal(code, 200);
    assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(headers.get('content-security-policy'), /default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.doesNotMatch(text, /<script|\son\w+=|javascript:/i);
    for (const d of (await s.json()).dealers) assert.ok(text.includes(`<small>${d.dealer_id}</small>`), d.dealer_id);
    assert.ok(text.includes('needs re-consent') && text.includes('no quota') && text.includes('suspect data'));
  });

  test('holds no token and no secret', async () => {
    for (const accept of ['text/html', 'application/json']) {
      const { text } = await s.page('', { Accept: accept });
      assert.doesNotMatch(text, /ya29\.|1\/\/|refresh_token|client_secret/);
      assert.ok(!text.includes(s.key));
      s.set.secrets.look(`/status as ${accept}`, text);
    }
    assert.deepEqual(await s.set.secretsSeen(), []);
  });

  test('sorts by each column, both ways', async () => {
    const number = (text) => (text === '' ? Infinity : Number(text));
    const failures = (d) => [...d.failures.matchAll(/ (\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    const keys = {
      state: (d) => URGENCY.indexOf(d.state), dealer: (d) => d.name.toLowerCase(), report: (d) => d.last_report,
      failures, quota: (d) => number(d.quota_left), token: (d) => d.last_token, region: (d) => d.region.toLowerCase(),
      data: (d) => d.data_through,
    };
    const { text } = await s.page();
    for (const [column, key] of Object.entries(keys)) {
      assert.ok(text.includes(`href="/status?sort=${column}&amp;order=`), column);
      for (const [order, way] of [['asc', 1], ['desc', -1]]) {
        const found = (await s.json(`?sort=${column}&order=${order}`)).dealers.map(key);
        assert.deepEqual(found, found.toSorted((a, b) => way * ((a > b) - (a < b))), `${column} ${order}`);
      }
      assert.match((await s.page(`?sort=${column}&order=desc`)).text, new RegExp(`aria-sort="descending"><a href="/status\\?sort=${column}&amp;order=asc`));
    }
    for (const query of ['?sort=secret', '?sort=state&order=up', '?sort=%3Cb%3E']) {
      const refused = await s.page(query);
      assert.equal(refused.status, 400);
      assert.match(refused.text, /sort must be one of state, dealer/);
    }
  });

  test('answers nothing else, and nobody who calls it by another name', async () => {
    assert.equal((await fetch(s.url, { method: 'POST' })).status, 405);
    assert.equal((await fetch(s.url.replace('/status', '/mcp'))).status, 404);
    assert.equal((await fetch(s.url.replace('/status', '/status/style.css'))).headers.get('content-type'), 'text/css; charset=utf-8');
    const { request } = await import('node:http');
    const code = (host) => new Promise((resolve) => request(s.url, { headers: { Host: host } }, (answer) => resolve(answer.resume().statusCode)).end());
    assert.equal(await code(`localhost:${s.port}`), 200);
    assert.equal(await code(`rebound.example:${s.port}`), 403);
  });

  test('is not served by the MCP endpoint', async () => {
    assert.equal((await fetch(s.set.url.replace('/mcp', '/status'))).status, 404);
  });
});

describe('get_service_status', () => {
  test('says what the page says, to an admin', async () => {
    const page = await s.json();
    const found = tables(await status(admin, { limit: 500 }));
    assert.deepEqual(states(found.dealers), states(page.dealers));
    assert.equal(found.headline, page.headline);
    assert.equal(found.coverage.asked, 24);
  });

  test('says how far data reaches where an answer looked, and where it ended', async () => {
    const [ended, healthy, early, unasked] = [10, 11, 12, 13].map((n) => s.id(n));
    const recent = { start_date: '28daysAgo', end_date: 'yesterday' };
    const earlier = { start_date: '40daysAgo', end_date: '20daysAgo' };
    await s.sim.conditions({ dealer_id: ended, freshness_lag_days: 5 });
    await admin.data('compare_dealer_sessions', { dealer_ids: [ended, healthy], date_range: recent });
    await admin.data('compare_dealer_sessions', { dealer_ids: [early], date_range: earlier });
    const newest = async (dealer_id, range) => {
      const { rows } = await admin.data('run_report', { dealer_id, dimensions: ['date'], metrics: ['sessions'], date_ranges: [range] });
      return rows.map((r) => r.dimension_values[0].value).toSorted().at(-1).replace(/(....)(..)(..)/, '$1-$2-$3');
    };
    const expected = { [ended]: await newest(ended, recent), [healthy]: await newest(healthy, recent), [early]: await newest(early, earlier), [unasked]: '' };
    assert.ok(expected[early] < expected[ended] && expected[ended] < expected[healthy], JSON.stringify(expected));
    const { text } = await s.pageSince(Date.now());
    for (const dealers of [tables(await status(admin, { limit: 500 })).dealers, (await s.json()).dealers])
      for (const [id, day] of Object.entries(expected)) {
        const dealer = dealers.find((d) => d.dealer_id === id);
        assert.equal(dealer.data_through ?? '', day, id);
        assert.equal(dealer.state, 'ok', id);
        const words = new RegExp(`^no data since ${day} as of \\d{4}-\\d\\d-\\d\\d: ask check_data_health about ${id}$`);
        if (id === ended) assert.match(dealer.remedy, words);
        else assert.equal(dealer.remedy ?? '', '', id);
        if (day) assert.match(text, new RegExp(`<small>${id}</small>.*<td data-label="Data through"[^>]*><time>${day}</time></td>`));
      }
    await s.sim.conditions({ dealer_id: ended, freshness_lag_days: 0 });
  });

  test('comes in pages that hold every dealer once', async () => {
    const ids = [];
    let offset = 0;
    do {
      const page = (await status(admin, { limit: 7, offset })).result.structuredContent;
      ids.push(...objects(page.dealers).map((d) => d.dealer_id));
      offset = page.next_offset ?? 0;
    } while (offset > 0);
    assert.deepEqual(ids.toSorted(), (await s.json()).dealers.map((d) => d.dealer_id).toSorted());
  });

  test('shows problems alone when asked for them', async () => {
    const found = tables(await status(admin, { problems_only: true }));
    assert.deepEqual(found.dealers.map((d) => d.dealer_id).toSorted(), Object.keys(FAULTS).toSorted());
  });

  for (const claims of [{ role: 'dealer', dealers: ['d01'] }, { role: 'group', regions: ['West'] }])
    test(`is neither listed nor answered for the role ${claims.role}`, async () => {
      const client = await s.client({ sub: 'someone', ...claims });
      const listed = async (c) => (await c.request('tools/list', {})).result.tools.map((t) => t.name);
      assert.ok(!(await listed(client)).includes('get_service_status'));
      assert.ok((await listed(admin)).includes('get_service_status'));
      const answer = await status(client);
      assert.match(answer.error.message, /^Unknown tool: get_service_status/);
    });
});

test('states are metrics, too', async () => {
  const metrics = async (name) => (await fetch(`${s.set.admin(name)}/metrics`)).text();
  const report = await metrics('report');
  assert.match(report, /^report_properties\{state="no_quota"\} 1$/m);
  assert.match(report, /^report_properties\{state="failing"\} [12]$/m); // d04's call ended without a property
  assert.match(await metrics('aggregate'), /^aggregate_suspect_dealers 1$/m);
  assert.match(await metrics('auth'), /^auth_accounts\{state="needs_reconsent"\} 1$/m);
});

describe('a service that is killed is named within two seconds, and the rest stays', () => {
  for (const [name, service, missing] of [['report', 'report-svc', 'dealers'], ['aggregate', 'aggregate-svc', 'dealers'], ['auth', 'auth-svc', 'none']])
    test(service, async () => {
      await s.set.stopOne(name, { signal: 'SIGKILL' });
      const page = await s.pageSince(Date.now());
      assert.equal(page.status, 200);
      assert.ok(page.ms < 2000, `${page.ms} ms`);
      assert.match(page.text, new RegExp(`${service} did not answer`));
      const { services, dealers } = await s.json();
      assert.deepEqual(services.filter((r) => r.state !== 'ok').map((r) => r.service), [service]);
      assert.equal(dealers.length, missing === 'none' ? 0 : 24);
      await s.set.startOne(name);
      for (const end = Date.now() + 20_000; ; ) {
        const all = (await s.json()).services.every((r) => r.state === 'ok');
        if (all) break;
        assert.ok(Date.now() < end, `${service} is not back`);
      }
    });
});
