// A dealer sees its own rows, and of its region only what the disclosure policy allows; nothing that
// tells another dealer apart is in any byte it is sent. No secret is in any log.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Mcp } from './mcp.mjs';
import { accountToken, AUDIENCE, authSettings, jwt, secret } from './tokens.mjs';
import { assertComparison, figuresOf } from './truth.mjs';
import { startOverWorld, wholeWeeks } from './world.mjs';

const OWN = 'd13'; // Subaru of Portland, West; alone with its owner
let s, world, key, date_range, dealersFile, own, dealer, admin;

const credentials = (id) => dealersFile.dealers.find((d) => d.dealer_id === id);
const proof = (id, more = {}) => {
  const d = credentials(id);
  return accountToken({ account_id: d.account_id, refresh_token: d.oauth.refresh_token, dealer_name: d.name, ...more });
};

before(async () => {
  key = secret();
  s = await startOverWorld({
    env: {
      ...authSettings(key),
      gateway: { ...authSettings(key).gateway, LOG_LEVEL: 'DEBUG', ANALYTICS_MCP_RESOURCE_URL: AUDIENCE, ANALYTICS_MCP_AUTH_SERVERS: 'https://issuer.example' },
      auth: { ...authSettings(key).auth, LOG_LEVEL: 'DEBUG' },
      report: { LOG_LEVEL: 'DEBUG', REPORT_BACKOFF_MS: 20 },
      aggregate: { LOG_LEVEL: 'DEBUG' },
    },
  });
  world = s.world;
  dealersFile = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8'));
  date_range = wholeWeeks(13);
  own = world.dealer(OWN);
  dealer = await Mcp.connect(s.set.url, { token: proof(OWN) });
  admin = await Mcp.connect(s.set.url, { token: jwt(key, { sub: 'root', role: 'admin' }) });
});
after(() => s?.stop());

// Everything that would tell another dealer apart, and the counts of the others over the period.
let known;
function traces() {
  return (known ??= findTraces());
}
function findTraces() {
  const others = world.dealers.filter((d) => d.dealer_id !== OWN);
  const words = others.flatMap((d) => {
    const listed = credentials(d.dealer_id);
    return [d.dealer_id, d.name, d.account_id, String(d.property_id), d.city, d.owner, d.owner_group,
      listed.oauth.client_id, listed.oauth.client_secret, listed.oauth.refresh_token];
  });
  words.push(...world.all('SELECT host FROM properties WHERE dealer_id <> ?', OWN).map((p) => p.host));
  const counts = others
    .filter((d) => d.region === own.region)
    .flatMap((d) => {
      const f = figuresOf(world, d, date_range);
      return [f.sessions, f.engaged];
    });
  const mine = figuresOf(world, own, date_range);
  const total = (name) => world.ofRegion(own.region).reduce((n, d) => n + figuresOf(world, d, date_range)[name], 0);
  counts.push(total('sessions'), total('engaged'), total('sessions') - mine.sessions, total('engaged') - mine.engaged);
  const ownText = JSON.stringify(own);
  return {
    words: [...new Set(words)].filter((word) => word && !ownText.includes(word)),
    counts: [...new Set(counts)].filter((n) => n >= 100 && ![mine.sessions, mine.engaged].includes(n)),
  };
}

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
// `asked` is what the caller itself wrote, which an answer may repeat.
function assertNoTrace(raw, asked, where) {
  const { words, counts } = traces();
  for (const word of words) {
    if (!raw.includes(word) || asked.includes(word)) continue;
    const whole = new RegExp(`(?<![A-Za-z0-9])${escape(word)}(?![A-Za-z0-9])`);
    assert.ok(!whole.test(raw), `${where}: tells "${word}" of another dealer: ${raw.slice(0, 1500)}`);
  }
  for (const n of counts) {
    const whole = new RegExp(`(?<![0-9.])${n}(?![0-9])`);
    assert.ok(!raw.includes(n) || !whole.test(raw), `${where}: tells the count ${n} of others: ${raw.slice(0, 1500)}`);
  }
}

