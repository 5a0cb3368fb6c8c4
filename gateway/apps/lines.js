'use strict';
// Lines over weeks or months of a dealer beside its region, and shares before and after.

// ------------------------------------------------------------------ compare_trends

const MARGIN = { left: 46, right: 10, top: 10, bottom: 34 };

// The interval of a value: that of its index, taken at the benchmark.
function bandOf(p) {
  const end = (x) => (isNumber(x) && isNumber(p.benchmark) ? (x * p.benchmark) / 100 : undefined);
  return { low: end(p.index_low), high: end(p.index_high) };
}

// Round marks over the values; from 0 unless the values lie in a narrow stretch far from it.
function scaleOf(values) {
  const most = Math.max(...values), least = Math.min(...values);
  const pad = (most - least) * 0.15 || Math.abs(most) * 0.1 || 1;
  const bottom = least < 0.5 * most ? 0 : least - pad;
  const step = roundUp((most + pad - bottom) / 4, [1, 2, 5, 10]);
  const from = Math.floor(bottom / step) * step;
  const marks = [];
  for (let i = 0; from + i * step < most + pad + step * 0.999; i++) marks.push(from + i * step);
  return { from, to: marks.at(-1), marks, step };
}

// As many decimals as the marks differ by.
function axisText(metric, v, step) {
  const share = figure(metric, v).endsWith('%'), unit = share ? 100 : 1;
  const digits = Math.max(0, -Math.floor(Math.log10(step * unit) + 1e-9));
  return rounded(unit * v, digits) + (share ? ' %' : '');
}

// Stretches of points that have what `has` asks for, without a gap between.
function stretches(points, has) {
  const list = [];
  points.forEach((p, i) => {
    if (!has(p)) return;
    if (i === 0 || !has(points[i - 1])) list.push([]);
    list.at(-1).push(i);
  });
  return list;
}

function shortLabel(label) {
  return label.replace(/^\d{4}-(W\d+)$/, '$1');
}

function tipOf(p, metric) {
  const parts = [p.label, isNumber(p.value) && figure(metric, p.value), isNumber(p.benchmark) && `others ${figure(metric, p.benchmark)}`];
  const index = isNumber(p.index) && `index ${rounded(p.index, 0)}` + (isNumber(p.index_high) ? ` (${rounded(p.index_low, 0)} to ${rounded(p.index_high, 0)})` : '');
  return sentence([...parts, index, p.holidays]);
}

function putAxes(plot, frame, points, metric, scale) {
  for (const v of scale.marks) {
    plot.append(svg('line', { x1: MARGIN.left, x2: frame.width - MARGIN.right, y1: frame.y(v), y2: frame.y(v), class: 'grid' }));
    plot.append(svg('text', { x: MARGIN.left - 6, y: frame.y(v) + 4, 'text-anchor': 'end' }, axisText(metric, v, scale.step)));
  }
  const every = Math.ceil(points.length / Math.max(2, Math.floor((frame.width - MARGIN.left) / 56)));
  points.forEach((p, i) => {
    const last = points.length - 1 - i;
    if (last % every === 0)
      plot.append(svg('text', { x: frame.x(i), y: frame.height - 14, 'text-anchor': last === 0 ? 'end' : 'middle' }, shortLabel(p.label)));
    if (p.holidays) plot.append(svg('path', { d: `M${frame.x(i)} ${frame.height - 11}l4 7h-8z`, class: 'ink-fill' }));
  });
}

function putLine(plot, frame, points, key, className) {
  for (const stretch of stretches(points, (p) => isNumber(p[key]))) {
    const path = stretch.map((i) => `${frame.x(i).toFixed(1)},${frame.y(points[i][key]).toFixed(1)}`);
    plot.append(svg('polyline', { points: path.join(' '), class: `${className}-line` }));
    if (stretch.length === 1 || key === 'value')
      for (const i of stretch) plot.append(svg('circle', { cx: frame.x(i), cy: frame.y(points[i][key]), r: 3, class: `${className}-dot` }));
  }
}

