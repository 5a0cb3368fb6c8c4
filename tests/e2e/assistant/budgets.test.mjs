// Answers fit what hosts show a model: every listed tool over 24 dealers of the world, and over 200 of
// the stub those whose answers grow with the number of dealers. What has no room is on another page,
// which the answer names with the call that gives it; pages are the services', the gateway cuts nothing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startSet } from '../lib/set.mjs';
import { Mcp } from '../set/mcp.mjs';
import { startOverWorld } from '../set/world.mjs';

const env = { gateway: { ANALYTICS_MCP_TOOLSETS: 'all' } };
const report = 40 * 1024;
const one = 4096, many = 5500, most = 6000; // hosts cut at 6,000 characters

// [tool, arguments, most bytes of the text]
const withDealers = (region) => [
  ['compare_dealer_sessions', { subject: 'd01' }, one],
  ['compare_dealer_sessions', { region }, many],
  ['compare_dealer_sessions', { subject: 'd01', detail: 'all' }, many],
  ['benchmark_dealer', { subject: 'd01' }, most],
  ['compare_trends', { subject: 'd01' }, most],
  ['check_data_health', { region }, most],
  ['compare_landing_pages', { subject: 'd01' }, most],
  ['compare_traffic_sources', { subject: 'd01' }, most],
  ['explain_change', { subject: 'd01' }, most],
  ['analyze_vehicle_interest', {}, 8000],
  ['vehicle_lead_conversion', {}, most],
  ['run_report_across_dealers', { metrics: ['sessions'], dimensions: ['sessionDefaultChannelGroup'] }, report],
  ['run_report_across_dealers', { metrics: ['sessions'], dimensions: ['pagePath', 'pageTitle'] }, report],
  ['list_dealers', {}, report],
  ['list_dealers', { limit: 500 }, report],
  ['list_cohorts', {}, report],
  ['list_metrics', {}, 8000],
  ['list_metrics', { query: 'lead' }, most],
  ['get_account_summaries', {}, report],
  ['get_service_status', {}, most],
];
const ofOne = { dealer: 'd01' };
const ofOneDealer = [
  ['run_report', { ...ofOne, metrics: ['sessions'], dimensions: ['pagePath', 'date'] }, report],
  ['run_report', { ...ofOne, metrics: ['sessions'], dimensions: ['pagePath', 'date'], limit: 250000 }, report],
  ['run_realtime_report', { ...ofOne, metrics: ['activeUsers'] }, report],
  ['run_funnel_report', { ...ofOne, funnel_steps: [{ event: 'session_start' }, { event: 'page_view' }] }, report],
  ['run_pivot_report', { ...ofOne, metrics: ['sessions'], dimensions: ['deviceCategory'], pivots: [{ field_names: ['deviceCategory'], limit: 5 }] }, report],
  ['run_conversions_report', { ...ofOne, metrics: ['allConversionsByConversionDate'], dimensions: ['defaultChannelGroup'] }, report],
  ['batch_run_reports', { ...ofOne, requests: [{ metrics: ['sessions'], dimensions: ['pagePath'], limit: 100 },
    { metrics: ['activeUsers'], dimensions: ['date'], limit: 100 }] }, report],
  ['search_fields', ofOne, report],
  ['search_fields', { ...ofOne, limit: 500 }, report],
  ['get_custom_dimensions_and_metrics', ofOne, report],
  ['get_property_details', ofOne, report],
  ['list_key_events', ofOne, most],
  ['list_data_streams', ofOne, most],
  ['list_google_ads_links', ofOne, most],
  ['list_property_annotations', ofOne, most],
  ['get_property_quotas', ofOne, most],
  ['check_compatibility', { ...ofOne, dimensions: ['pagePath'], metrics: ['sessions'] }, report],
];
// A limit of the caller's is kept by the service; what a text cannot hold of it the gateway cuts.
const tooMuch = [
  ['analyze_vehicle_interest', { limit: 200 }, 8000],
  ['vehicle_lead_conversion', { limit: 200 }, most],
  ['vehicle_movers', { limit: 200 }, most],
  ['compare_dealer_sessions', { subject: 'd01', detail: 'all', limit: 500 }, most],
];
const CUT = /rows: the text ends here/;