describe('at the door', () => {
  const post = (headers) => new Mcp(s.set.url).post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { headers });
  const metadata = /resource_metadata="https:\/\/mcp\.example\/\.well-known\/oauth-protected-resource\/mcp"/;

  test('no credentials', async () => {
    for (const headers of [{}, { Authorization: 'Bearer ' }, { Authorization: 'Basic eDp5' }, { Authorization: 'Bearer' }]) {
      const answer = await post(headers);
      assert.equal(answer.status, 401, JSON.stringify(headers));
      assert.equal(answer.raw, '{"error":"Missing credentials"}');
      assert.match(answer.headers.get('www-authenticate'), /^Bearer /);
      assert.match(answer.headers.get('www-authenticate'), metadata);
      assert.doesNotMatch(answer.headers.get('www-authenticate'), /error=/);
    }
  });

  test('credentials that are not accepted', async () => {
    const d = credentials(OWN);
    const past = Math.floor(Date.now() / 1000) - 3600;
    const bad = {
      'nonsense': 'x',
      'another key': jwt(secret(), { role: 'admin' }),
      'no signature': `${jwt(key, { role: 'admin' }).split('.').slice(0, 2).join('.')}.`,
      'algorithm none': jwt(key, { role: 'admin' }, { alg: 'none' }),
      'expired': jwt(key, { role: 'admin', exp: past }),
      'not yet valid': jwt(key, { role: 'admin', nbf: past + 7200 }),
      'another audience': jwt(key, { role: 'admin', aud: 'https://other.example' }),
      'another issuer': jwt(key, { role: 'admin', iss: 'https://evil.example' }),
      'no expiry': jwt(key, { role: 'admin', exp: undefined }),
      'no such role': jwt(key, { role: 'owner' }),
      'an account without proof': accountToken({ account_id: d.account_id }),
      'a wrong refresh token': accountToken({ account_id: d.account_id, refresh_token: '1//wrong' }),
      "another dealer's refresh token": accountToken({ account_id: d.account_id, refresh_token: credentials('d01').oauth.refresh_token }),
      'a made-up access token': accountToken({ account_id: d.account_id, access_token: 'ya29.x', expires_at: past + 7200 }),
      'an unknown account': accountToken({ account_id: 'nobody', refresh_token: d.oauth.refresh_token }),
      'an empty refresh token': accountToken({ account_id: d.account_id, refresh_token: '' }),
      'no text': accountToken([1]),
      'too long': 'A'.repeat(20_000),
    };
    for (const [name, token] of Object.entries(bad)) {
      const answer = await post({ Authorization: `Bearer ${token}` });
      assert.ok(answer.status === 401 || (name === 'too long' && answer.status === 431), `${name}: ${answer.status} ${answer.raw}`);
      if (answer.status !== 401) continue;
      assert.equal(answer.raw, '{"error":"Invalid credentials"}', name);
      assert.match(answer.headers.get('www-authenticate'), /^Bearer .*error="invalid_token"/, name);
      assert.match(answer.headers.get('www-authenticate'), metadata);
    }
  });

  test('the challenge is given for every method, and the metadata to everybody', async () => {
    for (const method of ['GET', 'DELETE', 'POST']) {
      const response = await fetch(s.set.url, { method });
      assert.equal(response.status, 401, method);
      assert.match(response.headers.get('www-authenticate'), metadata);
    }
    const where = new URL('/.well-known/oauth-protected-resource/mcp', s.set.url);
    const response = await fetch(where);
    assert.equal(response.status, 200);
    assert.equal((await response.json()).resource, AUDIENCE);
    assert.equal((await fetch(new URL('/health', s.set.url))).status, 200);
  });

  test("a session is its owner's: with another's token it is not found", async () => {
    const first = await Mcp.connect(s.set.url, { token: proof('d02') });
    const answer = await first.post({ jsonrpc: '2.0', id: 9, method: 'ping' }, { headers: { Authorization: `Bearer ${proof(OWN)}` } });
    assert.equal(answer.status, 404);
    assert.equal((await first.request('ping')).status, 200);
  });
});

