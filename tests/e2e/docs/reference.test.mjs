// The pages that list settings and metrics say what the programs have, no more and no less.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { metricsOfTheCode, PROGRAMS, ROOT, settingsOf, settingsPage } from './reference.mjs';

const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const pages = ['README.md', ...fs.readdirSync(path.join(ROOT, 'docs'), { recursive: true })
  .filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];

test('SETTINGS.md says what --help of each program says', () => {
  for (const program of PROGRAMS) assert.ok(settingsOf(program).length >= 10, program);
  assert.equal(read('docs/SETTINGS.md'), settingsPage(), 'write it again: node tests/e2e/docs/reference.mjs');
});

test('every setting that a page names is one of a program', () => {
  const known = new Set(PROGRAMS.flatMap((program) => settingsOf(program).map(({ name }) => name)));
  for (const page of pages)
    for (const [, name] of read(page).matchAll(/\b((?:AUTH|GRPC|ANALYTICS_MCP|REPORT|AGGREGATE)_[A-Z][A-Z0-9_]*[A-Z0-9])\b(?!\*)/g))
      if (/^(AUTH_(?!ADMIN$)|GRPC_|ANALYTICS_MCP_|REPORT_(?!ADMIN$)|AGGREGATE_(?!ADMIN$))/.test(name))
        assert.ok(known.has(name) || [...known].some((one) => one.startsWith(`${name}_`)), `${page} names ${name}`);
});

// The rows of the table in MONITORING.md: name -> { type, labels }.
function metricsOfThePage() {
  const row = /^\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*)\|/gm;
  return new Map([...read('docs/MONITORING.md').matchAll(row)].map(([, name, type, labels]) =>
    [name, { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label) }]));
}

test('MONITORING.md lists every metric with its type and labels', () => {
  const code = metricsOfTheCode();
  assert.ok(code.size > 30);
  assert.deepEqual(new Map([...metricsOfThePage()].sort()), new Map([...code].sort()));
});

test('metrics are named as Prometheus wants them', () => {
  for (const [name, { type }] of metricsOfTheCode()) {
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    if (type === 'histogram') assert.match(name, /_seconds$/);
    assert.doesNotMatch(name, /_(ms|millis|kb|mb)(_|$)/);
  }
});

// The series that a query of Prometheus asks for, each with the labels that it names.
function askedBy(expr) {
  const named = [...expr.matchAll(/\b(?!max_over_time|histogram_quantile|label_values)([a-z]+_[a-z_]+)(?:\{([^}]*)\})?(?=[\s)[,]|$)/g)];
  return named.map(([, name, selector = '']) => ({ name, labels: [...selector.matchAll(/(\w+)\s*[=!]/g)].map(([, label]) => label) }));
}

// That the code makes such a series: a histogram has _bucket, _sum and _count, with `le`.
function assertMade(code, { name, labels }, where) {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  const metric = code.get(name) ?? (code.get(base)?.type === 'histogram' ? code.get(base) : undefined);
  assert.ok(metric !== undefined && (metric.type !== 'histogram' || name !== base), `${where} asks for ${name}`);
  for (const label of labels) assert.ok(['job', 'instance', ...metric.labels].includes(label), `${where}: ${name} has no label ${label}`);
}

