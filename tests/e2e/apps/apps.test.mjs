// The pages that draw answers, in a real browser under the specification's policy: what they speak with
// the host, that what is drawn are the figures of the answer, and how it looks (BUILD_DIR/apps/*.png).
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { Mcp } from '../set/mcp.mjs';
import { BUILD, startOverWorld } from '../set/world.mjs';
import { Chromium, findChromium } from './chromium.mjs';
import { startHost } from './host.mjs';

const MIME = 'text/html;profile=mcp-app';
// Tool, arguments, page.
const CALLS = {
  comparison: ['compare_dealer_sessions', { region: 'West' }, 'bars'],
  one: ['compare_dealer_sessions', { subject: 'd01' }, 'bars'],
  scorecard: ['benchmark_dealer', { subject: 'd01' }, 'bars'],
  interest: ['analyze_vehicle_interest', {}, 'bars'],
  trend: ['compare_trends', { subject: 'd01' }, 'lines'],
  engagement: ['compare_trends', { subject: 'd01', metric: 'engagement_rate' }, 'lines'],
  movers: ['vehicle_movers', {}, 'lines'],
};
const HOSTILE = '<img src=x onerror="document.title=1"><b>Ford</b> & "Söhne" \u202e';

const program = findChromium();

describe('MCP Apps', { skip: program ? false : 'no Chromium here: deploy/install-deps.sh --browser installs it' }, () => {
  let s, client, chromium, host;
  const results = {}, views = {};

  before(async () => {
    s = await startOverWorld();
    client = await Mcp.connect(s.set.url);
    for (const [name, [tool, args]] of Object.entries(CALLS)) {
      const { result, isError, text } = await client.call(tool, args);
      assert.ok(!isError, text);
      results[name] = result;
    }
    for (const name of ['bars', 'lines']) {
      const { result } = await client.request('resources/read', { uri: `ui://analytics/${name}` });
      assert.equal(result.contents[0].mimeType, MIME);
      views[name] = result.contents[0].text;
    }
    host = await startHost(views);
    chromium = await Chromium.start(program);
  });
  after(async () => {
    const ends = await Promise.allSettled([chromium?.stop(), host?.stop(), s?.stop()]);
    for (const { reason } of ends) if (reason) throw reason;
  });

  // Opens a view with an answer, and waits until it is laid out.
  async function show(view, given, width = 800) {
    const page = await chromium.page(width);
    await page.open(host.url(view, { theme: 'light', ...given }));
    await page.run('host.drawn');
    return page;
  }

  // The rows of a page of bars: names, and where bar and tick end, as parts of their track.
  const ROWS = `[...document.querySelectorAll('.row')].map((row) => {
    const track = row.querySelector('.track').getBoundingClientRect();
    const box = (name) => row.querySelector(name)?.getBoundingClientRect();
    const bar = box('.bar'), tick = box('.tick'), interval = box('.interval');
    return { name: row.querySelector('.name').textContent, text: row.textContent,
      bar: bar && bar.width / track.width, tick: tick && (tick.left + tick.width / 2 - track.left) / track.width,
      low: interval && (interval.left - track.left) / track.width, high: interval && (interval.right - track.left) / track.width,
      open: row.querySelector('.interval.open') !== null };
  })`;

  const near = (a, b, what) => assert.ok(Math.abs(a - b) < 0.004, `${what}: ${a} is not ${b}`);

  test('tools name their page and it is among the resources', async () => {
    const { tools } = (await client.request('tools/list', {})).result;
    for (const [tool, , view] of Object.values(CALLS)) {
      const uri = `ui://analytics/${view}`;
      assert.deepEqual(tools.find((t) => t.name === tool)._meta, { ui: { resourceUri: uri }, 'ui/resourceUri': uri });
    }
    assert.equal(tools.find((t) => t.name === 'run_report')._meta, undefined);
    const { resources } = (await client.request('resources/list', {})).result;
    assert.deepEqual(resources.filter((r) => r.mimeType === MIME).map((r) => r.uri), ['ui://analytics/bars', 'ui://analytics/lines']);
  });

  for (const [name, [, , view]] of Object.entries(CALLS))
    for (const theme of ['light', 'dark'])
      for (const width of [320, 800])
        test(`${name} is drawn ${width} px wide, ${theme}, without a complaint`, async () => {
          const page = await show(view, { result: results[name], theme }, width);
          await page.picture(path.join(BUILD, 'apps', `${name}-${width}-${theme}.png`));
          const seen = await page.runInView(`({ wide: document.documentElement.scrollWidth, text: document.body.innerText,
            busy: document.querySelector('[aria-busy]') !== null,
            cut: [...document.querySelectorAll('.name, .detail, .value, h1, h2, p, text')].filter((e) => {
              const b = e.getBoundingClientRect(); return b.width > 0 && (b.left < 0 || b.right > innerWidth + 0.5); }).map((e) => e.textContent) })`);
          assert.ok(seen.wide <= width, `${seen.wide} px`);
          assert.deepEqual(seen.cut, []);
          assert.ok(!seen.busy && seen.text.includes(results[name].structuredContent.headline));
          assert.deepEqual(page.complaints, []);
          await page.close();
        });

  test('the handshake comes first, and sizes follow', async () => {
    const page = await show('bars', { result: results.scorecard });
    const { received, initialize } = await page.run('({ received: host.received, initialize: host.initialize })');
    assert.deepEqual(received.slice(0, 2), ['ui/initialize', 'ui/notifications/initialized']);
    assert.ok(received.slice(2).length > 0 && received.slice(2).every((m) => m === 'ui/notifications/size-changed'), String(received));
    assert.equal(initialize.protocolVersion, '2026-01-26');
    assert.ok(initialize.appInfo.name && initialize.appInfo.version && initialize.appCapabilities);
    const { frame, inside } = { frame: await page.run('document.querySelector("iframe").clientHeight'), inside: await page.runInView('document.body.scrollHeight') };
    assert.ok(frame >= inside, `${frame} of ${inside} px`);
    await page.run(`for (const [id, method] of [[8, 'ui/resource-teardown'], [9, 'tools/list']]) host.send({ id, method, params: {} }); host.ping()`);
    assert.deepEqual((await page.run('host.replies')).map((r) => [r.id, r.error?.code ?? r.result]), [[8, {}], [9, -32601]]);
    await page.close();
  });

  test('bars, ticks and intervals of a scorecard are its indices', async () => {
    const page = await show('bars', { result: results.scorecard });
    const rows = await page.runInView(ROWS), metrics = objects(results.scorecard.structuredContent.metrics);
    const scale = metrics[0].index / rows[0].bar; // index at the right end of the track
    metrics.forEach((m, i) => {
      near(rows[i].bar * scale / 100, m.index / 100, `${m.metric} bar`);
      near(rows[i].tick * scale / 100, 1, `${m.metric} tick`);
      if (m.index_high === undefined) return assert.equal(rows[i].high, undefined);
      near(rows[i].low * scale / 100, m.index_low / 100, `${m.metric} low`);
      assert.equal(rows[i].open, m.index_high > scale + 1e-6);
      near(rows[i].high * scale / 100, Math.min(m.index_high, scale) / 100, `${m.metric} high`);
    });
    const channels = objects(results.scorecard.structuredContent.channels);
    assert.equal(rows.length, metrics.length + channels.length);
    channels.forEach((c, i) => near(rows[metrics.length + i].bar / rows[metrics.length].bar, c.share / channels[0].share, c.channel));
    await page.close();
  });

  test('a comparison shows its dealers in their order, and any metric that is chosen', async () => {
    const page = await show('bars', { result: results.comparison });
    const { dealers, regional_average: average } = results.comparison.structuredContent;
    for (const metric of ['leads_per_100_sessions', 'engagement_rate']) {
      await page.runInView(`{ const s = document.querySelector('select'); s.value = '${metric}'; s.dispatchEvent(new Event('change')); }`);
      const rows = await page.runInView(ROWS), list = objects(dealers);
      const pooled = objects(average).find((a) => a.metric === metric).pooled;
      assert.deepEqual(rows.map((r) => r.name), list.map((d) => d.name));
      list.forEach((d, i) => {
        near(rows[i].bar / rows[0].bar, d[metric] / list[0][metric], d.name);
        near(rows[i].tick / rows[0].bar, pooled / list[0][metric], `${d.name} tick`);
      });
    }
    await page.close();
  });

  test('shares of models have their intervals, and axes are apart', async () => {
    const page = await show('bars', { result: results.interest });
    const rows = await page.runInView(ROWS), { models, shares } = results.interest.structuredContent;
    const first = objects(models)[0];
    objects(models).forEach((m, i) => {
      assert.equal(rows[i].name, m.model);
      for (const end of ['low', 'high']) near(rows[i][end] / rows[0].bar, m[end] / first.share, `${m.model} ${end}`);
    });
    assert.deepEqual(await page.runInView(`[...document.querySelectorAll('h2')].map((e) => e.textContent)`),
      ['Models', 'Body style', 'Powertrain', 'Condition']);
    assert.equal(rows.length, models.rows.length + shares.rows.length);
    await page.close();
  });

  test('lines of dealer and region share one scale', async () => {
    const page = await show('lines', { result: results.trend });
    const points = objects(results.trend.structuredContent.points);
    const line = (name) => page.runInView(`document.querySelector('.plot .${name}-line').getAttribute('points').split(' ').map((p) => p.split(',').map(Number))`);
    const own = await line('own'), others = await line('others');
    const seen = [...own.map(([, y], i) => [points[i].value, y]), ...others.map(([, y], i) => [points[i].benchmark, y])];
    const [low, high] = [seen.reduce((a, b) => (a[0] < b[0] ? a : b)), seen.reduce((a, b) => (a[0] > b[0] ? a : b))];
    assert.ok(high[1] < low[1], 'more is higher');
    for (const [v, y] of seen) {
      const expected = low[1] + ((v - low[0]) * (high[1] - low[1])) / (high[0] - low[0]);
      assert.ok(Math.abs(y - expected) < 0.2, `${v}: ${y} is not ${expected}`);
    }
    const step = own[1][0] - own[0][0];
    own.forEach(([x], i) => assert.ok(Math.abs(x - own[0][0] - i * step) < 0.3, 'weeks are equally far apart'));
    await page.close();
  });

  test('a week without a figure is a gap, not a zero', async () => {
    const result = structuredClone(results.trend), { columns, rows } = result.structuredContent.points;
    rows[4][columns.indexOf('value')] = null;
    rows[6][columns.indexOf('benchmark')] = null;
    const page = await show('lines', { result });
    const lengths = (name) => page.runInView(`[...document.querySelectorAll('.plot .${name}-line')].map((l) => l.getAttribute('points').split(' ').length)`);
    assert.deepEqual(await lengths('own'), [4, rows.length - 5]);
    assert.deepEqual(await lengths('others'), [6, rows.length - 7]);
    await page.close();
  });

  test('moves go from the share before to the share after', async () => {
    const page = await show('lines', { result: results.movers });
    const models = objects(results.movers.structuredContent.models);
    const seen = await page.runInView(`[...document.querySelectorAll('.row')].map((row) => {
      const at = (name) => Number.parseFloat(row.querySelector(name).style.left);
      return { name: row.querySelector('.name').textContent, before: at('.before'), after: at('.after') }; })`);
    assert.equal(seen.length, models.length);
    models.forEach((m, i) => {
      assert.equal(seen[i].name, m.model);
      near(seen[i].before / seen[i].after, m.share_before / m.share, m.model);
    });
    await page.close();
  });

  test('names are text, whatever they hold', async () => {
    for (const [name, view] of [['comparison', 'bars'], ['scorecard', 'bars'], ['interest', 'bars'], ['trend', 'lines'], ['movers', 'lines']]) {
      const hostile = (v) => (Array.isArray(v) ? v.map(hostile) : v && typeof v === 'object'
        ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, k === 'columns' ? x : hostile(x)])) : typeof v === 'string' ? HOSTILE : v);
      const page = await show(view, { result: { content: [], structuredContent: hostile(results[name].structuredContent) } });
      const seen = await page.runInView(`({ made: document.querySelectorAll('img, b, [onerror]').length, title: document.title, text: document.querySelector('h1').textContent })`);
      assert.deepEqual([seen.made, seen.text], [0, HOSTILE]);
      assert.notEqual(seen.title, '1');
      assert.deepEqual(page.complaints, []);
      await page.close();
    }
  });

  test('errors, cancellation and answers of another shape are said', async () => {
    const cases = [
      [{ isError: true, content: [{ type: 'text', text: 'No such dealer.' }] }, /No such dealer\./],
      [{ content: [{ type: 'text', text: 'Only text.' }] }, /Only text\./],
      [{ content: [{ type: 'text', text: 'The text.' }], structuredContent: { headline: 'H', coverage: { failed: 7 } } }, /cannot be drawn here[^]*The text\./],
      [{ content: [], structuredContent: { headline: 'H', dealers: { columns: [], rows: [] }, caveats: ['why'] } }, /nothing to draw[^]*keep in mind/],
    ];
    for (const view of ['bars', 'lines'])
      for (const [result, expected] of cases) {
        const page = await show(view, { result: null });
        await page.run(`host.give(${JSON.stringify(result)}); host.ping()`);
        assert.match(await page.runInView('document.body.innerText'), expected);
        assert.deepEqual(page.complaints, []);
        await page.close();
      }
    const page = await show('bars', { result: results.one });
    await page.run(`host.send({ method: 'ui/notifications/tool-cancelled', params: { reason: 'user' } }); host.ping()`);
    assert.match(await page.runInView('document.body.innerText'), /was cancelled/);
    await page.close();
  });

  // WCAG 2.1, 1.4.3: relative luminance and contrast.
  const luminance = (rgb) => rgb.match(/\d+/g).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);

  test('text has enough contrast in both themes, and a change of theme is followed', async () => {
    const page = await show('bars', { result: results.scorecard });
    const look = () => page.runInView(`({ paper: getComputedStyle(document.body).backgroundColor,
      inks: ['h1', '.quiet', '.detail', '.value', '.legend'].map((q) => getComputedStyle(document.querySelector(q)).color) })`);
    const light = await look();
    await page.run(`host.send({ method: 'ui/notifications/host-context-changed', params: { theme: 'dark' } }); host.ping()`);
    const dark = await look();
    assert.notEqual(light.paper, dark.paper);
    for (const { paper, inks } of [light, dark])
      for (const ink of inks) {
        const [a, b] = [luminance(paper), luminance(ink)].sort((x, y) => y - x);
        assert.ok((a + 0.05) / (b + 0.05) >= 4.5, `${ink} on ${paper}`);
      }
    await page.close();
  });

  test("a host's own colours are taken, and the policy holds", async () => {
    const page = await show('lines', { result: results.trend, variables: { '--color-background-primary': 'rgb(1, 2, 3)', 'not-a-variable': 'x' } });
    assert.equal(await page.runInView('getComputedStyle(document.body).backgroundColor'), 'rgb(1, 2, 3)');
    assert.deepEqual(page.complaints, []);
    assert.equal(await page.runInView(`fetch('/').then(() => 'fetched', () => 'refused')`), 'refused');
    assert.match(page.complaints.join(), /Content Security Policy/i); // complaints are seen
    await page.close();
  });

  test('a page that becomes narrow is drawn again', async () => {
    const page = await show('lines', { result: results.trend });
    const width = () => page.runInView(`Number(document.querySelector('svg.plot').getAttribute('viewBox').split(' ')[2])`);
    const before = await width();
    const resized = page.run('host.resized()');
    await page.resize(320);
    await resized;
    assert.ok(before > 700 && (await width()) < 320);
    await page.close();
  });
});
