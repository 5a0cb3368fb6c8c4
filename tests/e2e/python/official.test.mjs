// Prompts written for Google's own MCP server: the argument examples of its descriptions give equal rows
// through its code (PyPI analytics-mcp, over Google's Python clients) and through ours, over one
// simulator.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { pythonWith } from '../lib/venv.mjs';
import { Mcp } from '../set/mcp.mjs';
import { startOverWorld } from '../set/world.mjs';

// The examples are about January and February 2025.
const today = '2025-03-05';
const found = pythonWith({
  requirement: 'analytics-mcp==0.8.0',
  module: 'analytics_mcp.tools.client',
  named: ['AMCP_PYTHON_ANALYTICS_MCP', process.env.AMCP_PYTHON_ANALYTICS_MCP],
});
const options = { skip: found.why && `Google's MCP server is not compared: ${found.why}` };
let s, client, official, d, examples;

// Google's server as a function: official(tool, arguments).
function startOfficial(python, simulator, credential) {
  const child = spawn(python, [path.join(import.meta.dirname, 'official.py'), new URL(simulator).host], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const put = (value) => child.stdin.write(`${JSON.stringify(value)}\n`);
  put({ credential });
  const ask = async (tool, args = {}) => {
    put({ tool, arguments: args });
    const { value, done } = await lines.next();
    assert.ok(!done, 'Google\'s server ended');
    const answer = JSON.parse(value);
    if (answer.error !== undefined) throw new Error(`${tool} ${JSON.stringify(args)}: ${answer.error}`);
    return answer.result;
  };
  ask.stop = () => new Promise((resolve) => {
    child.once('exit', resolve);
    child.stdin.end();
  });
  return ask;
}

before(async () => {
  if (found.why) return;
  s = await startOverWorld({ sim: { seed: 5, dealers: 4, regions: 2, days: 70, today }, env: { gateway: { ANALYTICS_MCP_TOOLSETS: 'all' } } });
  client = await Mcp.connect(s.set.url);
  d = s.world.dealer('d01');
  const { dealers } = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8'));
  official = startOfficial(found.python, s.set.sim, dealers.find((one) => one.dealer_id === 'd01').oauth);
  examples = await official('examples');
});
after(async () => {
  await official?.stop();
  await s?.stop();
});

// Rows as arrays of texts and numbers; a range that has no name is called by its place or its days.
const cellsOf = (row) => [...(row.dimension_values ?? []).map((v) => v.value), ...(row.metric_values ?? []).map((v) => Number(v.value))];
const sorted = (rows) => rows.map((row) => JSON.stringify(row)).toSorted();

// Both answers to the same arguments.
async function compare(tool, args) {
  const theirs = await official(tool, { property_id: d.property_id, ...args });
  const ours = await client.call(tool, { property_id: d.property_id, ...args });
  assert.equal(ours.isError, false, ours.text);
  const { columns, rows } = ours.result.structuredContent;
  const table = theirs.funnel_table ?? theirs;
  const names = [...(table.dimension_headers ?? []), ...(table.metric_headers ?? [])].map((h) => h.name);
  assert.deepEqual(columns, names);
  const expected = table.rows.map(cellsOf);
  assert.deepEqual(sorted(rows.map((row) => row.map((v) => v ?? ''))), sorted(expected), JSON.stringify(args));
  return { names, ours: rows, theirs: expected };
}

const JANUARY = [{ start_date: '2025-01-01', end_date: '2025-01-31' }];
const report = { dimensions: ['eventName', 'sourceMedium'], metrics: ['eventCount', 'purchaseRevenue'], limit: 5000 };

describe('the examples of Google\'s descriptions', options, () => {
  test('date_ranges', async () => {
    assert.ok(examples.date_ranges.length >= 4);
    let rows = 0;
    for (const date_ranges of examples.date_ranges)
      rows += (await compare('run_report', { ...report, dimensions: ['date'], metrics: ['sessions', 'engagementRate'], date_ranges })).ours.length;
    assert.ok(rows > 30);
  });

  for (const kind of ['dimension_filter', 'metric_filter'])
    test(kind, async () => {
      const filters = examples[kind];
      assert.equal(filters.length, 5);
      let rows = 0;
      for (const filter of filters) rows += (await compare('run_report', { ...report, date_ranges: JANUARY, [kind]: filter })).ours.length;
      assert.ok(rows > 0);
    });

  test('order_bys', async () => {
    assert.equal(examples.order_bys.length, 7);
    for (const order_bys of examples.order_bys) {
      const dimensions = order_bys.filter((o) => o.dimension).map((o) => o.dimension.dimension_name);
      const metrics = order_bys.filter((o) => o.metric).map((o) => o.metric.metric_name);
      const args = { dimensions: dimensions.length ? dimensions : ['eventName'], metrics: metrics.length ? metrics : ['eventCount'] };
      const { names, ours, theirs } = await compare('run_report', { ...args, order_bys, date_ranges: JANUARY, limit: 5000 });
      const first = names.indexOf(dimensions[0] ?? metrics[0]);
      assert.deepEqual(ours.map((row) => row[first] ?? ''), theirs.map((row) => row[first]), JSON.stringify(order_bys));
    }
  });

  test('funnel_steps', async () => {
    const steps = examples.funnel_steps;
    assert.equal(steps.length, 8);
    for (const example of steps) {
      const funnel_steps = Array.isArray(example) ? example : [example];
      await compare('run_funnel_report', { funnel_steps, date_ranges: JANUARY });
    }
    const both = [steps[2], steps[3]];
    const broken = { funnel_steps: both, date_ranges: JANUARY, funnel_breakdown: { breakdown_dimension: 'deviceCategory' } };
    assert.ok((await compare('run_funnel_report', broken)).ours.length > 2);
    await compare('run_funnel_report', { funnel_steps: both, date_ranges: JANUARY, funnel_next_action: { next_action_dimension: 'eventName', limit: 5 } });
  });
});

describe('the other tools of Google\'s server', options, () => {
  test('custom_definitions_property_and_links_are_the_same', async () => {
    const args = { property_id: d.property_id };
    const custom = await official('get_custom_dimensions_and_metrics', args);
    const ours = await client.data('get_custom_dimensions_and_metrics', args);
    const names = [...custom.custom_dimensions, ...custom.custom_metrics].map((f) => f.api_name);
    const tables = [ours, ours.custom_dimensions, ours.custom_metrics].filter((t) => t?.rows);
    assert.deepEqual(tables.flatMap((t) => t.rows.map((row) => row[t.columns.indexOf('api_name')])).toSorted(), names.toSorted());
    const property = await official('get_property_details', args);
    const text = (await client.call('get_property_details', args)).raw;
    for (const value of [property.display_name, property.time_zone, property.currency_code]) assert.ok(text.includes(value), value);
    const summaries = await official('get_account_summaries');
    assert.deepEqual(summaries.map((a) => a.account), [`accounts/${d.account_id}`]);
    const links = await official('list_google_ads_links', args);
    const { rows } = (await client.call('list_google_ads_links', args)).result.structuredContent;
    assert.equal(rows.length, links.length);
  });

  test('conversion_reports_are_the_same', async () => {
    const args = { dimensions: ['defaultChannelGroup'], metrics: ['allConversionsByInteractionDate', 'advertiserAdClicks'], date_ranges: JANUARY };
    assert.ok((await compare('run_conversions_report', { ...args, conversion_spec: { attribution_model: 'DATA_DRIVEN' } })).ours.length > 0);
  });

  test('realtime_reports_have_the_same_columns', async () => {
    const args = { property_id: d.property_id, dimensions: ['deviceCategory'], metrics: ['activeUsers'] };
    const theirs = await official('run_realtime_report', args);
    const { columns } = (await client.call('run_realtime_report', args)).result.structuredContent;
    assert.deepEqual(columns, [...theirs.dimension_headers, ...theirs.metric_headers].map((h) => h.name));
  });
});

describe('Google\'s Python clients', options, () => {
  const ask = (api, method, request) => official('client', { api, method, request });
  const rowsOf = (r) => r.rows.map(cellsOf);
  const property = () => `properties/${d.property_id}`;
  const sql = (text) => s.world.all(text, d.property_id).map(Object.values);
  const days = "property_id = ? AND date BETWEEN '20250101' AND '20250131'";

  test('reports_batches_and_pivots_equal_sql', async () => {
    const one = { dimensions: [{ name: 'deviceCategory' }], metrics: [{ name: 'sessions' }], date_ranges: JANUARY };
    const truth = sql(`SELECT device, count(*) FROM sessions WHERE ${days} GROUP BY 1 ORDER BY 2 DESC`);
    assert.deepEqual(rowsOf(await ask('data_api', 'run_report', { property: property(), ...one })), truth);
    const batch = await ask('data_api', 'batch_run_reports', { property: property(), requests: [one, { ...one, limit: 1 }] });
    assert.deepEqual(batch.reports.map(rowsOf), [truth, truth.slice(0, 1)]);
    const pivots = [{ field_names: ['deviceCategory'], limit: 5 }];
    const pivot = await ask('data_api', 'run_pivot_report', { property: property(), ...one, pivots });
    assert.deepEqual(rowsOf(pivot).toSorted(), truth.toSorted());
    const pivoted = await ask('data_api', 'batch_run_pivot_reports', { property: property(), requests: [{ ...one, pivots }] });
    assert.deepEqual(rowsOf(pivoted.pivot_reports[0]), rowsOf(pivot));
  });

  test('metadata_compatibility_and_quotas_answer', async () => {
    const metadata = await ask('data_api', 'get_metadata', { name: `${property()}/metadata` });
    assert.ok(metadata.dimensions.some((f) => f.api_name === 'sessionDefaultChannelGroup'));
    const compatible = await ask('data_api', 'check_compatibility', { property: property(), metrics: [{ name: 'sessions' }] });
    assert.ok(compatible.dimension_compatibilities.length > 0);
    const quotas = await ask('data_api_alpha', 'get_property_quotas_snapshot', { name: `${property()}/propertyQuotasSnapshot` });
    assert.ok(Number(quotas.core_property_quota.tokens_per_day.remaining) > 0);
  });

  test('lists_of_the_admin_api_are_the_worlds', async () => {
    const parent = property();
    const count = (table) => Number(sql(`SELECT count(*) FROM ${table} WHERE property_id = ?`)[0][0]);
    assert.equal((await ask('admin_api', 'list_key_events', { parent })).length, count('key_events'));
    assert.equal((await ask('admin_api', 'list_custom_dimensions', { parent })).length, count('custom_dimensions'));
    assert.equal((await ask('admin_api', 'list_custom_metrics', { parent })).length, count('custom_metrics'));
    assert.equal((await ask('admin_api', 'list_google_ads_links', { parent })).length, count('google_ads_links'));
    assert.equal((await ask('admin_alpha_api', 'list_reporting_data_annotations', { parent })).length, count('annotations'));
    assert.ok((await ask('admin_api', 'list_data_streams', { parent })).length > 0);
    assert.equal((await ask('admin_api', 'get_property', { name: parent })).name, parent);
  });
});