describe('a dealer with its own token', () => {
  test('list_dealers shows it alone', async () => {
    const answer = await dealer.data('list_dealers', {});
    assert.deepEqual(answer.dealers.map((d) => d.dealer_id), [OWN]);
    assert.equal(answer.total, 1);
    assert.deepEqual(answer.regions, ['West']);
    for (const query of ['Toyota', 'd01', 'Los Angeles', 'West']) {
      const found = await dealer.data('list_dealers', { query });
      assert.deepEqual(found.dealers.map((d) => d.dealer_id), query === 'West' ? [OWN] : []);
    }
  });

  test('its own report and accounts are there', async () => {
    const answer = await dealer.data('run_report', { metrics: ['sessions'], dealer_id: OWN, date_ranges: [date_range] });
    assert.equal(answer.rows[0].metric_values[0].value, String(figuresOf(world, own, date_range).sessions));
    const accounts = await dealer.data('get_account_summaries', {});
    assert.deepEqual(accounts.dealers.map((d) => d.dealer_id), [OWN]);
    assert.deepEqual(accounts.coverage, { asked: 1, ok: 1, failed: [], failed_undisclosed: 0 });
  });

  test('another dealer looks exactly like one that does not exist', async () => {
    const swap = (text, word) => text.replaceAll(word, '?');
    const d = world.dealer('d07');
    const pairs = [
      ['run_report', (id) => ({ dealer_id: id, metrics: ['sessions'] }), 'd07', 'd97'],
      ['run_report', (id) => ({ property_id: id, metrics: ['sessions'] }), String(d.property_id), '395047999'],
      ['run_report', (id) => ({ dealer_id: id, metrics: ['sessions'] }), d.account_id, '999999999'],
      ['run_report', (id) => ({ dealer_id: OWN, property_id: id, metrics: ['sessions'] }), String(d.property_id), '395047999'],
      ['get_account_summaries', (id) => ({ dealer_id: id }), 'd07', 'd97'],
      ...['get_property_details', 'get_custom_dimensions_and_metrics', 'search_fields'].flatMap((tool) => [
        [tool, (id) => ({ dealer_id: id }), 'd07', 'd97'],
        [tool, (id) => ({ property_id: id }), String(d.property_id), '395047999'],
        [tool, (id) => ({ dealer_id: OWN, property_id: id }), String(d.property_id), '395047999'],
      ]),
      ['compare_dealer_sessions', (id) => ({ subject: id }), 'd07', 'd97'],
      ['compare_dealer_sessions', (id) => ({ dealer_ids: [OWN, id] }), 'd07', 'd97'],
      ['run_report_across_dealers', (id) => ({ dealer_ids: [id], metrics: ['sessions'] }), 'd07', 'd97'],
      ['compare_dealer_sessions', (id) => ({ region: id }), 'East', 'Eost'],
      ['list_dealers', (id) => ({ region: id }), 'East', 'Eost'],
      ['run_report_across_dealers', (id) => ({ region: id, metrics: ['sessions'] }), 'Central', 'Cextral'],
    ];
    for (const [tool, args, real, made] of pairs) {
      const [a, b] = [await dealer.refused(tool, args(real)), await dealer.refused(tool, args(made))];
      assert.equal(swap(a, real), swap(b, made), `${tool} ${JSON.stringify(args(real))}`);
    }
  });

  test('its region gives its own row and pooled rates of the others only', async () => {
    const answer = await dealer.data('compare_dealer_sessions', { date_range });
    assert.equal(answer.cohort.dealers, 8);
    assert.equal(answer.cohort.undisclosed, 7);
    assert.deepEqual(answer.dealers.map((d) => d.dealer_id), [OWN]);
    assert.deepEqual(answer.performance_index.map((d) => d.dealer_id), [OWN]);
    const mine = figuresOf(world, own, date_range);
    const others = world.ofRegion('West').filter((d) => d !== own).map((d) => figuresOf(world, d, date_range));
    assert.equal(answer.dealers[0].sessions, mine.sessions);
    for (const name of ['sessions', 'engaged_sessions', 'lead_events']) assert.equal(answer.regional_average[name], undefined, name);
    const round = (x) => Number(x.toPrecision(3));
    const pool = (list, name) => list.reduce((n, f) => n + f[name], 0);
    for (const m of answer.regional_average.metrics) {
      assert.equal(m.mean, undefined, `${m.metric}: a mean weighs small dealers`);
      if (['sessions', 'engaged_sessions', 'lead_events'].includes(m.metric)) {
        assert.equal(m.pooled, undefined, m.metric);
        assert.equal(m.median, undefined, m.metric);
      }
    }
    const rate = answer.regional_average.metrics.find((m) => m.metric === 'engagement_rate');
    assert.equal(rate.pooled, round(pool(others, 'engaged') / pool(others, 'sessions')));
    assert.equal(rate.dealers, others.length);
    const index = answer.performance_index[0].metrics.find((m) => m.metric === 'engagement_rate');
    assert.equal(index.benchmark, rate.pooled);
    assert.equal(index.index, Math.round((100 * (mine.engaged / mine.sessions)) / rate.pooled));
    for (const m of answer.performance_index[0].metrics.filter((x) => x.better === 'CONTEXT')) {
      assert.equal(m.benchmark, undefined);
      // Of leads one of 13 weeks may be dominated by one dealer.
      assert.match(m.suppressed, m.metric === 'lead_events' ? /^(peer_counts|dominance)$/ : /^peer_counts$/, m.metric);
    }
    assertNoTrace(JSON.stringify(answer), '', 'its region');
  });

  test('its region by name, by itself as subject, and alone are the same', async () => {
    const plain = await dealer.data('compare_dealer_sessions', { date_range });
    assert.deepEqual(await dealer.data('compare_dealer_sessions', { subject: OWN, date_range }), plain);
    const region = await dealer.data('compare_dealer_sessions', { region: 'West', date_range });
    assert.deepEqual(region.regional_average.metrics.map((m) => m.pooled), plain.regional_average.metrics.map((m) => m.pooled));
  });

  test('a peer that fails is counted, not named, and Google\'s words on it are kept', async () => {
    await s.sim.fault({ dealer_id: 'd16', kind: '403' });
    const answer = await dealer.call('compare_dealer_sessions', { date_range: wholeWeeks(12, 1) }, { progress: true });
    assert.deepEqual(answer.data.coverage, { asked: 8, ok: 7, failed: [], failed_undisclosed: 1 });
    assertNoTrace(answer.raw, '', 'a failed peer');
    const before = await dealer.data('compare_dealer_sessions', { date_range });
    assert.deepEqual(before.coverage, { asked: 8, ok: 8, failed: [], failed_undisclosed: 0 }, 'as it was released');
    await s.sim.clear();
    await s.sim.fault({ dealer_id: '*', kind: '403' });
    const text = await dealer.call('compare_dealer_sessions', { date_range: { start_date: '2026-01-01', end_date: '2026-01-31' } });
    await s.sim.clear();
    assertNoTrace(text.raw, '', 'all peers failed');
  });

  test('a report over dealers has its own rows only', async () => {
    for (const args of [{}, { region: 'West' }]) {
      const answer = await dealer.data('run_report_across_dealers', { ...args, dimensions: ['deviceCategory'], metrics: ['sessions'], date_range });
      assert.deepEqual(answer.dealers.map((d) => d.dealer_id), [OWN]);
      for (const row of answer.pooled) assert.equal(row.dealers, 1);
      assertNoTrace(JSON.stringify(answer), '', 'across');
    }
  });

  test('no argument of any tool brings out a byte of another dealer', async () => {
    const victims = ['d01', 'd04', 'd02'].map((id) => world.dealer(id));
    const texts = ['', '*', '%', "' OR 1=1 --", '~', '~0123456789abcdef', '../d01', 'd0', 'd', '1', 'Toyota', 'of', 'West', 'East', 'a'.repeat(128),
      'properties/*', 'accounts/-', `${OWN},d01`, '\u202ed01', 'D01', 'ｄ01',
      ...victims.flatMap((d) => [d.dealer_id, d.name, d.account_id, String(d.property_id), d.city, d.owner])];
    const hidden = (d) => ({ filter: { field_name: 'hostName', string_filter: { match_type: 'CONTAINS', value: d } } });
    const attempts = texts.flatMap((t) => [
      ['list_dealers', { query: t }],
      ['list_dealers', { region: t }],
      ['get_account_summaries', { dealer_id: t }],
      ['get_account_summaries', { query: t }],
      ['get_property_details', { dealer_id: t }],
      ['get_property_details', { property_id: t }],
      ['get_property_details', { dealer_id: OWN, property_id: t }],
      ['get_custom_dimensions_and_metrics', { dealer_id: t }],
      ['get_custom_dimensions_and_metrics', { property_id: t }],
      ['search_fields', { dealer_id: t }],
      ['search_fields', { dealer_id: OWN, query: t }],
      ['run_report', { dealer_id: t, metrics: ['sessions'], date_ranges: [date_range] }],
      ['run_report', { property_id: t, metrics: ['sessions'], date_ranges: [date_range] }],
      ['run_report', { dealer_id: OWN, property_id: t, metrics: ['sessions'], date_ranges: [date_range] }],
      ['compare_dealer_sessions', { subject: t, date_range }],
      ['compare_dealer_sessions', { region: t, date_range }],
      ['compare_dealer_sessions', { dealer_ids: [t, OWN], date_range }],
      ['compare_dealer_sessions', { region: 'West', subject: t, date_range }],
      ['run_report_across_dealers', { dealer_ids: [t], metrics: ['sessions'], date_range }],
      ['run_report_across_dealers', { region: t, metrics: ['sessions'], date_range }],
    ]);
    for (const offset of [0, 1, 5, 1000]) attempts.push(['list_dealers', { limit: 500, offset }]);
    for (const dimension of ['hostName', 'pageTitle', 'pagePath', 'landingPage'])
      attempts.push(['run_report_across_dealers', { region: 'West', dimensions: [dimension], metrics: ['sessions'], date_range, dimension_filter: hidden('a') }]);
    let n = 0;
    for (const [tool, args] of attempts) {
      const answer = await dealer.call(tool, args, { progress: n++ % 2 === 0 });
      assert.equal(answer.status, 200, answer.raw);
      // Cities of visitors would be the dealer's own data; these reports have none.
      // What was asked is read as it was meant: full-width digits as digits.
      const asked = JSON.stringify(args);
      assertNoTrace(answer.raw, asked + asked.normalize('NFKC'), `${tool} ${asked}`);
    }
    assert.ok(n > 400, `${n} attempts`);
  });

  test('a subject outside its region is not joined to the benchmark', async () => {
    await dealer.refused('compare_dealer_sessions', { region: 'West', subject: 'd02', date_range });
  });
});