/** Asks, and holds the answer to its budget. */
function holds(client, [tool, args, bytes], mayBeCut) {
  test(`${tool} ${JSON.stringify(args)}`, async () => {
    const { text, isError, result } = await client().call(tool, args);
    assert.ok(!isError, text);
    assert.ok(Buffer.byteLength(text) <= bytes, `${Buffer.byteLength(text)} of ${bytes} bytes: ${text.slice(-300)}`);
    if (!mayBeCut) assert.doesNotMatch(text, CUT);
    // Words outside tables are words.
    assert.doesNotMatch(text, /^\w+: [{[]/m);
    // No table is pushed out by another, and whatever is missing is said.
    const { structuredContent: s } = result;
    for (const [name, table] of Object.entries(s.rows ? { '': s } : s).filter(([, t]) => t?.rows?.length > 0))
      assert.doesNotMatch(text, /\(0 of \d+ rows/, name);
  });
}

/** The rows of `table` on all pages, each asked for by the call that the text before names. */
async function follow(client, tool, args, table) {
  const rows = [];
  for (let next = args, pages = 0; next !== null; pages++) {
    assert.ok(pages < 100, 'the pages do not end');
    const { text, isError, result } = await client.call(tool, next);
    assert.ok(!isError, text);
    assert.doesNotMatch(text, CUT);
    const s = result.structuredContent;
    rows.push(...(table === '' ? s : s[table]).rows);
    const found = text.match(/^More rows: call (\w+) again with offset (\d+)\.$/m);
    assert.equal(found === null ? 0 : Number(found[2]), s.next_offset, 'the text and the structured form name the same page');
    if (found) assert.equal(found[1], tool);
    next = found ? { ...args, offset: Number(found[2]) } : null;
  }
  return rows;
}

describe('24 dealers of the world', () => {
  let s, client;
  const weeks = ['vehicle_movers', {}, most]; // of ISO, which the stub does not know
  const asked = [...withDealers('West'), weeks, ...ofOneDealer];
  before(async () => {
    s = await startOverWorld({ env });
    client = await Mcp.connect(s.set.url);
  });
  after(() => s?.stop());

  test('every tool is asked', async () => {
    const { tools } = (await client.request('tools/list', {})).result;
    assert.deepEqual(tools.map((t) => t.name).filter((name) => !asked.some(([tool]) => tool === name)), []);
  });
  const byRows = new Set(['search_fields', 'run_report', 'batch_run_reports']); // pages of the caller's limit
  for (const call of asked) holds(() => client, call, byRows.has(call[0]));
  for (const call of tooMuch) holds(() => client, call, true);

  test('a comparison of 24 dealers is whole, one line each', async () => {
    const dealer_ids = s.world.dealers.map((d) => d.dealer_id);
    const { text, result } = await client.call('compare_dealer_sessions', { dealer_ids });
    assert.ok(Buffer.byteLength(text) <= many, `${Buffer.byteLength(text)}`);
    assert.equal((text.match(/^d\d\d\t/gm) ?? []).length, 24);
    assert.equal(result.structuredContent.next_offset, 0);
  });

  test('a text that was cut goes on where it was cut, and nothing is lost', async () => {
    const names = [];
    let args = { dealer: 'd01', limit: 500 }, found = null;
    do {
      const { text } = await client.call('search_fields', args);
      const lines = text.split('\n');
      const head = lines.findIndex((line) => line.startsWith('api_name\t'));
      for (const line of lines.slice(head + 1)) if (/\t(dimension|metric)\t/.test(line)) names.push(line.split('\t')[0]);
      found = text.match(/call search_fields again with offset (\d+)\./);
      if (found) args = { ...args, offset: Number(found[1]) };
    } while (found && names.length < 5000);
    const whole = [];
    for (let offset = 0, more = true; more; ) {
      const { structuredContent } = (await client.call('search_fields', { dealer: 'd01', limit: 500, offset })).result;
      whole.push(...structuredContent.rows.map((row) => row[0]));
      more = structuredContent.next_offset > 0;
      offset = structuredContent.next_offset;
    }
    assert.deepEqual(names, whole);
  });

  test('a report has 100 rows unless more are asked for', async () => {
    const { result } = await client.call('run_report', { dealer: 'd01', metrics: ['sessions'], dimensions: ['pagePath', 'date'] });
    assert.equal(result.structuredContent.rows.length, 100);
  });
});

describe('200 dealers of the stub', () => {
  let set, client;
  const all = Array.from({ length: 200 }, (_, i) => `d${String(i + 1).padStart(2, '0')}`);
  before(async () => {
    set = await startSet({ sim: { stub: true, dealers: 200 }, env });
    client = await Mcp.connect(set.url);
  });
  after(() => set?.stop());

  for (const call of withDealers('Region 1')) holds(() => client, call, false);

  // [what, tool, arguments, table, dealers of all pages]
  const pages = [
    ['a region', 'compare_dealer_sessions', { region: 'Region 1' }, 'dealers', 67],
    ['a list', 'compare_dealer_sessions', { dealer_ids: all }, 'dealers', 200],
    ['a subject', 'compare_dealer_sessions', { subject: 'd01' }, 'dealers', 67],
    ['a subject and all in detail', 'compare_dealer_sessions', { subject: 'd01', detail: 'all' }, 'dealers', 67],
    ['signs', 'check_data_health', {}, 'dealers', 200],
    ['rows', 'run_report_across_dealers', { metrics: ['sessions'], dimensions: ['pagePath', 'pageTitle'] }, 'dealers', 200],
    ['names', 'list_dealers', {}, '', 200],
    ['states', 'get_service_status', {}, 'dealers', 200],
  ];
  for (const [what, tool, args, table, n] of pages)
    test(`the pages of ${tool} over ${what} hold every dealer once`, async () => {
      const ids = (await follow(client, tool, args, table)).map((row) => row[0]);
      const runs = ids.filter((id, i) => i === 0 || ids[i - 1] !== id);
      assert.equal(runs.length, n);
      assert.equal(new Set(runs).size, n);
      if (args.subject) assert.equal(runs[0], args.subject, 'the subject comes first');
    });

  test('the subject and the whole stand on every page alike', async () => {
    const args = { subject: 'd01' };
    const a = (await client.call('compare_dealer_sessions', args)).result.structuredContent;
    const b = (await client.call('compare_dealer_sessions', { ...args, offset: a.next_offset })).result.structuredContent;
    for (const key of ['headline', 'period', 'coverage', 'caveats', 'regional_average', 'performance_index', 'cells_tested'])
      assert.deepEqual(b[key], a[key], key);
  });

  test('account summaries of dealers behind the first hundred are asked for by offset', async () => {
    const { result } = await client.call('get_account_summaries', {});
    assert.equal(result.structuredContent.next_offset, 100);
    const rest = await client.call('get_account_summaries', { offset: 100 });
    assert.equal(rest.result.structuredContent.coverage.asked, 100);
    assert.equal(rest.result.structuredContent.next_offset, 0);
  });
});
