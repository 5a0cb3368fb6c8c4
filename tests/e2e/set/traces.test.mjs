// One question is one trace: from the caller's span through all four services to Google's request; and
// a collector that is slow or away costs nobody anything but spans.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { Collector, Relay } from '../lib/collector.mjs';
import { Mcp } from './mcp.mjs';
import { startOverWorld, wholeWeeks } from './world.mjs';

const KEY = randomBytes(12).toString('hex');
const SERVICES = ['gateway', 'aggregate-svc', 'report-svc', 'auth-svc'];
const NAMES = { gateway: 'gateway', aggregate: 'aggregate-svc', report: 'report-svc', auth: 'auth-svc' };
// All that a span may say of its work.
const ATTRIBUTES = ['http.request.method', 'http.route', 'http.response.status_code', 'server.address', 'error.type', 'mcp.method.name',
  'gen_ai.tool.name', 'rpc.system', 'rpc.service', 'rpc.method', 'rpc.grpc.status_code', 'rpc.resend_count'];
const newTrace = () => ({ traceId: randomBytes(16).toString('hex'), id: randomBytes(8).toString('hex') });
const parentOf = ({ traceId, id }, flags = '01') => `00-${traceId}-${id}-${flags}`;

let s, collector, relay;
before(async () => {
  collector = await Collector.start({ headers: { 'api-key': KEY } });
  relay = await Relay.start('http://127.0.0.1:9'); // the simulator's address is known once it has started
  const otel = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `api-key=${KEY}`,
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=e2e',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
  s = await startOverWorld({
    env: {
      gateway: otel,
      aggregate: otel,
      auth: { ...otel, OAUTH_TOKEN_ENDPOINT: `${relay.url}/token` },
      report: { ...otel, GA4_DATA_ENDPOINT: relay.url, GA4_ADMIN_ENDPOINT: relay.url },
    },
  });
  relay.target = s.set.sim;
});
after(async () => {
  await s?.stop();
  await collector?.stop();
  await relay?.stop();
});

const question = () => ({ subject: s.world.dealers[0].dealer_id, date_range: wholeWeeks(4) });

// The spans of a trace once each has its parent among them, or is `root`'s child, and `n` of them ended.
async function traceOf(traceId, root, services) {
  const of = (spans) => spans.filter((span) => span.traceId === traceId);
  const complete = (spans) => {
    const own = of(spans), ids = new Set([root, ...own.map((span) => span.id)]);
    return services.every((name) => own.some((span) => span.service === name)) && own.every((span) => ids.has(span.parent));
  };
  await collector.until(complete, `the trace ${traceId}`);
  return of(collector.spans);
}

// Counts of trace_spans_total by outcome.
async function spanCounts(name) {
  const text = await (await fetch(`${s.set.admin(name)}/metrics`)).text();
  return Object.fromEntries([...text.matchAll(/^trace_spans_total\{outcome="(\w+)"\} (\d+)/gm)].map(([, outcome, n]) => [outcome, Number(n)]));
}

test('one question is one tree of spans, from the caller to Google', async () => {
  const caller = newTrace();
  const client = await Mcp.connect(s.set.url);
  const before = relay.requests.length;
  const { isError, text } = await client.call('compare_dealer_sessions', question(), {
    headers: { traceparent: parentOf(caller), tracestate: 'caller=1' },
  });
  assert.equal(isError, false, text);
  await traceOf(caller.traceId, caller.id, SERVICES);
  const seen = relay.requests.slice(before);
  const spanOf = ({ headers }) => headers.traceparent?.split('-')[2];
  await collector.until((all) => seen.every((request) => all.some((span) => span.id === spanOf(request))), 'a span of each request to Google');
  const spans = await traceOf(caller.traceId, caller.id, SERVICES);
  const byId = new Map(spans.map((span) => [span.id, span]));
  assert.equal(byId.size, spans.length, 'span ids are unique');
  const parent = (span) => byId.get(span.parent);

  // The caller has one child, and from each request to Google a way leads up to it.
  const [top, ...others] = spans.filter((span) => span.parent === caller.id);
  assert.deepEqual(others, []);
  assert.equal(top.name, 'POST /mcp');
  assert.equal(top.attributes['http.response.status_code'], 200);
  const wayUp = (span) => (span === undefined ? [] : [`${span.service} ${span.kind} ${span.name}`, ...wayUp(parent(span))]);
  const google = spans.filter((span) => span.service === 'report-svc' && span.kind === 3 && span.name === 'POST batchRunReports');
  const reports = google.length > 0 ? google : spans.filter((span) => span.name === 'POST runReport');
  assert.ok(reports.length > 0, spans.map((span) => span.name).join(', '));
  for (const span of reports)
    assert.deepEqual(wayUp(span).slice(1), [
      'report-svc 2 analytics.report.v1.ReportService/FetchReports',
      'aggregate-svc 3 analytics.report.v1.ReportService/FetchReports',
      'aggregate-svc 2 analytics.aggregate.v1.AggregateService/CompareDealerSessions',
      'gateway 3 analytics.aggregate.v1.AggregateService/CompareDealerSessions',
      'gateway 2 tools/call compare_dealer_sessions',
      'gateway 2 POST /mcp',
    ]);
  // Each side of a call has its span: a server's is the child of a client's of the same method.
  for (const span of spans.filter(({ kind, service }) => kind === 2 && service !== 'gateway')) {
    assert.equal(parent(span).kind, 3, span.name);
    assert.equal(parent(span).name, span.name);
    assert.notEqual(parent(span).service, span.service);
    assert.equal(span.state, 'caller=1');
  }
  for (const span of spans) {
    assert.equal(span.failed, false, `${span.service} ${span.name} ${JSON.stringify(span.attributes)}`);
    assert.equal(span.dropped, 0, span.name);
    assert.equal(span.resource['deployment.environment.name'], 'e2e');
  }

  // Google saw the same trace, and in each request the span that report-svc or auth-svc says it was.
  assert.ok(seen.some(({ path }) => path.includes('unReport')) && seen.some(({ path }) => path === '/token'), seen.map(({ path }) => path).join(' '));
  for (const { path, headers } of seen) {
    const [, traceId, id, flags] = headers.traceparent?.split('-') ?? [];
    assert.equal(traceId, caller.traceId, path);
    assert.equal(flags, '01');
    assert.equal(headers.tracestate, 'caller=1');
    assert.equal(byId.get(id)?.kind, 3, path);
    assert.equal(byId.get(id).service, path === '/token' ? 'auth-svc' : 'report-svc');
  }
});