describe('other roles', () => {
  test('an administrator sees all', async () => {
    assert.equal((await admin.data('list_dealers', {})).total, 24);
    const answer = await admin.data('compare_dealer_sessions', { region: 'West', date_range });
    assert.equal(answer.cohort.undisclosed, 0);
    assertComparison(answer, world.ofRegion('West').map((d) => figuresOf(world, d, date_range)), null, 'admin');
  });

  test('a group sees its dealers, regions or groups', async () => {
    const cases = [
      [{ dealers: ['d01', 'd02'] }, ['d01', 'd02']],
      [{ regions: ['east'] }, world.ofRegion('East').map((d) => d.dealer_id)],
      [{ groups: ['summit-auto-group'] }, world.dealers.filter((d) => d.owner === 'Summit Auto Group').map((d) => d.dealer_id)],
      [{ dealers: ['nobody'] }, []],
    ];
    for (const [claims, expected] of cases) {
      const group = await Mcp.connect(s.set.url, { token: jwt(key, { role: 'group', sub: JSON.stringify(claims), ...claims }) });
      assert.deepEqual((await group.data('list_dealers', {})).dealers.map((d) => d.dealer_id), expected);
      const outside = world.dealers.find((d) => !expected.includes(d.dealer_id));
      assert.match(await group.refused('run_report', { dealer_id: outside.dealer_id, metrics: ['sessions'] }), new RegExp(`no dealer "${outside.dealer_id}"`));
    }
  });

  test('the claim regions of a dealer can narrow its benchmark to nothing', async () => {
    const narrow = await Mcp.connect(s.set.url, { token: jwt(key, { role: 'dealer', sub: 'narrow', dealers: [OWN], regions: ['nowhere'] }) });
    const answer = await narrow.data('compare_dealer_sessions', { region: 'West', date_range });
    assert.equal(answer.cohort.dealers, 1);
    assert.equal(answer.cohort.undisclosed, 0);
    assert.deepEqual(answer.dealers.map((d) => d.dealer_id), [OWN]);
    assertNoTrace(JSON.stringify(answer), '', 'no benchmark region');
  });
});

