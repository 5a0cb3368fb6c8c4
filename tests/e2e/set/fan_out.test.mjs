// A fan-out is bounded by Google alone: all dealers at once, one batch each, over the stub.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startSet } from '../lib/set.mjs';
import { Mcp } from './mcp.mjs';
import { finishedSunday } from './truth.mjs';
import { daysBefore } from './world.mjs';

const DEALERS = 400, LATENCY_MS = 1500;
let set, client;
before(async () => {
  set = await startSet({
    sim: { stub: true, dealers: DEALERS, latencyMs: LATENCY_MS },
    env: { gateway: { ENABLE_AUTH: 'false' }, auth: { ENABLE_AUTH: 'false' }, report: { REPORT_CACHE_TTL_S: 0 } },
  });
  client = await Mcp.connect(set.url);
});
after(() => set?.stop());

const totals = async () => (await (await fetch(`${set.sim}/sim/stats`)).json()).totals;
const date_range = { start_date: '28daysAgo', end_date: '1daysAgo' };

test('reports of 400 dealers are with Google at the same time', { timeout: 120_000 }, async () => {
  const answer = await client.call('run_report_across_dealers', { metrics: ['sessions'], date_range });
  assert.ok(!answer.isError, answer.text);
  assert.equal(answer.data.coverage.ok, DEALERS, JSON.stringify(answer.data.coverage).slice(0, 600));
  const { max_concurrent, report_requests } = await totals();
  assert.equal(report_requests, DEALERS);
  assert.ok(max_concurrent > 256, `${max_concurrent} at once`);
});

test('a comparison sends one batch for each dealer', { timeout: 120_000 }, async () => {
  const before = (await totals()).report_requests;
  const dealer_ids = Array.from({ length: 40 }, (_, i) => `d${String(i + 1).padStart(2, '0')}`);
  const answer = await client.call('compare_dealer_sessions', { dealer_ids, date_range });
  assert.ok(!answer.isError, answer.text);
  assert.equal(answer.data.coverage.ok, dealer_ids.length, JSON.stringify(answer.data.coverage).slice(0, 600));
  assert.equal((await totals()).report_requests - before, dealer_ids.length);
});

// What the product itself takes: the stub answers whatever is asked after 200 ms. One batch per dealer, all at once;
// what is registered is asked for once a day.
test('the health of 200 dealers takes less than 10 s at a Google that takes 200 ms', { timeout: 120_000 }, async () => {
  const quick = await startSet({
    sim: { stub: true, dealers: 200, latencyMs: 200 },
    env: { gateway: { ENABLE_AUTH: 'false' }, auth: { ENABLE_AUTH: 'false' }, report: { REPORT_CACHE_TTL_S: 0 } },
  });
  try {
    const mcp = await Mcp.connect(quick.url);
    const requests = async () => (await (await fetch(`${quick.sim}/sim/stats`)).json()).totals.report_requests;
    for (const round of ['first', 'second']) {
      const before = await requests(), start = Date.now();
      const health = await mcp.call('check_data_health', {});
      const took = Date.now() - start;
      assert.ok(!health.isError, health.text);
      assert.equal(health.data.coverage.ok, 200);
      const sent = (await requests()) - before;
      assert.ok(round === 'first' ? sent === 200 : sent <= 200, `${round} call: ${sent} requests`);
      assert.ok(took < 10_000, `${round} call: ${took} ms`);
    }
  } finally {
    await quick.stop();
  }
});

// Requests of the calls over final days, in a set that keeps what Google said of them.
test('what_was_asked_of_final_days_costs_no_request_again', { timeout: 120_000 }, async () => {
  const kept = await startSet({
    sim: { stub: true, dealers: 40, latencyMs: 20 },
    env: { gateway: { ENABLE_AUTH: 'false' }, auth: { ENABLE_AUTH: 'false' } },
  });
  try {
    const asker = await Mcp.connect(kept.url);
    const weeks = (n) => ({ start_date: daysBefore(finishedSunday(), 7 * n - 1), end_date: finishedSunday() });
    const requests = async (tool, args) => {
      const count = async () => (await (await fetch(`${kept.sim}/sim/stats`)).json()).totals.report_requests;
      const before = await count();
      const answer = await asker.call(tool, args);
      assert.ok(!answer.isError, answer.text);
      return (await count()) - before;
    };
    const dealer_ids = Array.from({ length: 40 }, (_, i) => `d${String(i + 1).padStart(2, '0')}`);
    const first = await requests('compare_dealer_sessions', { dealer_ids, date_range: weeks(4) });
    assert.equal(first, 40);
    // The next page, another subject of the same dealers, another metric: nothing new.
    assert.equal(await requests('compare_dealer_sessions', { dealer_ids, date_range: weeks(4), offset: 3 }), 0);
    // A comparison and a scorecard ask the same, whichever comes first; beyond 100 dealers a comparison asks less.
    assert.equal(await requests('benchmark_dealer', { subject: 'd01', dealer_ids, date_range: weeks(4) }), 0);
    assert.equal(await requests('benchmark_dealer', { subject: 'd01', dealer_ids, date_range: weeks(5) }), 40);
    assert.equal(await requests('compare_dealer_sessions', { subject: 'd02', dealer_ids, date_range: weeks(5) }), 0);
    for (const [tool, one, other] of [
      ['benchmark_dealer', { subject: 'd01', dealer_ids }, { subject: 'd02', dealer_ids }],
      ['explain_change', { subject: 'd01', metric: 'sessions' }, { subject: 'd01', metric: 'engagement_rate' }],
      ['check_data_health', { dealer_ids, limit: 5 }, { dealer_ids, offset: 5 }],
      ['analyze_vehicle_interest', { dealer_ids, limit: 5 }, { dealer_ids, offset: 5 }],
      ['compare_trends', { subject: 'd01', dealer_ids, metric: 'sessions' }, { subject: 'd02', dealer_ids, metric: 'engagement_rate' }],
      ['compare_traffic_sources', { subject: 'd01', by: 'channel' }, { subject: 'd01', by: 'source_medium' }]]) {
      const asked = await requests(tool, { date_range: weeks(4), ...one });
      assert.ok(asked <= 40 * (tool.startsWith('analyze') ? 5 : 1), `${tool}: ${asked}`);
      assert.equal(await requests(tool, { date_range: weeks(4), ...other }), 0, tool);
    }
    // Tools that need other days or dimensions ask one batch of a dealer at most, without what is kept.
    for (const [tool, args] of [['compare_trends', { subject: 'd03' }], ['compare_landing_pages', { subject: 'd03', expected_from: 'region' }]]) {
      const asked = await requests(tool, { ...args, date_range: weeks(5) });
      assert.ok(asked > 0 && asked <= 40, `${tool}: ${asked}`);
    }
    // Days that Google may still change are asked for again.
    for (let i = 0; i < 2; i++) assert.equal(await requests('compare_dealer_sessions', { dealer_ids, date_range }), 40);
  } finally {
    await kept.stop();
  }
});
