'use strict';
// Bars with a tick for the benchmark and the interval of what chance allows.

const MOST_ROWS = 30;

// A place on a track of 0 to max, as a part of 1.
const place = (v, max) => Math.min(1, Math.max(0, v / max));

// Values and ticks fit; an interval may run off the track, for one of few events is as long as it
// likes.
function maxOf(rows) {
  const near = rows.flatMap((r) => [r.amount, r.tick]).filter(isNumber);
  const most = Math.max(0, ...near);
  const far = rows.map((r) => r.high).filter(isNumber);
  return roundUp(Math.min(Math.max(most, ...far), 1.6 * most));
}

function marksOf(r, max) {
  const marks = [];
  if (isNumber(r.amount)) marks.push(mark('bar', 0, place(r.amount, max)));
  if (isNumber(r.low) && isNumber(r.high))
    marks.push(mark(r.high > max ? 'interval open' : 'interval', place(r.low, max), place(r.high, max)));
  if (isNumber(r.tick)) marks.push(mark('tick', place(r.tick, max)));
  return marks;
}

function legendOf(group, max) {
  const items = [[[svg('rect', { x: 0, y: 2, width: 26, height: 10, rx: 2, class: 'plain-fill' })], group.bar]];
  if (group.rows.some((r) => isNumber(r.tick)))
    items.push([[svg('rect', { x: 11, y: 0, width: 3, height: 14, class: 'ink-fill' })], group.tick]);
  if (group.rows.some((r) => isNumber(r.low) && isNumber(r.high)))
    items.push([[svg('path', { d: 'M1 3h2v3h20v-3h2v8h-2v-3h-20v3h-2z', class: 'ink-fill' })], `95 % interval: what chance allows${group.rows.some((r) => r.high > max) ? '; without an end it goes on' : ''}`]);
  return legend(items);
}

// { title, bar, tick, rows: [{ name, detail, amount, text, low, high, tick, tone }] }
function drawGroup(chart, group) {
  if (group.rows.length === 0) return;
  if (group.title) chart.append(element('h2', '', group.title));
  const max = maxOf(group.rows);
  chart.append(legendOf(group, max));
  const list = element('div', 'rows');
  list.setAttribute('role', 'list');
  list.append(...group.rows.map((r) => row({ ...r, value: r.text, marks: marksOf(r, max) })));
  chart.append(list);
  if (group.more > 0) chart.append(element('p', 'quiet', `${group.more} more rows are in the answer.`));
}

const tones = { BETTER: 'better', WORSE: 'worse' };

// ------------------------------------------------------------------ benchmark_dealer

function metricRow(m) {
  const value = isNumber(m.value) ? figure(m.metric, m.value) : 'not known';
  const against = isNumber(m.benchmark) ? ` against ${figure(m.metric, m.benchmark)}` : '';
  const withheld = m.suppressed ? `benchmark withheld (${verdict(m.suppressed)})` : '';
  return {
    name: words(m.metric),
    detail: sentence([value + against, verdict(m.standing), m.better === 'LOWER' && 'lower is better', withheld]),
    amount: m.index, low: m.index_low, high: m.index_high, tick: isNumber(m.index) ? 100 : undefined,
    text: isNumber(m.index) ? rounded(m.index, 0) : '',
    tone: tones[m.standing],
  };
}

function channelRow(c) {
  const tick = c.benchmark_share;
  return {
    name: c.channel,
    detail: sentence([`${rounded(c.sessions ?? 0, 0)} sessions`, isNumber(tick) && `others ${figure('share', tick)}`]),
    amount: c.share, tick, text: isNumber(c.share) ? figure('share', c.share) : '',
  };
}

function drawScorecard(chart, answer) {
  const others = `the other dealers of ${answer.cohort?.label ?? 'the cohort'}`;
  drawGroup(chart, {
    title: 'Index: 100 is the other dealers', bar: answer.name ?? 'the dealer', tick: others,
    rows: rowsOf(answer.metrics).map(metricRow),
  });
  drawGroup(chart, {
    title: 'Share of sessions by channel', bar: answer.name ?? 'the dealer', tick: others,
    rows: rowsOf(answer.channels).map(channelRow),
  });
}

// ------------------------------------------------------------------ compare_dealer_sessions

