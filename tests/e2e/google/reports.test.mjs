// runReport and getMetadata through @google-analytics/data, compared with SQL over the world.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { rowsOf, startSim } from './sim.mjs';

let sim, client, dealer, property, id;

before(async () => {
  sim = await startSim();
  dealer = sim.dealers[0];
  property = sim.property(dealer);
  id = Number(dealer.properties[0]);
  client = sim.data(sim.auth(dealer));
});
after(async () => assert.deepEqual(await sim.stop(), { code: 0, signal: null }));

const FEBRUARY = [{ startDate: '2026-02-01', endDate: '2026-02-28' }];
const IN_FEBRUARY = "property_id=? AND date BETWEEN '20260201' AND '20260228'";
const eventIs = (value) => ({ filter: { fieldName: 'eventName', stringFilter: { matchType: 'EXACT', value } } });

test('counts and ratios equal SQL to the last digit', async () => {
  const [report] = await client.runReport({
    property, dateRanges: FEBRUARY,
    metrics: ['sessions', 'engagedSessions', 'engagementRate', 'bounceRate', 'averageSessionDuration',
      'totalUsers', 'newUsers', 'screenPageViewsPerSession', 'keyEvents'].map((name) => ({ name })),
  });
  const truth = sim.sql(`SELECT COUNT(*) n, SUM(engaged) e, CAST(SUM(engaged) AS REAL)/COUNT(*) er,
    CAST(COUNT(*)-SUM(engaged) AS REAL)/COUNT(*) br, CAST(SUM(duration_s) AS REAL)/COUNT(*) d,
    COUNT(DISTINCT user_id) u, COUNT(DISTINCT CASE WHEN is_new THEN user_id END) nu,
    CAST(SUM(page_views) AS REAL)/COUNT(*) pv, SUM(key_events) k
    FROM sessions WHERE ${IN_FEBRUARY}`, id);
  assert.deepEqual(rowsOf(report)[0].map(Number), Object.values(truth));
  assert.deepEqual(report.metricHeaders.map((h) => h.type), ['TYPE_INTEGER', 'TYPE_INTEGER', 'TYPE_FLOAT',
    'TYPE_FLOAT', 'TYPE_SECONDS', 'TYPE_INTEGER', 'TYPE_INTEGER', 'TYPE_FLOAT', 'TYPE_FLOAT']);
  assert.equal(report.metadata.currencyCode, 'USD');
  assert.equal(report.metadata.timeZone, 'America/Los_Angeles');
  assert.equal(report.kind, 'analyticsData#runReport');
});

test('relative dates follow --today', async () => {
  const [report] = await client.runReport({
    property, metrics: [{ name: 'sessions' }], dimensions: [{ name: 'date' }],
    dateRanges: [{ startDate: '2daysAgo', endDate: 'yesterday' }],
    orderBys: [{ dimension: { dimensionName: 'date' } }],
  });
  assert.deepEqual(rowsOf(report), sim.all(`SELECT date, CAST(COUNT(*) AS TEXT) n FROM sessions WHERE property_id=?
    AND date IN ('20260308','20260309') GROUP BY date ORDER BY date`, id).map(Object.values));
});

