// The same attacks by internal consumers: programs with a certificate and a policy, which need no
// gateway and may call each service by themselves. What is released of others must be the same, and what
// only aggregate-svc may do must be refused to them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import { Authority, SERVICES } from './certificates.mjs';
import { authSettings, secret } from './tokens.mjs';
import { figuresOf } from './truth.mjs';
import { daysBefore, startOverWorld, wholeWeeks, World, worldFile } from './world.mjs';

const REGION = 'West';
const CONSUMERS = ['nightly-export', 'bulk-reader', 'flood'];
const { NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED } = grpc.status;
let s, world, authority, own, most;

const round = (x, digits) => Number(x.toPrecision(digits));
const sum = (list, name) => list.reduce((n, f) => n + f[name], 0);
const others = (mine) => world.ofRegion(REGION).filter((d) => !mine.includes(d.dealer_id));
const pool = (mine, range) => {
  const list = others(mine).map((d) => figuresOf(world, d, range));
  return round(sum(list, 'engaged') / sum(list, 'sessions'), 3);
};
const metric = (rows, name) => rows.find((m) => m.metric === name);
const rateOf = (answer) => metric(answer.performance_index[0].metrics, 'engagement_rate');

// A program with a certificate: its grant, and calls of the services with it.
class Consumer {
  static async connect(name) {
    const c = new Consumer();
    const at = (service, process) => authority.clientOf(service, s.set.grpc(process), name);
    c.auth = at('analytics.auth.v1', 'auth');
    c.report = at('analytics.report.v1', 'report');
    c.aggregate = at('analytics.aggregate.v1', 'aggregate');
    c.grant = (await c.auth('Authenticate', { by_certificate: true })).sealed;
    assert.ok(c.grant, `${name} gets a grant`);
    return c;
  }
  async compare(request) {
    const messages = await this.aggregate('CompareDealerSessions', { region: REGION, detail: 'all', limit: 500, ...request }, this.grant);
    assert.ok(Array.isArray(messages), JSON.stringify(messages));
    return messages.at(-1).result;
  }
}

before(async () => {
  const plan = new World(worldFile());
  const west = plan.ofRegion(REGION);
  const alone = west.find((d) => west.filter((x) => x.owner === d.owner).length === 1);
  own = west.filter((d) => d !== alone).slice(0, 2).map((d) => d.dealer_id);
  most = west.filter((d) => d.owner !== west[0].owner).map((d) => d.dealer_id);
  plan.close();
  authority = new Authority([...SERVICES, ...CONSUMERS]);
  const policy = (identity, dealers) => ({ identity, subject: identity, role: 'group', dealers });
  authority.write('policies.json', JSON.stringify({ policies: [policy('nightly-export', own), policy('bulk-reader', most), policy('flood', own)] }));
  authority.write('seal.key', randomBytes(32).toString('hex'));
  const settings = authSettings(secret());
  s = await startOverWorld({
    env: {
      gateway: { ...settings.gateway, ...authority.tls('gateway') },
      auth: { ...settings.auth, ...authority.tls('auth-svc'), AUTH_POLICY_FILE: authority.file('policies.json'), AUTH_SEAL_KEY_FILE: authority.file('seal.key') },
      report: { ...authority.tls('report-svc'), REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0 },
      aggregate: { ...authority.tls('aggregate-svc'), AGGREGATE_CELLS_PER_DAY: 100 },
    },
  });
  world = s.world;
});
after(async () => {
  await s?.stop();
  authority?.remove();
});