function putBand(plot, frame, bands) {
  for (const stretch of stretches(bands, (b) => isNumber(b.low) && isNumber(b.high))) {
    const at = (i, v) => `${frame.x(i).toFixed(1)},${frame.y(v).toFixed(1)}`;
    const edge = [...stretch.map((i) => at(i, bands[i].high)), ...stretch.toReversed().map((i) => at(i, bands[i].low))];
    plot.append(svg('polygon', { points: edge.join(' '), class: 'band', 'clip-path': 'url(#inside)' }));
  }
}

// An invisible column per point that says its figures.
function putTips(plot, frame, points, metric) {
  const wide = (frame.width - MARGIN.left - MARGIN.right) / Math.max(1, points.length - 1);
  points.forEach((p, i) => {
    const column = svg('rect', { x: frame.x(i) - wide / 2, y: 0, width: wide, height: frame.height, fill: 'transparent' });
    column.append(svg('title', {}, tipOf(p, metric)));
    plot.append(column);
  });
}

function plotOf(chart, answer, points) {
  const width = Math.max(240, chart.clientWidth), height = width < 480 ? 220 : 280;
  const known = points.flatMap((p) => [p.value, p.benchmark]).filter(isNumber);
  const scale = scaleOf(known), inner = width - MARGIN.left - MARGIN.right;
  const frame = {
    width, height,
    x: (i) => MARGIN.left + (points.length === 1 ? inner / 2 : (inner * i) / (points.length - 1)),
    y: (v) => height - MARGIN.bottom - ((height - MARGIN.top - MARGIN.bottom) * (v - scale.from)) / (scale.to - scale.from),
  };
  const plot = svg('svg', { class: 'plot', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${words(answer.metric)} by ${answer.grain}, ${points[0].label} to ${points.at(-1).label}; the figures stand below` });
  const clip = svg('clipPath', { id: 'inside' });
  clip.append(svg('rect', { x: MARGIN.left, y: MARGIN.top, width: inner, height: height - MARGIN.top - MARGIN.bottom }));
  plot.append(clip);
  putAxes(plot, frame, points, answer.metric, scale);
  putBand(plot, frame, points.map(bandOf));
  putLine(plot, frame, points, 'benchmark', 'others');
  putLine(plot, frame, points, 'value', 'own');
  putTips(plot, frame, points, answer.metric);
  return plot;
}

function legendOf(answer, points) {
  const line = (className) => svg('line', { x1: 0, x2: 26, y1: 7, y2: 7, class: className });
  const items = [[[line('own-line'), svg('circle', { cx: 13, cy: 7, r: 3, class: 'own-dot' })], answer.name ?? 'the dealer'],
    [[line('others-line')], `the other dealers of ${answer.cohort?.label ?? 'the cohort'}`]];
  if (points.some((p) => isNumber(bandOf(p).high)))
    items.push([[svg('rect', { x: 0, y: 1, width: 26, height: 12, class: 'band-swatch' })], '95 % interval: what chance allows']);
  if (points.some((p) => p.holidays)) items.push([[svg('path', { d: 'M13 3l4 7h-8z', class: 'ink-fill' })], 'holiday']);
  return legend(items);
}

function tableOf(answer, points) {
  const e = element('details'), box = element('div', 'scroll'), table = element('table'), head = element('tr');
  e.append(element('summary', '', 'Figures'));
  for (const name of [words(answer.grain), 'Dealer', 'Others', 'Index', 'Interval', 'Holidays']) head.append(element('th', '', name));
  table.append(head);
  for (const p of points) {
    const line = element('tr');
    const shown = (v, text) => (isNumber(v) ? text(v) : '\u2013');
    for (const text of [p.label, shown(p.value, (v) => figure(answer.metric, v)), shown(p.benchmark, (v) => figure(answer.metric, v)),
      shown(p.index, (v) => rounded(v, 0)), shown(p.index_high, (v) => `${rounded(p.index_low, 0)} to ${rounded(v, 0)}`), p.holidays ?? ''])
      line.append(element('td', '', text));
    table.append(line);
  }
  box.append(table);
  e.append(box);
  return e;
}

function percent(v, low, high) {
  const interval = isNumber(low) && isNumber(high) ? ` (95 % ${signed(low, 0)} to ${signed(high, 0)} %)` : '';
  return `${signed(v, 0)} %${interval}`;
}

function changeOf(c) {
  const e = element('div');
  e.append(element('h2', '', c.against === 'previous' ? 'Against the period before' : words(`against the ${c.against}`)));
  e.append(element('p', 'quiet', `${c.after} against ${c.before}`));
  if (!isNumber(c.percent)) {
    e.append(element('p', '', 'No change is known.'));
    return e;
  }
  e.append(element('p', '', `Dealer ${percent(c.percent, c.low_percent, c.high_percent)}: ${verdict(c.verdict)}`));
  if (isNumber(c.market_percent)) e.append(element('p', '', `Others ${percent(c.market_percent)}`));
  if (isNumber(c.relative_percent))
    e.append(element('p', '', `Relative to the market ${percent(c.relative_percent, c.relative_low, c.relative_high)}: ${verdict(c.relative_verdict)}`));
  return e;
}

function drawTrend(chart, answer) {
  const points = rowsOf(answer.points);
  if (points.some((p) => isNumber(p.value) || isNumber(p.benchmark))) {
    chart.append(element('h2', '', `${words(answer.metric)} by ${answer.grain}`), legendOf(answer, points), plotOf(chart, answer, points), tableOf(answer, points));
  }
  chart.append(...rowsOf(answer.changes).map(changeOf));
  if (answer.trend) chart.append(element('h2', '', `Trend over ${answer.trend.weeks} weeks`), element('p', '', verdict(answer.trend.verdict)));
}

// ------------------------------------------------------------------ vehicle_movers

const share = (v) => `${rounded(100 * v, 2)} %`;

function moveRow(m, max) {
  const at = (v) => Math.min(1, Math.max(0, v / max));
  const marks = [];
  if (isNumber(m.low_pp) && isNumber(m.high_pp))
    marks.push(mark('interval', at(m.share_before + m.low_pp / 100), at(m.share_before + m.high_pp / 100)));
  marks.push(mark('way', at(Math.min(m.share_before, m.share)), at(Math.max(m.share_before, m.share))));
  marks.push(mark('before', at(m.share_before)), mark('after', at(m.share)));
  return row({ name: m.model, detail: sentence([`${share(m.share_before)} \u2192 ${share(m.share)}`, verdict(m.verdict)]), value: `${signed(m.change_pp, 2)} pp`, marks,
    tone: m.verdict === 'rising' || m.verdict === 'falling' ? 'subject' : '' });
}

function drawMoves(chart, comparison, models) {
  chart.append(element('h2', '', `${comparison.before} \u2192 ${comparison.after}`));
  chart.append(element('p', 'quiet', sentence([`${comparison.dealers} dealers`, `${comparison.tested} models tested`,
    `${comparison.rising} rising, ${comparison.falling} falling`, `${comparison.low_volume + comparison.few_dealers} not tested`])));
  if (models.length === 0) return;
  chart.append(legend([[[svg('circle', { cx: 13, cy: 7, r: 5, class: 'ring' })], 'share of vehicle page views before'],
    [[svg('circle', { cx: 13, cy: 7, r: 5, class: 'strong-fill' })], 'after'],
    [[svg('path', { d: 'M1 3h2v3h20v-3h2v8h-2v-3h-20v3h-2z', class: 'ink-fill' })], '95 % interval of the change']]));
  const ends = models.flatMap((m) => [m.share, m.share_before, m.share_before + (m.high_pp ?? 0) / 100]).filter(isNumber);
  const max = roundUp(Math.max(...ends));
  const list = element('div', 'rows');
  list.setAttribute('role', 'list');
  list.append(...models.map((m) => moveRow(m, max)));
  chart.append(list);
}

runApp('lines', (chart, answer) => {
  if (answer.points) {
    drawTrend(chart, answer);
    return;
  }
  const models = rowsOf(answer.models);
  for (const comparison of rowsOf(answer.comparisons))
    drawMoves(chart, comparison, models.filter((m) => m.comparison === comparison.comparison));
});