test('two ranges append dateRange, with totals per range', async () => {
  const [report] = await client.runReport({
    property, dimensions: [{ name: 'sessionDefaultChannelGroup' }], metrics: [{ name: 'sessions' }],
    dateRanges: [{ ...FEBRUARY[0], name: 'current' }, { startDate: '2026-01-12', endDate: '2026-01-31', name: 'previous' }],
    metricAggregations: ['TOTAL', 'MAXIMUM'],
    orderBys: [{ dimension: { dimensionName: 'dateRange' } }, { metric: { metricName: 'sessions' }, desc: true },
      { dimension: { dimensionName: 'sessionDefaultChannelGroup' } }],
  });
  assert.deepEqual(report.dimensionHeaders.map((h) => h.name), ['sessionDefaultChannelGroup', 'dateRange']);
  const truth = sim.all(`SELECT channel, CASE WHEN date<'20260201' THEN 'previous' ELSE 'current' END r,
    CAST(COUNT(*) AS TEXT) n FROM sessions WHERE property_id=? AND date BETWEEN '20260112' AND '20260228'
    GROUP BY 1,2 ORDER BY 2, COUNT(*) DESC, 1`, id).map(Object.values);
  assert.deepEqual(rowsOf(report), truth);
  // rowCount counts combinations of dimension values, of which the date range is not one.
  assert.equal(report.rowCount, new Set(truth.map((row) => row[0])).size);
  const sum = (range) => String(truth.filter((row) => row[1] === range).reduce((a, row) => a + Number(row[2]), 0));
  assert.deepEqual(rowsOf(report, 'totals'), [['RESERVED_TOTAL', 'current', sum('current')], ['RESERVED_TOTAL', 'previous', sum('previous')]]);
  assert.equal(rowsOf(report, 'maximums')[0][0], 'RESERVED_MAX');
});

test('vehicle interest: custom dimensions under an event filter', async () => {
  const [report] = await client.runReport({
    property, dateRanges: FEBRUARY, dimensions: [{ name: 'customEvent:item_make' }, { name: 'customEvent:item_model' }],
    metrics: [{ name: 'eventCount' }, { name: 'sessions' }], dimensionFilter: eventIs('asc_item_pageview'),
    orderBys: [{ metric: { metricName: 'eventCount' }, desc: true }, { dimension: { dimensionName: 'customEvent:item_make' } },
      { dimension: { dimensionName: 'customEvent:item_model' } }], limit: 7,
  });
  const truth = sim.all(`SELECT item_make, item_model, CAST(SUM(count) AS TEXT) c, CAST(COUNT(DISTINCT session_id) AS TEXT) s
    FROM events JOIN vehicles USING(vehicle_id) WHERE events.${IN_FEBRUARY} AND name='asc_item_pageview'
    GROUP BY 1,2 ORDER BY SUM(count) DESC,1,2`, id).map(Object.values);
  assert.deepEqual(rowsOf(report), truth.slice(0, 7));
  assert.equal(report.rowCount, truth.length);
});

test('lead rate: sessionKeyEventRate:<event> and keyEvents:<event>', async () => {
  const [report] = await client.runReport({
    property, dateRanges: FEBRUARY, metrics: [{ name: 'sessionKeyEventRate:asc_form_submission' }, { name: 'keyEvents:asc_form_submission' }],
  });
  const truth = sim.sql(`SELECT CAST(COUNT(DISTINCT session_id) AS REAL)/(SELECT COUNT(*) FROM sessions WHERE ${IN_FEBRUARY}) r,
    SUM(count) n FROM events WHERE ${IN_FEBRUARY} AND name='asc_form_submission'`, id, id);
  assert.deepEqual(rowsOf(report)[0].map(Number), [truth.r, truth.n]);
});

test('filters: groups, negation, lists, regular expressions, metric filters', async () => {
  const [report] = await client.runReport({
    property, dateRanges: FEBRUARY, dimensions: [{ name: 'landingPage' }],
    metrics: [{ name: 'sessions' }, { name: 'rate', expression: 'engagedSessions/sessions' }],
    dimensionFilter: { andGroup: { expressions: [
      { filter: { fieldName: 'deviceCategory', inListFilter: { values: ['Mobile', 'TABLET'] } } },
      { notExpression: { filter: { fieldName: 'sessionMedium', stringFilter: { matchType: 'CONTAINS', value: 'cpc' } } } },
      { orGroup: { expressions: [
        { filter: { fieldName: 'landingPage', stringFilter: { matchType: 'FULL_REGEXP', value: '/(?:new|used)-vehicles/.*' } } },
        { filter: { fieldName: 'landingPage', stringFilter: { matchType: 'EXACT', value: '/', caseSensitive: true } } }] } },
    ] } },
    metricFilter: { filter: { fieldName: 'sessions', betweenFilter: { fromValue: { int64Value: 2 }, toValue: { doubleValue: 1e6 } } } },
    orderBys: [{ metric: { metricName: 'sessions' }, desc: true }, { dimension: { dimensionName: 'landingPage' } }],
  });
  const truth = sim.all(`SELECT landing_page, COUNT(*) n, CAST(SUM(engaged) AS REAL)/COUNT(*) r FROM sessions
    WHERE ${IN_FEBRUARY} AND device IN ('mobile','tablet') AND medium NOT LIKE '%cpc%'
    AND (landing_page='/' OR landing_page LIKE '/new-vehicles/%' OR landing_page LIKE '/used-vehicles/%')
    GROUP BY 1 HAVING n>=2 ORDER BY n DESC, 1`, id);
  assert.ok(truth.length > 2);
  assert.deepEqual(rowsOf(report).map(([page, n, r]) => [page, Number(n), Number(r)]), truth.map(Object.values));
});