test('the trace of the message comes before that of the request, and is linked to it', async () => {
  const request = newTrace(), message = newTrace();
  const client = await Mcp.connect(s.set.url);
  const answer = await client.request(
    'tools/call',
    { name: 'list_dealers', arguments: {}, _meta: { traceparent: parentOf(message), tracestate: 'm=1' } },
    { headers: { traceparent: parentOf(request) } },
  );
  assert.equal(answer.status, 200);
  const spans = await traceOf(message.traceId, message.id, ['gateway', 'auth-svc']);
  const tool = spans.find((span) => span.parent === message.id);
  assert.equal(tool.name, 'tools/call list_dealers');
  assert.equal(tool.state, 'm=1');
  const [http] = await traceOf(request.traceId, request.id, ['gateway']);
  assert.equal(http.name, 'POST /mcp');
  assert.deepEqual(tool.links, [http.traceId + http.id]);
});

test('a call without a trace begins one; a malformed one counts as none; one that is not sampled leaves none', async () => {
  const client = await Mcp.connect(s.set.url);
  const unsampled = newTrace(), upper = newTrace();
  await client.data('list_dealers', {}, { headers: { traceparent: parentOf(unsampled, '00') } });
  await client.data('list_dealers', {}, { headers: { traceparent: parentOf(upper).toUpperCase() } });
  const roots = () => collector.spans.filter((span) => span.name === 'tools/call list_dealers');
  const tops = (spans) => roots().map((tool) => spans.find((span) => span.id === tool.parent)).filter((top) => top?.parent === '');
  await collector.until((spans) => tops(spans).length > 0, 'a trace that begins at the gateway');
  assert.ok(!collector.spans.some((span) => [unsampled.traceId, upper.traceId].includes(span.traceId)));
});

test('spans name no dealer, no property and no secret', async () => {
  const { dealers } = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8'));
  const tokens = new Set(relay.requests.map(({ headers }) => headers.authorization?.replace('Bearer ', '')).filter(Boolean));
  assert.ok(tokens.size > 0 && collector.spans.length > 50);
  const texts = collector.bodies.map((body) => body.toString('latin1')).join('\n');
  for (const body of collector.bodies) s.set.secrets.look('an export', body.toString('latin1'));
  assert.deepEqual(s.set.secrets.findings, []);
  for (const token of tokens) assert.ok(!texts.includes(token), 'an access token');
  for (const { name, account_id, properties } of dealers) {
    const ids = properties.map((p) => String(p.property_id ?? p).replace(/\D/g, ''));
    for (const text of [name, account_id, ...ids]) assert.ok(!texts.includes(text), text);
  }
  for (const { name, attributes } of collector.spans) {
    assert.doesNotMatch(name, /[?=&]/);
    for (const [key, value] of Object.entries(attributes)) {
      assert.ok(ATTRIBUTES.includes(key), key);
      assert.doesNotMatch(String(value), /[?=&]/, `${key} of ${name}`);
    }
  }
});

test('a collector that does not answer slows no call, and its spans are dropped and counted', async () => {
  s.set.changeEnv('gateway', { OTEL_BSP_MAX_QUEUE_SIZE: '16', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '8' });
  await s.set.restart('gateway');
  const client = await Mcp.connect(s.set.url);
  await collector.until(() => collector.requests > 0, 'an export');
  collector.hold();
  const calls = 40;
  for (let i = 0; i < calls; i++) await client.data('list_dealers', {});
  // All of them were answered while the collector owed the gateway an answer.
  assert.ok(collector.held > 0);
  const counts = await spanCounts('gateway');
  assert.ok(counts.queue_full > 0, JSON.stringify(counts));
  collector.letGo();
  const caller = newTrace();
  const again = async () => {
    await client.data('list_dealers', {}, { headers: { traceparent: parentOf(caller) } });
    return collector.spans.some((span) => span.traceId === caller.traceId && span.service === 'gateway');
  };
  const end = Date.now() + 30_000;
  while (!(await again())) assert.ok(Date.now() < end, 'spans come again once it answers');
});

test('a collector that is away costs its spans alone, and the programs end in time', async () => {
  assert.deepEqual(collector.faults, []);
  await collector.stop();
  const client = await Mcp.connect(s.set.url);
  const before = (await spanCounts('gateway')).queue_full;
  for (let i = 0; i < 40; i++) await client.data('list_dealers', {});
  assert.ok((await spanCounts('gateway')).queue_full > before);
  assert.match(s.set.output('gateway').stderr + s.set.output('gateway').stdout, /"msg":"serving"/);
  // The end, which waits 2 s for the collector at most, is after()'s: it throws after ten.
  for (const name of Object.keys(NAMES)) assert.ok((await spanCounts(name)).exported > 0, NAMES[name]);
});