describe('through aggregate-svc', () => {
  test('A1, A6, A7, A11: one pool without the own dealers, the same for each of them, and no count', async () => {
    const answer = await (await Consumer.connect('nightly-export')).compare({ date_range: wholeWeeks(4) });
    const rate = metric(answer.regional_average.metrics, 'engagement_rate');
    assert.equal(rate.pooled, pool(own, wholeWeeks(4)));
    assert.deepEqual(answer.dealers.map((d) => d.dealer_id).sort(), [...own].sort());
    for (const index of answer.performance_index) assert.equal(metric(index.metrics, 'engagement_rate').benchmark, rate.pooled);
    for (const m of answer.performance_index[0].metrics.filter((x) => ['sessions', 'lead_events'].includes(x.metric)))
      assert.equal(m.benchmark, undefined, m.metric);
    assert.equal(answer.regional_average.sessions, undefined);
    const text = JSON.stringify(answer);
    for (const d of others(own)) for (const word of [d.dealer_id, d.name]) assert.ok(!text.includes(`"${word}"`), word);
  });

  test('A3, A9: a dealer that loses its consent changes nothing, is not named, and nobody is asked', async () => {
    const consumer = await Consumer.connect('nightly-export');
    const first = await consumer.compare({ date_range: wholeWeeks(4) });
    const gone = others(own)[2];
    await s.sim.fault({ dealer_id: gone.dealer_id, kind: '403' });
    await s.sim.resetStats();
    const again = await consumer.compare({ date_range: wholeWeeks(4) });
    const { properties } = await s.sim.stats();
    await s.sim.clear();
    assert.deepEqual(again, first);
    const asked = Object.keys(properties).filter((id) => properties[id].report_requests > 0).sort();
    assert.deepEqual(asked, own.map((id) => String(world.dealer(id).property_id)).sort());
  });

  test('A4: a period a day shorter is refused', async () => {
    const range = wholeWeeks(4);
    const answer = await (await Consumer.connect('nightly-export')).compare({ date_range: { ...range, end_date: daysBefore(range.end_date, 1) } });
    assert.equal(rateOf(answer).suppressed, 'not_in_lattice');
    assert.equal(rateOf(answer).benchmark, undefined);
  });

  test('A8: dealers of one owner do not make a crowd', async () => {
    const answer = await (await Consumer.connect('bulk-reader')).compare({ date_range: wholeWeeks(4) });
    assert.equal(rateOf(answer).benchmark, undefined);
    assert.match(rateOf(answer).suppressed, /^(min_contributors|min_owners)$/);
  });

  test('A2, A5, A10, A12: no cohort, subject or row of its choice', async () => {
    const consumer = await Consumer.connect('nightly-export');
    const peers = others(own).map((d) => d.dealer_id);
    const ask = (request) => consumer.aggregate('CompareDealerSessions', request, consumer.grant);
    assert.equal((await ask({ dealer_ids: [...own, ...peers.slice(0, 5)] })).code, NOT_FOUND);
    const [a, b] = [await ask({ subject: peers[0] }), await ask({ subject: 'd97' })];
    assert.equal(a.code, NOT_FOUND);
    assert.equal(a.message.replaceAll(peers[0], '?'), b.message.replaceAll('d97', '?'));
    const rows = await consumer.aggregate('RunReportAcrossDealers', { region: REGION, dimensions: ['city'], metrics: ['sessions'], date_range: wholeWeeks(4) }, consumer.grant);
    assert.deepEqual(rows.at(-1).result.dealers.map((d) => d.dealer_id).sort(), [...own].sort());
  });

  test('A13: who floods spends a budget of its own', async () => {
    const flood = await Consumer.connect('flood');
    let spent;
    for (let i = 0; i < 30 && spent === undefined; i++) {
      const answer = await flood.compare({ date_range: wholeWeeks(1, i) });
      if (rateOf(answer).suppressed === 'budget' && answer.coverage.asked === own.length) spent = answer;
    }
    assert.ok(spent, 'the budget is never used up');
    const other = await (await Consumer.connect('nightly-export')).compare({ date_range: wholeWeeks(1, 30) });
    assert.ok(other.coverage.asked > own.length, 'another consumer has its own');
  });
});

describe('past aggregate-svc', () => {
  const queries = () => [{ query_id: 1, report: { metrics: [{ name: 'sessions' }], date_ranges: [wholeWeeks(1)] } }];

  test('the grant for a benchmark is for aggregate-svc\'s certificate', async () => {
    const consumer = await Consumer.connect('nightly-export');
    assert.equal((await consumer.auth('ResolveCohort', { region: REGION }, consumer.grant)).code, PERMISSION_DENIED);
  });

  test('a consumer\'s own grant opens no other dealer, whatever the purpose says', async () => {
    const consumer = await Consumer.connect('nightly-export');
    const refs = [...own, ...others(own).map((d) => d.dealer_id)];
    await s.sim.resetStats();
    for (const purpose of ['PURPOSE_DIRECT', 'PURPOSE_BENCHMARK']) {
      const answer = await consumer.report('FetchReports', { dealer_refs: refs, queries: queries(), purpose }, consumer.grant);
      const ended = Array.isArray(answer) ? answer.filter((m) => m.dealer_done) : [];
      for (const { dealer_done: d } of ended.filter((m) => m.dealer_done.dealer_index >= own.length))
        assert.notEqual(d.code, 0, `${purpose} ${refs[d.dealer_index]}`);
      const rows = Array.isArray(answer) ? answer.filter((m) => m.chunk && m.chunk.dealer_index >= own.length) : [];
      assert.deepEqual(rows, [], purpose);
    }
    const { properties } = await s.sim.stats();
    for (const d of others(own)) assert.equal(properties[d.property_id]?.report_requests ?? 0, 0, d.dealer_id);
  });

  test('nothing without a grant, nor with bytes that look like one', async () => {
    const consumer = await Consumer.connect('nightly-export');
    const changed = Buffer.from(consumer.grant);
    changed[changed.length >> 1] ^= 1;
    for (const grant of [undefined, changed, randomBytes(64)]) {
      const answer = await consumer.aggregate('CompareDealerSessions', { region: REGION }, grant);
      assert.equal(answer.code, UNAUTHENTICATED);
    }
  });
});