test('paging walks the whole list once', async () => {
  const seen = [];
  let count = 1;
  for (let offset = 0; offset < count; offset += 13) {
    const [report] = await client.runReport({
      property, dateRanges: FEBRUARY, dimensions: [{ name: 'pagePath' }], metrics: [{ name: 'screenPageViews' }], limit: 13, offset,
    });
    count = report.rowCount;
    seen.push(...rowsOf(report));
  }
  const truth = sim.all(`SELECT p.path, CAST(SUM(count) AS TEXT) n FROM events e JOIN pages p USING(page_id)
    WHERE e.${IN_FEBRUARY} AND name='page_view' GROUP BY 1`, id).map(Object.values);
  const byPath = (a, b) => (a[0] < b[0] ? -1 : 1);
  assert.deepEqual(seen.sort(byPath), truth.sort(byPath));
});

test('comparisons and dimension expressions', async () => {
  const [report] = await client.runReport({
    property, dateRanges: FEBRUARY, metrics: [{ name: 'sessions' }],
    dimensions: [{ name: 'device', dimensionExpression: { upperCase: { dimensionName: 'deviceCategory' } } }],
    comparisons: [{ comparison: 'comparisons/paidTraffic' }, { name: 'Referred', dimensionFilter: {
      filter: { fieldName: 'sessionMedium', stringFilter: { matchType: 'EXACT', value: 'referral' } } } }],
    orderBys: [{ dimension: { dimensionName: 'comparison' } }, { dimension: { dimensionName: 'device' } }],
  });
  const truth = sim.all(`SELECT upper(device) d, 'Paid traffic' c, CAST(COUNT(*) AS TEXT) n FROM sessions WHERE ${IN_FEBRUARY}
    AND channel IN ('Paid Search','Paid Social','Cross-network','Display') GROUP BY 1
    UNION ALL SELECT upper(device), 'Referred', CAST(COUNT(*) AS TEXT) FROM sessions WHERE ${IN_FEBRUARY} AND medium='referral'
    GROUP BY 1 ORDER BY 2,1`, id, id).map(Object.values);
  assert.deepEqual(rowsOf(report), truth);
});

test('the property quota is booked', async () => {
  const ask = async () => (await client.runReport({
    property, dateRanges: FEBRUARY, metrics: [{ name: 'sessions' }], returnPropertyQuota: true }))[0].propertyQuota;
  const first = await ask(), second = await ask();
  assert.ok(first.tokensPerDay.consumed >= 1);
  assert.equal(second.tokensPerDay.remaining, first.tokensPerDay.remaining - second.tokensPerDay.consumed);
  assert.equal(second.tokensPerProjectPerHour.remaining, first.tokensPerProjectPerHour.remaining - second.tokensPerProjectPerHour.consumed);
  assert.equal(second.concurrentRequests.remaining, 10);
});