const MARKS = { '+': 'better', '-': 'worse', '=': 'no clear difference', '?': 'no verdict' };
const COMPARED = ['leads_per_100_sessions', 'engagement_rate', 'shopper_rate', 'leads_per_100_shopper_sessions', 'sessions'];
let chosen;

// What is said of a dealer in a metric: by its index, else by the mark, which is one of leads.
function judged(dealer, metric, index) {
  if (index) return verdict(index.standing);
  return metric === 'leads_per_100_sessions' ? MARKS[dealer.mark] ?? '' : '';
}

function dealerRow(dealer, metric, tick, index) {
  const value = dealer[metric];
  const end = (x) => (isNumber(x) && isNumber(index.benchmark) ? (x * index.benchmark) / 100 : undefined);
  return {
    name: dealer.name ?? dealer.dealer_id,
    detail: sentence([metric !== 'sessions' && `${rounded(dealer.sessions ?? 0, 0)} sessions`, judged(dealer, metric, index)]),
    amount: value, tick, text: isNumber(value) ? figure(metric, value) : 'not known',
    low: index && end(index.index_low), high: index && end(index.index_high),
    tone: dealer.subject ? 'subject' : '',
  };
}

// The first of the list, and the dealer that the question is about.
function shown(dealers) {
  const first = dealers.slice(0, MOST_ROWS);
  return [...first, ...dealers.slice(MOST_ROWS).filter((d) => d.subject)];
}

function choice(chart, answer, metrics) {
  const label = element('label', 'choice', 'Metric ');
  const select = element('select');
  for (const metric of metrics) {
    const option = element('option', '', words(metric));
    option.value = metric;
    option.selected = metric === chosen;
    select.append(option);
  }
  select.addEventListener('change', () => {
    chosen = select.value;
    chart.replaceChildren();
    drawComparison(chart, answer);
    chart.querySelector('select').focus();
  });
  label.append(select);
  chart.append(label);
}

function drawComparison(chart, answer) {
  const dealers = rowsOf(answer.dealers);
  const metrics = COMPARED.filter((m) => dealers.some((d) => isNumber(d[m])));
  if (metrics.length === 0) return;
  if (!metrics.includes(chosen)) chosen = metrics[0];
  const average = rowsOf(answer.regional_average).find((a) => a.metric === chosen);
  const indices = rowsOf(answer.performance_index).filter((x) => x.metric === chosen);
  const tick = chosen === 'sessions' ? average?.mean : average?.pooled;
  const list = shown(dealers);
  choice(chart, answer, metrics);
  drawGroup(chart, {
    bar: 'a dealer', tick: `${answer.cohort?.label ?? 'all dealers'}, ${chosen === 'sessions' ? 'mean' : 'pooled'}`,
    rows: list.map((d) => dealerRow(d, chosen, tick, indices.find((x) => x.dealer_id === d.dealer_id))),
    more: dealers.length - list.length,
  });
}

// ------------------------------------------------------------------ analyze_vehicle_interest

function modelRow(m) {
  return {
    name: m.model, detail: sentence([words(m.body), `${rounded(m.views ?? 0, 0)} views`]),
    amount: m.share, low: m.low, high: m.high, text: figure('share', m.share),
  };
}

const AXES = { body_style: 'Body style', powertrain: 'Powertrain', condition: 'Condition' };

function drawInterest(chart, answer) {
  drawGroup(chart, { title: 'Models', bar: 'share of vehicle page views', rows: rowsOf(answer.models).slice(0, MOST_ROWS).map(modelRow) });
  const shares = rowsOf(answer.shares);
  for (const axis of new Set(shares.map((s) => s.axis)))
    drawGroup(chart, {
      title: AXES[axis] ?? words(axis), bar: 'share of vehicle page views',
      rows: shares.filter((s) => s.axis === axis)
        .map((s) => ({ name: words(s.name), amount: s.share, text: figure('share', s.share), detail: `${rounded(s.views ?? 0, 0)} views` })),
    });
}

runApp('bars', (chart, answer) => {
  if (answer.metrics) drawScorecard(chart, answer);
  else if (answer.dealers) drawComparison(chart, answer);
  else if (answer.models) drawInterest(chart, answer);
});