test('the dashboard asks for metrics that there are, by labels that they have', () => {
  const code = metricsOfTheCode();
  const dashboard = JSON.parse(read('helm/analytics-mcp/files/dashboard.json'));
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');
  assert.ok(panels.length >= 15);
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  const variables = new Set([...dashboard.templating.list.map(({ name }) => name), '__rate_interval']);
  const queries = [...panels.flatMap(({ title, targets }) => targets.map(({ expr, legendFormat }) => [title, expr, legendFormat])),
    ...dashboard.templating.list.filter(({ type }) => type === 'query').map(({ name, query }) => [name, query.query, ''])];
  for (const [title, expr, legend] of queries) {
    const asked = askedBy(expr.replaceAll(/\bby \([^)]*\)/g, ''));
    assert.ok(asked.length > 0, `${title}: ${expr}`);
    for (const one of asked) assertMade(code, one, title);
    for (const [, name] of expr.matchAll(/\$(\w+)/g)) assert.ok(variables.has(name), `${title}: $${name}`);
    // What the legend shows is what the query groups by.
    const by = /\bby \(([^)]*)\)/.exec(expr)?.[1].split(/,\s*/) ?? [];
    for (const [, label] of legend.matchAll(/\{\{(\w+)\}\}/g)) assert.ok(by.includes(label), `${title}: ${legend}`);
    for (const label of by) assert.ok(['le', 'instance', ...asked.flatMap(({ name }) => (code.get(name) ?? code.get(name.replace(/_bucket$/, ''))).labels)].includes(label), `${title}: by ${label}`);
  }
  for (const name of ['mcp_tool_seconds_bucket', 'rpc_server_seconds_bucket', 'report_google_request_seconds_bucket', 'trace_spans_total'])
    assert.ok(queries.some(([, expr]) => expr.includes(name)), name);
  // No panel lies on another.
  const cells = new Set();
  for (const { title, gridPos: { x, y, w, h } } of dashboard.panels)
    for (let i = x; i < x + w; i++)
      for (let k = y; k < y + h; k++) {
        assert.ok(i < 24 && !cells.has(`${i} ${k}`), title);
        cells.add(`${i} ${k}`);
      }
});

test('alerts and pages ask for metrics that there are', () => {
  const code = metricsOfTheCode();
  const alerts = load(/```yaml alerts\n([\s\S]*?)```/.exec(read('docs/MONITORING.md'))[1]).groups.flatMap(({ rules }) => rules);
  const asked = alerts.flatMap(({ alert, expr }) => askedBy(expr.replaceAll(/\bby \([^)]*\)/g, '')).map((one) => [alert, one]));
  assert.ok(alerts.length >= 17 && asked.length >= alerts.length);
  for (const [alert, one] of asked) assertMade(code, one, alert);
  for (const page of pages)
    for (const [, name] of read(page).matchAll(/`((?:auth|report|aggregate|mcp|rpc|http_client)_\w+_(?:total|seconds))\b/g))
      assert.ok(code.has(name), `${page} names ${name}`);
});

// rpc ListDealers(...) { option (mcp.v1.tool) = ... } -> list_dealers
test('the table of tools in README.md has each tool of the contract', () => {
  const protos = fs.readdirSync(path.join(ROOT, 'proto/analytics'), { recursive: true }).filter((name) => name.endsWith('.proto'));
  const text = protos.map((name) => read(`proto/analytics/${name}`)).join('\n').replaceAll(/\/\/.*$/gm, '');
  const rpcs = text.split(/\brpc\s+/).slice(1).filter((rpc) => rpc.includes('option (mcp.v1.tool)'));
  const tools = rpcs.map((rpc) => /^\w+/.exec(rpc)[0].replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase());
  assert.ok(tools.length >= 6);
  const page = read('README.md');
  const table = page.slice(page.indexOf('## Tools'), page.indexOf('## A transcript'));
  assert.deepEqual([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name).sort(), tools.sort());
});

// As GitHub makes them: lower case, without punctuation, blanks as dashes.
const anchor = (title) => title.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-');

test('every link leads to a page, and to a heading of it; every page is linked', () => {
  const linked = new Set();
  for (const page of [...pages, 'CONTRIBUTING.md', 'tests/README.md']) {
    const file = path.join(ROOT, page);
    for (const [, link] of read(page).replaceAll(/```[\s\S]*?```/g, '').matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [to, heading] = link.split('#');
      const target = to === '' ? file : path.resolve(path.dirname(file), to);
      assert.ok(fs.existsSync(target), `${page} links to ${link}`);
      linked.add(path.relative(ROOT, target));
      if (heading === undefined) continue;
      const titles = [...fs.readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title]) => anchor(title));
      assert.ok(titles.includes(heading), `${page} links to ${link}; headings: ${titles}`);
    }
  }
  for (const page of pages.slice(1)) assert.ok(linked.has(page), `no page links to ${page}`);
});