test('validation errors arrive as INVALID_ARGUMENT with Google\'s text', async () => {
  const refused = (request, pattern) => assert.rejects(client.runReport({ property, ...request }), (e) => {
    assert.equal(e.code, 3);
    assert.match(e.message, pattern);
    return true;
  });
  await refused({ dateRanges: FEBRUARY, metrics: [{ name: 'nonsense' }] }, /Field nonsense is not a valid metric\.  For a list/);
  await refused({ dateRanges: FEBRUARY, metrics: [{ name: 'sessions' }], limit: -1 }, /limit must be positive\. The API received limit = -1/);
  await refused({ metrics: [{ name: 'sessions' }] }, /A dateRange is required\./);
  await refused({ dateRanges: [{ startDate: '2026-02-02', endDate: '2026-02-01' }], metrics: [{ name: 'sessions' }] },
    /start_date must be less than or equal to end_date/);
  await refused({ dateRanges: FEBRUARY }, /Requests require dimensions and\/or metrics/);
});

test('getMetadata lists custom definitions only where they are registered', async () => {
  const metadataOf = async (index) => (await sim.data(sim.auth(sim.dealers[index]))
    .getMetadata({ name: `${sim.property(sim.dealers[index])}/metadata` }))[0];
  const full = await metadataOf(0), bare = await metadataOf(4);
  const custom = full.dimensions.filter((d) => d.customDefinition).map((d) => d.apiName);
  assert.ok(custom.includes('customEvent:item_model'));
  assert.equal(bare.dimensions.filter((d) => d.customDefinition).length, 0);
  assert.equal(full.comparisons.length, 9);
  assert.equal(full.metrics.find((m) => m.apiName === 'averageSessionDuration').type, 'TYPE_SECONDS');
  assert.ok(full.metrics.some((m) => m.apiName === 'keyEvents:asc_form_submission'));
  assert.deepEqual(full.metrics.find((m) => m.apiName === 'keyEvents').deprecatedApiNames, ['conversions']);
});

test('every dealer answers its own sessions', async () => {
  const counts = await Promise.all(sim.dealers.map(async (d) => {
    const [report] = await sim.data(sim.auth(d)).runReport({
      property: sim.property(d), dateRanges: FEBRUARY, metrics: [{ name: 'sessions' }] });
    return [d.dealer_id, Number(report.rows[0].metricValues[0].value)];
  }));
  assert.deepEqual(counts, sim.all(`SELECT dealer_id, COUNT(*) n FROM sessions JOIN properties USING(property_id)
    WHERE date BETWEEN '20260201' AND '20260228' GROUP BY 1 ORDER BY 1`).map(Object.values));
});

test('batchRunReports answers each report in its place, as runReport would', async () => {
  const requests = [
    { dateRanges: FEBRUARY, metrics: [{ name: 'sessions' }], dimensions: [{ name: 'deviceCategory' }], metricAggregations: ['TOTAL'] },
    { dateRanges: FEBRUARY, metrics: [{ name: 'eventCount' }], dimensionFilter: eventIs('page_view') },
    { dateRanges: FEBRUARY, metrics: [{ name: 'keyEvents' }], dimensions: [{ name: 'date' }], limit: 4, offset: 3 },
  ];
  const [batch] = await client.batchRunReports({ property, requests });
  assert.equal(batch.kind, 'analyticsData#batchRunReports');
  assert.equal(batch.reports.length, requests.length);
  for (const [i, request] of requests.entries())
    assert.deepEqual(batch.reports[i], (await client.runReport({ property, ...request }))[0]);
  const truth = sim.sql(`SELECT SUM(count) n FROM events WHERE ${IN_FEBRUARY} AND name='page_view'`, id);
  assert.deepEqual(rowsOf(batch.reports[1]), [[String(truth.n)]]);
});

test('a batch of none, of six and of another property is INVALID_ARGUMENT', async () => {
  const one = { dateRanges: FEBRUARY, metrics: [{ name: 'sessions' }] };
  const refused = (requests, pattern) => assert.rejects(client.batchRunReports({ property, requests }), (e) => {
    assert.equal(e.code, 3);
    assert.match(e.message, pattern);
    return true;
  });
  await refused([], /must contain at least one runReportRequest/);
  await refused(Array(6).fill(one), /Batch requests are limited to 5 requests\.\n {2}This batch request contains 6 requests\./);
  await refused([one, { ...one, property: sim.property(sim.dealers[1]) }], /must be empty or match/);
  await refused([one, { ...one, metrics: [{ name: 'nonsense' }] }], /Field nonsense is not a valid metric/);
});