// [program, message, members] of the lines that LOG_LEVEL=DEBUG is for.
const LINES = [
  ['gateway', 'http request', { method: /^POST$/, path: /^\/mcp$/, status: /^200$/, ms: /^\d+$/ }],
  ['gateway', 'rpc made', { backend: /^aggregate-svc$/, method: /^CompareDealerSessions$/, status: /^OK$/, ms: /^[\d.e-]+$/ }],
  ['gateway', 'cache', { of: /^grants$/, result: /^hit$/ }],
  ['aggregate', 'rpc answered', { rpc_service: /AggregateService$/, method: /^CompareDealerSessions$/, status: /^OK$/, ms: /^[\d.e-]+$/ }],
  ['report', 'upstream request', { method: /^POST$/, path: /:(batchR|r)unReports?$/, status: /^200$/, ms: /^\d+$/ }],
  ['report', 'cache', { of: /^report answers$/, result: /^(hit|miss)$/ }],
  ['auth', 'upstream request', { method: /^POST$/, path: /token$/, status: /^200$/, ms: /^\d+$/ }],
  ['auth', 'rpc answered', { rpc_service: /AuthService$/, method: /^Authenticate$/, status: /^UNAUTHENTICATED$/, ms: /^[\d.e-]+$/ }],
  ['auth', 'cache', { of: /^access tokens$/, result: /^(hit|miss)$/, account: /./ }],
];

