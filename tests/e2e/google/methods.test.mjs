// The methods beside runReport through Google's Node clients, v1beta and v1alpha, compared with SQL over
// the world: a fixed request of each, and random ones (AMCP_RANDOM_REQUESTS, 10 of each method).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { rowsOf, startSim } from './sim.mjs';

const TIMES = Number(process.env.AMCP_RANDOM_REQUESTS ?? 10);
const SEED = Number(process.env.AMCP_RANDOM_SEED ?? 20260310);
let sim, client, alpha, property, id;

before(async () => {
  sim = await startSim();
  const auth = sim.auth(sim.dealers[0]);
  [client, alpha] = [sim.data(auth), sim.dataAlpha(auth)];
  property = sim.property(sim.dealers[0]);
  id = Number(sim.dealers[0].properties[0]);
});
after(async () => assert.deepEqual(await sim.stop(), { code: 0, signal: null }));

// A generator of numbers below n (mulberry32), so that a failure can be run again.
function random(seed) {
  let a = seed >>> 0;
  return (n) => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const DIMENSIONS = { deviceCategory: 'device', sessionMedium: 'medium', sessionDefaultChannelGroup: 'channel', city: 'city', browser: 'browser', date: 'date' };
const METRICS = { sessions: 'count(*)', engagedSessions: 'sum(engaged)', screenPageViews: 'sum(page_views)', totalUsers: 'count(DISTINCT user_id)' };

// A few of the names, none twice.
function some(pick, names, most) {
  const left = [...names];
  return Array.from({ length: 1 + pick(most) }, () => left.splice(pick(left.length), 1)[0]);
}

// A report over sessions, and the rows that SQL has for it, dimensions as texts.
function draw(pick) {
  const dimensions = some(pick, Object.keys(DIMENSIONS), 2);
  const metrics = some(pick, Object.keys(METRICS), 3);
  const first = 1 + pick(20);
  const days = { start: `2026-02-${String(first).padStart(2, '0')}`, end: `2026-02-${first + pick(8)}`.replace(/-(\d)$/, '-0$1') };
  const device = [undefined, 'mobile', 'desktop'][pick(3)];
  const request = {
    dimensions: dimensions.map((name) => ({ name })), metrics: metrics.map((name) => ({ name })),
    dateRanges: [{ startDate: days.start, endDate: days.end }],
    ...(device && { dimensionFilter: { filter: { fieldName: 'deviceCategory', stringFilter: { value: device } } } }),
  };
  const columns = [...dimensions.map((name) => DIMENSIONS[name]), ...metrics.map((name) => `CAST(${METRICS[name]} AS TEXT)`)];
  const where = `property_id=? AND date BETWEEN ? AND ?${device ? ` AND device='${device}'` : ''}`;
  const rows = sim.all(`SELECT ${columns.map((c, i) => `${c} AS c${i}`).join()} FROM sessions WHERE ${where}
    GROUP BY ${dimensions.map((_, i) => i + 1).join()}`, id, days.start.replaceAll('-', ''), days.end.replaceAll('-', ''))
    .map(Object.values).filter((row) => row.slice(dimensions.length).some((n) => n !== '0')); // Google leaves rows of zeros out
  return { dimensions, request, rows };
}
const sorted = (rows) => rows.map((row) => JSON.stringify(row)).toSorted();

// Runs `one` with the numbers of each drawing; an error says which it was.
async function times(one) {
  for (let i = 0; i < TIMES; i++)
    try {
      await one(random(SEED + i));
    } catch (error) {
      error.message = `AMCP_RANDOM_SEED=${SEED + i} AMCP_RANDOM_REQUESTS=1: ${error.message}`;
      throw error;
    }
}

describe('random requests equal SQL', () => {
  test('runPivotReport', () => times(async (pick) => {
    const { dimensions, request, rows } = draw(pick);
    const pivots = dimensions.map((name) => ({ fieldNames: [name], limit: 500 }));
    const [report] = await client.runPivotReport({ property, ...request, pivots });
    assert.deepEqual(sorted(rowsOf(report)), sorted(rows));
    report.pivotHeaders.forEach((header, i) => assert.equal(header.rowCount, new Set(rows.map((row) => row[i])).size));
  }));

  test('batchRunReports', () => times(async (pick) => {
    const drawn = Array.from({ length: 1 + pick(5) }, () => draw(pick));
    const [batch] = await client.batchRunReports({ property, requests: drawn.map((d) => d.request) });
    assert.deepEqual(batch.reports.map((r) => sorted(rowsOf(r))), drawn.map((d) => sorted(d.rows)));
  }));

  test('batchRunPivotReports', () => times(async (pick) => {
    const drawn = Array.from({ length: 1 + pick(3) }, () => draw(pick));
    const requests = drawn.map(({ dimensions, request }) => ({ ...request, pivots: [{ fieldNames: dimensions, limit: 5000 }] }));
    const [batch] = await client.batchRunPivotReports({ property, requests });
    assert.deepEqual(batch.pivotReports.map((r) => sorted(rowsOf(r))), drawn.map((d) => sorted(d.rows)));
  }));

  test('runReport of v1alpha', () => times(async (pick) => {
    const { request, rows } = draw(pick);
    const [report] = await alpha.runReport({ property, ...request });
    assert.deepEqual(sorted(rowsOf(report)), sorted(rows));
  }));

  test('conversions', () => times(async (pick) => {
    const [name, column] = [['deviceCategory', 'device'], ['medium', 'medium'], ['defaultChannelGroup', 'channel'], ['source', 'source']][pick(4)];
    const from = 1 + pick(20);
    const dates = [from, from + pick(8)].map((day) => `2026-02-${String(day).padStart(2, '0')}`);
    const [report] = await alpha.runReport({
      property, dimensions: [{ name }], metrics: [{ name: 'allConversionsByConversionDate' }],
      dateRanges: [{ startDate: dates[0], endDate: dates[1] }],
      conversionSpec: { attributionModel: ['DATA_DRIVEN', 'LAST_CLICK'][pick(2)] },
    });
    const truth = sim.all(`SELECT ${column} AS c, sum(key_events) AS n FROM sessions WHERE property_id=? AND date BETWEEN ? AND ?
      GROUP BY 1 HAVING n>0`, id, ...dates.map((d) => d.replaceAll('-', ''))).map((row) => [row.c, row.n]);
    assert.deepEqual(sorted(rowsOf(report).map(([c, n]) => [c, Number(n)])), sorted(truth));
  }));

  test('runFunnelReport of one step and of two', () => times(async (pick) => {
    const events = ['session_start', 'page_view', 'asc_item_pageview', 'asc_form_submission', 'scroll'];
    const [first, second] = [events[pick(2)], events[2 + pick(3)]];
    const from = 1 + pick(20);
    const dates = [from, from + pick(8)].map((day) => `2026-02-${String(day).padStart(2, '0')}`);
    const step = (name) => ({ name, filterExpression: { funnelEventFilter: { eventName: name } } });
    const days = dates.map((d) => d.replaceAll('-', ''));
    const users = (name) => new Set(sim.all(`SELECT DISTINCT s.user_id AS u FROM events e JOIN sessions s USING (session_id)
      WHERE e.property_id=? AND e.date BETWEEN ? AND ? AND e.name=?`, id, ...days, name).map((row) => row.u));
    const [report] = await alpha.runFunnelReport({
      property, dateRanges: [{ startDate: dates[0], endDate: dates[1] }], funnel: { isOpenFunnel: true, steps: [step(first), step(second)] },
    });
    const counts = report.funnelTable.rows.map((row) => Number(row.metricValues[0].value));
    const [a, b] = [users(first), users(second)];
    assert.equal(counts[0], a.size);
    assert.ok((counts[1] ?? 0) <= b.size, 'an open funnel counts each user of the second step at most once');
  }));

  // A segment of sessions and one of users, whose members SQL finds by the same condition.
  test('runFunnelReport in segments', () => times(async (pick) => {
    const events = ['session_start', 'page_view', 'asc_item_pageview', 'form_start', 'scroll'];
    const [step, seen] = [events[pick(5)], events[2 + pick(3)]], device = ['mobile', 'desktop', 'tablet'][pick(3)];
    const from = 1 + pick(20);
    const dates = [from, from + pick(8)].map((day) => `2026-02-${String(day).padStart(2, '0')}`);
    const negated = pick(2) === 1, permanent = pick(2) === 1;
    const isDevice = { segmentFilter: { fieldName: 'deviceCategory', stringFilter: { value: device } } };
    const saw = { andConditionGroups: [{ segmentFilterExpression: { segmentEventFilter: { eventName: seen } } }] };
    const [report] = await alpha.runFunnelReport({
      property, dateRanges: [{ startDate: dates[0], endDate: dates[1] }],
      funnel: { steps: [{ name: 'Step', filterExpression: { funnelEventFilter: { eventName: step } } }] },
      segments: [
        { name: 'By device', sessionSegment: { sessionInclusionCriteria: { andConditionGroups: [{ segmentFilterExpression: negated ? { notExpression: isDevice } : isDevice }] } } },
        { userSegment: permanent ? { exclusion: { userExclusionDuration: 'USER_EXCLUSION_PERMANENT', userExclusionCriteria: saw } } : { userInclusionCriteria: saw } },
      ],
    });
    const events_ = `FROM events e JOIN sessions s USING (session_id) WHERE e.property_id=? AND e.date BETWEEN ? AND ?`;
    const where = [id, ...dates.map((d) => d.replaceAll('-', ''))];
    const users = (more, ...values) => sim.all(`SELECT count(DISTINCT s.user_id) AS n ${events_} AND e.name=? ${more}`, ...where, step, ...values)[0].n;
    const truth = [
      ['1. Step', '1. By device', users(`AND s.device${negated ? '<>' : '='}?`, device)],
      ['1. Step', '2. Segment', users(`AND s.user_id ${permanent ? 'NOT' : ''} IN (SELECT s.user_id ${events_} AND e.name=?)`, ...where, seen)],
    ];
    assert.deepEqual(report.funnelTable.dimensionHeaders.map((h) => h.name), ['funnelStepName', 'segment']);
    assert.deepEqual(rowsOf(report.funnelTable).map((row) => [row[0], row[1], Number(row[2])]), truth);
  }));
});

describe('one request of each other method', () => {
  test('realtime reports, compatibility and quotas', async () => {
    const [now] = await client.runRealtimeReport({ property, dimensions: [{ name: 'deviceCategory' }], metrics: [{ name: 'activeUsers' }] });
    assert.deepEqual(now.dimensionHeaders.map((h) => h.name), ['deviceCategory']);
    const [fields] = await client.checkCompatibility({ property, metrics: [{ name: 'sessions' }], compatibilityFilter: 'COMPATIBLE' });
    assert.ok(fields.dimensionCompatibilities.some((d) => d.dimensionMetadata.apiName === 'sessionMedium'));
    const [quotas] = await alpha.getPropertyQuotasSnapshot({ name: `${property}/propertyQuotasSnapshot` });
    assert.ok(Number(quotas.corePropertyQuota.tokensPerDay.remaining) > 0);
  });

  test('a property', async () => {
    const [found] = await sim.admin(sim.auth(sim.dealers[0])).getProperty({ name: property });
    assert.equal(found.name, property);
    assert.equal(found.timeZone, sim.sql('SELECT time_zone AS z FROM properties WHERE property_id=?', id).z);
  });
});