test('a batch is charged for each of its reports', async () => {
  const asks = { dateRanges: FEBRUARY, metrics: [{ name: 'sessions' }], returnPropertyQuota: true };
  const [{ reports }] = await client.batchRunReports({ property, requests: [asks, asks] });
  const left = reports.map((r) => r.propertyQuota.tokensPerDay);
  assert.equal(left[1].remaining, left[0].remaining - left[1].consumed);
});

test('the catalogue is the public schema: every field of getMetadata can be asked for', async () => {
  const [metadata] = await client.getMetadata({ name: `${property}/metadata` });
  assert.ok(metadata.dimensions.length > 350 && metadata.metrics.length > 90);
  assert.ok(metadata.dimensions.some((d) => d.category === 'Traffic Source'));
  const cohort = (name) => name.startsWith('cohort');
  const names = metadata.dimensions.map((d) => d.apiName).filter((name) => !cohort(name));
  for (let i = 0; i < names.length; i += 9) {
    const asked = names.slice(i, i + 9);
    const [report] = await client.runReport({ property, dateRanges: FEBRUARY, dimensions: asked.map((name) => ({ name })), limit: 1 });
    assert.deepEqual(report.dimensionHeaders.map((h) => h.name), asked);
    await sim.control('DELETE', '/sim/quota');
  }
  const cohorts = {
    dimensions: [{ name: 'cohort' }, { name: 'cohortNthDay' }],
    cohortSpec: {
      cohorts: [{ name: 'February', dimension: 'firstSessionDate', dateRange: FEBRUARY[0] }],
      cohortsRange: { granularity: 'DAILY', endOffset: 5 },
    },
  };
  for (const { apiName, type } of metadata.metrics) {
    const rest = cohort(apiName) ? cohorts : { dateRanges: FEBRUARY };
    const [report] = await client.runReport({ property, ...rest, metrics: [{ name: apiName }] });
    assert.deepEqual(report.metricHeaders, [{ name: apiName, type }]);
  }
});

test('a field the world has nothing of gives an empty report of Google\'s shape', async () => {
  const [report] = await client.runReport({ property, dateRanges: FEBRUARY,
    dimensions: [{ name: 'firstUserGoogleAdsKeyword' }], metrics: [{ name: 'sessions' }, { name: 'totalRevenue' }] });
  assert.deepEqual(report.rows, []);
  assert.equal(report.rowCount, 0);
  assert.equal(report.metadata.timeZone, 'America/Los_Angeles');
  assert.deepEqual(report.metricHeaders.map((h) => h.type), ['TYPE_INTEGER', 'TYPE_CURRENCY']);
});

test('a field mask gives the named part of an answer, and a path that does not exist is refused', async () => {
  const ask = (mask) => client.runReport({ property, dateRanges: FEBRUARY, dimensions: [{ name: 'date' }],
    metrics: [{ name: 'sessions' }], limit: 3 }, { otherArgs: { headers: { 'X-Goog-FieldMask': mask } } });
  const [whole] = await ask('*');
  const [part] = await ask('rows.metricValues,rowCount');
  assert.equal(part.rowCount, whole.rowCount);
  assert.deepEqual(part.rows.map((r) => r.metricValues), whole.rows.map((r) => r.metricValues));
  assert.ok(part.rows.every((r) => r.dimensionValues.length === 0));
  assert.equal(part.metadata, null);
  assert.deepEqual(part.dimensionHeaders, []);
  await assert.rejects(ask('rowz'), (e) => e.code === 3 && /Cannot find matching fields for path 'rowz'/.test(e.message));
  const raw = async (query) => (await fetch(`${sim.base}/v1beta/${property}/metadata?${query}`,
    { headers: { authorization: `Bearer ${(await sim.auth(dealer).getAccessToken()).token}` } }));
  assert.deepEqual(Object.keys(await (await raw('fields=name')).json()), ['name']);
  assert.equal((await raw('alt=proto')).status, 400);
});