test('LOG_LEVEL=DEBUG shows requests, rpcs, upstream requests and caches with status and time', async () => {
  await admin.data('run_report', { dealer_id: OWN, metrics: ['sessions'], date_ranges: [date_range] });
  for (const [program, message, members] of LINES) {
    const lines = s.set.output(program).stderr.split('\n').filter((line) => line.includes(`"msg":"${message}"`)).map((line) => JSON.parse(line));
    const fits = (line) => line.level === 'debug' && Object.entries(members).every(([name, pattern]) => pattern.test(String(line[name])));
    assert.ok(lines.some(fits), `${program}: no line "${message}" with ${Object.keys(members)}; ${lines.length} others, the last ${JSON.stringify(lines.at(-1))}`);
  }
});

test('no secret is in anything a process has printed', async () => {
  // Faults make programs talk.
  for (const kind of ['invalid_grant', 'invalid_client', 'token_503']) await s.sim.fault({ dealer_id: 'd24', kind });
  for (const kind of ['401', '403', '503', 'cut']) {
    await s.sim.fault({ dealer_id: '*', kind, times: 30 });
    await admin.call('compare_dealer_sessions', { region: 'East', date_range });
  }
  await s.sim.clear();
  const tokens = [];
  for (const d of dealersFile.dealers) {
    const form = { grant_type: 'refresh_token', client_id: d.oauth.client_id, client_secret: d.oauth.client_secret, refresh_token: d.oauth.refresh_token };
    const answer = await (await fetch(d.oauth.token_uri, { method: 'POST', body: new URLSearchParams(form) })).json();
    tokens.push(answer.access_token);
  }
  // Every access token the simulator makes begins so; the search knows it.
  assert.match(tokens[0], /^ya29\./);
  s.set.secrets.add('the key of signed tokens', key);
  s.set.secrets.add('an account token', proof(OWN));
  s.set.secrets.add('a signed token', jwt(key, { sub: 'root', role: 'admin' }).split('.')[0] + '.');
  assert.deepEqual(await s.set.secretsSeen(), []);
  const bytes = s.set.names.reduce((n, name) => n + s.set.output(name).stderr.length + s.set.output(name).stdout.length, 0);
  assert.ok(bytes > 10_000, `only ${bytes} bytes of logs were looked at`);
  for (const log of [dealer.log, admin.log])
    for (const raw of log) assert.doesNotMatch(raw, /ya29\.|GOCSPX-|1\/\/0/);
});
