// What the tools should answer, by SQL over the world's tables and plain arithmetic. Nothing here is
// shared with the product: the rules come from proto/ and docs/internals.
import assert from 'node:assert/strict';
import { dispersion, judge, unusual } from './truth_verdict.mjs';
import { compact, daysBefore, todayIn } from './world.mjs';

// Events that count as a lead, in the order in which they are looked for.
const LEADS = ['asc_form_submission', 'generate_lead', 'form_submit'];

// The first and last day (YYYYMMDD) of a date range for a dealer: relative dates count from today in
// the property's time zone, and no property has days after its own today.
export function daysOf(dealer, range, today = todayIn(dealer.time_zone)) {
  const day = (text) => {
    if (text === 'today') return today;
    if (text === 'yesterday') return daysBefore(today, 1);
    const ago = /^(\d+)daysAgo$/.exec(text);
    return ago ? daysBefore(today, Number(ago[1])) : text;
  };
  const last = day(range.end_date);
  return { from: compact(day(range.start_date)), to: compact(last < today ? last : today) };
}

const PAGES = ['asc_item_pageview', 'asc_itemlist_pageview'];
const quoted = (names) => names.map((name) => `'${name}'`).join(', ');

// The last Sunday that Google has finished (3 days) on the earliest day anywhere.
export function finishedSunday(now = Date.now()) {
  const earliest = new Date(now - 12 * 3600 * 1000).toISOString().slice(0, 10);
  const last = daysBefore(earliest, 3);
  return daysBefore(last, new Date(`${last}T00:00:00Z`).getUTCDay());
}

// The 90 days that decide what counts on a site, the same for every period.
function lookBack() {
  const sunday = finishedSunday();
  return [compact(daysBefore(sunday, 89)), compact(sunday)];
}

const counted = new Map();

// What counts as a lead on a dealer's site, and whether it reports pages of vehicles.
export function siteOf(world, dealer) {
  const [from, to] = lookBack();
  const key = `${world.file} ${dealer.property_id} ${from}`;
  if (!counted.has(key)) {
    const firings = new Map(
      world
        .all('SELECT name, sum(count) AS n FROM events WHERE property_id = ? AND date BETWEEN ? AND ? GROUP BY name',
          dealer.property_id, from, to)
        .map((row) => [row.name, row.n]),
    );
    const times = (name) => firings.get(name) ?? 0;
    const most = LEADS.reduce((a, b) => (times(b) > times(a) ? b : a));
    const event = times(most) === 0 ? null : 2 * times(LEADS[0]) >= times(most) ? LEADS[0] : most;
    counted.set(key, { event, pages: PAGES.some((name) => times(name) > 0) });
  }
  const site = counted.get(key);
  return { event: dealer.lead_event || site.event, pages: site.pages };
}

// Days lost: 3 or more finished ones of the period without a session at a site with 5 a day, counted
// apart before the first session ever and after it. `found`: no change against another period;
// `few`: fewer than 14 days remain, so no rates. Days before the period are known with `baseline`.
const byDay = new Map();
export function lost(world, dealer, { from, to }, today = todayIn(dealer.time_zone), baseline = true) {
  const key = `${world.file} ${dealer.property_id}`;
  if (!byDay.has(key))
    byDay.set(key, new Map(world.all('SELECT date, count(*) AS n FROM sessions WHERE property_id = ? GROUP BY date', dealer.property_id).map((r) => [r.date, r.n])));
  const on = (day) => byDay.get(key).get(compact(day)) ?? 0;
  const text = (d) => `${d.slice(0, 4)}-${d.slice(4, 6)}-${d.slice(6)}`;
  const [first, last, complete] = [text(from), text(to), daysBefore(today, 3)];
  const range = (a, b) => { const out = []; for (let d = a; d <= b; d = daysBefore(d, -1)) out.push(d); return out; };
  const period = range(first, last), before = baseline ? range(daysBefore(first, 56), daysBefore(first, 1)) : [];
  const finished = period.filter((d) => d <= complete), with_ = period.filter((d) => on(d) > 0);
  const usual = [...before, ...finished].map(on), days = usual.filter((n) => n > 0).length;
  const late = baseline && before.every((d) => on(d) === 0) && on(first) === 0;
  const begun = late ? with_[0] ?? daysBefore(last, -1) : first;
  const empty = (list) => list.filter((d) => on(d) === 0).length;
  const gaps = [empty(finished.filter((d) => d >= begun)), empty(finished.filter((d) => d < begun))];
  const found = with_.length > 0 && days > 0 && sum(usual) >= 5 * days && gaps.some((n) => n >= 3);
  return { found, few: found && with_.length < 14 };
}

// Chats and texts, which are one event; of what kind they are where the property has registered comm_type.
function messagesOf(world, dealer, { from, to }) {
  const count = (kind) => world.one(`SELECT coalesce(sum(count), 0) AS n FROM events
    WHERE property_id = ? AND date BETWEEN ? AND ? AND name = 'asc_comm_submission' AND ${kind}`, dealer.property_id, from, to).n;
  const told = world.one(`SELECT count(*) AS n FROM custom_dimensions WHERE property_id = ? AND parameter = 'comm_type'`, dealer.property_id).n > 0;
  const chats = count('1');
  return { chats, ...(told && chats > 0 && { liveChats: count(`comm_type = 'chat'`), texts: count(`comm_type = 'sms'`) }) };
}

// Counts by day, and their sums.
export function countsOf(world, dealer, { from, to }, site) {
  const rows = (sql) => world.all(sql, dealer.property_id, from, to);
  const where = 'property_id = ? AND date BETWEEN ? AND ?';
  const days = new Map();
  for (const r of rows(`SELECT date, count(*) AS sessions, sum(engaged) AS engaged FROM sessions WHERE ${where} GROUP BY date`))
    days.set(r.date, { sessions: r.sessions, engaged: r.engaged, leads: 0, shoppers: 0 });
  const add = (date, values) => {
    const day = days.get(date);
    if (day) Object.assign(day, values);
  };
  const out = { leads: 0, leadSessions: 0, shoppers: 0, calls: 0 };
  if (site.event !== null)
    for (const r of rows(`SELECT date, sum(count) AS n, count(DISTINCT session_id) AS k FROM events
        WHERE ${where} AND name = '${site.event}' GROUP BY date`)) {
      add(r.date, { leads: r.n });
      out.leads += r.n;
      out.leadSessions += r.k;
    }
  if (site.pages)
    for (const r of rows(`SELECT date, count(DISTINCT session_id) AS k FROM events
        WHERE ${where} AND name IN (${quoted(PAGES)}) GROUP BY date`)) {
      add(r.date, { shoppers: r.k });
      out.shoppers += r.k;
    }
  out.calls = sum(rows(`SELECT sum(count) AS n FROM events WHERE ${where} AND name = 'asc_click_to_call' GROUP BY date`).map((r) => r.n));
  Object.assign(out, messagesOf(world, dealer, { from, to }));
  out.days = [...days.values()];
  out.sessions = sum(out.days.map((d) => d.sessions));
  out.engaged = sum(out.days.map((d) => d.engaged));
  return out;
}

// The equal number of days just before; undefined when one date is relative and the other is not, or for
// more than 400 days.
export function rangeBefore(range) {
  const ago = (text) => (text === 'today' ? 0 : text === 'yesterday' ? 1 : Number(/^(\d+)daysAgo$/.exec(text)?.[1] ?? NaN));
  const [start, end] = [ago(range.start_date), ago(range.end_date)];
  if (Number.isNaN(start) !== Number.isNaN(end)) return undefined;
  if (start - end + 1 > 400) return undefined;
  if (!Number.isNaN(start)) return { start_date: `${2 * start - end + 1}daysAgo`, end_date: `${start + 1}daysAgo` };
  const length = (Date.parse(range.end_date) - Date.parse(range.start_date)) / 86400000 + 1;
  if (length > 400) return undefined;
  return { start_date: daysBefore(range.start_date, length), end_date: daysBefore(range.start_date, 1) };
}

// Figures of a dealer in a period and the one before.
export function figuresOf(world, dealer, range, today) {
  const site = siteOf(world, dealer);
  const before = rangeBefore(range);
  const gone = lost(world, dealer, daysOf(dealer, range, today), today, before !== undefined);
  return {
    dealer,
    event: site.event,
    pages: site.pages,
    ...countsOf(world, dealer, daysOf(dealer, range, today), site),
    before: before && countsOf(world, dealer, daysOf(dealer, before, today), site),
    lost: gone.found,
    few: gone.few,
  };
}

// `share`: part of a whole. `judged`: carries a verdict; the rest of a share that does carries none.
export const METRICS = [
  { name: 'sessions', better: 'CONTEXT', count: true, parts: (f) => [f.sessions, 1] },
  { name: 'engaged_sessions', better: 'CONTEXT', count: true, parts: (f) => [f.engaged, 1] },
  { name: 'engagement_rate', better: 'HIGHER', share: true, judged: true, parts: (f) => [f.engaged, f.sessions] },
  { name: 'bounce_rate', better: 'LOWER', share: true, parts: (f) => [f.sessions - f.engaged, f.sessions] },
  { name: 'lead_events', better: 'CONTEXT', count: true, lead: true, parts: (f) => [f.leads, 1] },
  { name: 'leads_per_100_sessions', better: 'HIGHER', lead: true, judged: true, scale: 100, parts: (f) => [f.leads, f.sessions] },
  { name: 'shopper_sessions', better: 'CONTEXT', count: true, shopper: true, parts: (f) => [f.shoppers, 1] },
  { name: 'shopper_rate', better: 'HIGHER', share: true, shopper: true, judged: true, parts: (f) => [f.shoppers, f.sessions] },
  { name: 'leads_per_100_shopper_sessions', better: 'HIGHER', lead: true, shopper: true, judged: true, scale: 100,
    parts: (f) => [f.leads, f.shoppers] },
];

const sum = (list) => list.reduce((total, x) => total + x, 0);
const mean = (list) => (list.length === 0 ? undefined : sum(list) / list.length);
function median(list) {
  if (list.length === 0) return undefined;
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Whether what a metric counts is known of a dealer.
const known = (metric, f) => (!metric.lead || f.event !== null) && (!metric.shopper || f.pages);

// Whether a dealer has the metric beside those that count an event.
export const has = (metric, f, event) => metric.parts(f)[1] > 0 && known(metric, f) && (!metric.lead || f.event === event);
// A dealer that lost so many days has no rates to be measured by.
export const usable = (metric, f) => metric.count || !f.few;
// The dealers whose figures may be put beside each other: leads of the same event only, shoppers of
// sites that report them, and rates of dealers that had sessions.
function group(metric, figures, event) {
  return figures.filter((f) => has(metric, f, event) && usable(metric, f));
}
export const dispersionOf = (metric, figures) => (metric.count ? 1
  : dispersion(figures.filter((f) => known(metric, f) && usable(metric, f)).map((f) => f.days.map((d) => metric.parts(d))), metric.share));
export function valueOf(metric, f) {
  const [numerator, denominator] = metric.parts(f);
  return ((metric.scale ?? 1) * numerator) / denominator;
}
function pool(metric, figures) {
  return [sum(figures.map((f) => metric.parts(f)[0])), sum(figures.map((f) => metric.parts(f)[1]))];
}

function averageOf(metric, figures, event) {
  const members = group(metric, figures, event);
  const values = members.map((f) => valueOf(metric, f));
  const [numerator, denominator] = pool(metric, members);
  const pooled = metric.count ? numerator : ((metric.scale ?? 1) * numerator) / denominator;
  return {
    metric: metric.name,
    better: metric.better,
    pooled: members.length === 0 ? undefined : pooled,
    mean: mean(values),
    median: median(values),
    dealers: members.length,
  };
}

export const roleOf = (metric, f, asked) => (!metric.judged ? 'context' : !usable(metric, f) ? 'suspect' : asked ? 'judged' : 'beside');
// Judges every dealer's metrics, or only the subject's; the cells by dealer and metric.
function judgedCells(figures, subject) {
  const cells = [];
  for (const metric of METRICS) {
    const phi = dispersionOf(metric, figures);
    for (const f of figures) {
      const members = group(metric, figures, f.event);
      const others = members.filter((other) => other !== f);
      const cell = { f, metric, phi, share: metric.share };
      const asked = subject === null || f.dealer.dealer_id === subject;
      cell.role = roleOf(metric, f, asked);
      if (!metric.count && has(metric, f, f.event)) Object.assign(cell, { own: metric.parts(f), others: pool(metric, others) });
      if (metric.judged && members.includes(f))
        cell.unusual = unusual(members.map((m) => metric.parts(m)))[members.indexOf(f)];
      cells.push(cell);
    }
  }
  const tested = judge(cells);
  return { tested, of: (f, metric) => cells.find((c) => c.f === f && c.metric === metric) };
}

export const change = (before, now) => (before > 0 ? (100 * (now - before)) / before : undefined);

// Change against the period before: of the dealer, and of the others.
function changesOf(metric, figures, f, out) {
  if (f.before === undefined || f.lost) return {};
  const then = figures.map((x) => ({ ...x, ...x.before, dealer: x.dealer }));
  const own = then[figures.indexOf(f)];
  const members = group(metric, then, f.event);
  if (!members.includes(own)) return {};
  const change_percent = change(valueOf(metric, own), out.value);
  const others = members.filter((other) => other !== own && !other.lost);
  if (change_percent === undefined || out.benchmark === undefined || others.length === 0) return { change_percent };
  const [numerator, denominator] = pool(metric, others);
  const benchmark = metric.count ? mean(others.map((o) => valueOf(metric, o))) : ((metric.scale ?? 1) * numerator) / denominator;
  const [y, n] = pool(metric, group(metric, figures, f.event).filter((other) => other !== f && !other.lost));
  const now = group(metric, figures, f.event).filter((other) => other !== f && !other.lost);
  const after = metric.count ? mean(now.map((o) => valueOf(metric, o))) : ((metric.scale ?? 1) * y) / n;
  return { change_percent, others_change_percent: now.length > 0 ? change(benchmark, after) : undefined };
}

function indexOf(metric, figures, f, cells) {
  const cell = cells.of(f, metric);
  const out = { metric: metric.name, better: metric.better, standing: cell.standing };
  const others = group(metric, figures, f.event).filter((other) => other !== f);
  if (!has(metric, f, f.event)) return out;
  out.value = valueOf(metric, f);
  const values = others.map((other) => valueOf(metric, other));
  const before = (a, b) => (metric.better === 'LOWER' ? a < b : a > b);
  out.rank = 1 + values.filter((x) => before(x, out.value)).length;
  out.of = others.length + 1;
  if (others.length === 0) return { ...out, ...changesOf(metric, figures, f, out) };
  const worse = values.filter((x) => before(out.value, x)).length;
  const equal = values.filter((x) => x === out.value).length;
  out.percentile = (100 * (worse + equal / 2)) / others.length;
  const [numerator, denominator] = pool(metric, others);
  out.benchmark = metric.count ? mean(values) : ((metric.scale ?? 1) * numerator) / denominator;
  if (out.benchmark > 0) out.index = (100 * out.value) / out.benchmark;
  if (!metric.count && out.index !== undefined)
    Object.assign(out, {
      index_low: cell.low, index_high: cell.high, expected: cell.expected, q: cell.q, unusual_among_dealers: cell.unusual,
    });
  return withheld(metric, f, { ...out, ...changesOf(metric, figures, f, out) });
}
// What a dealer whose rates say nothing is not shown of them.
export function withheld(metric, f, out) {
  if (usable(metric, f)) return out;
  const { index, index_low, index_high, expected, percentile, q, unusual_among_dealers, rank, of, ...rest } = out;
  return rest;
}

// The verdicts of a dealer in a line.
function verdictsOf(f, cells) {
  const judged = METRICS.filter((metric) => metric.judged).map((metric) => ({ metric, standing: cells.of(f, metric).standing }));
  const clear = judged.filter(({ standing }) => standing === 'BETTER' || standing === 'WORSE');
  if (clear.length > 0) return clear.map(({ metric, standing }) => `${metric.name} ${standing.toLowerCase()}`).join(', ');
  if (judged.some(({ standing }) => standing === 'SUSPECT_DATA')) return 'suspect data';
  if (judged.some(({ standing }) => standing === 'NO_CLEAR_DIFFERENCE')) return 'none clear';
  return judged.some(({ standing }) => standing === 'BENCHMARK_WITHHELD') ? 'benchmark withheld' : 'too little data';
}

// The event whose leads stand for the region: the subject's, else the one most dealers count, of
// equals the one with more sessions behind it.
export function regionEvent(figures, subject) {
  const own = figures.find((f) => f.dealer.dealer_id === subject);
  if (own?.event) return own.event;
  const events = [...new Set(figures.map((f) => f.event).filter((event) => event !== null))];
  const weight = (event) => {
    const members = figures.filter((f) => f.event === event);
    return [members.length, sum(members.map((f) => f.sessions))];
  };
  return events.sort((a, b) => weight(b)[0] - weight(a)[0] || weight(b)[1] - weight(a)[1])[0] ?? null;
}

// Leads per 100 sessions drawn towards the pool (Marshall's moments).
function shrink(figures) {
  const n = sum(figures.map((f) => f.sessions)), m = sum(figures.map((f) => f.leads)) / n;
  const spread = sum(figures.map((f) => f.sessions * (f.leads / f.sessions - m) ** 2)) / n;
  const variance = Math.max(0, spread - m / (n / figures.length));
  const weight = (f) => (variance > 0 ? variance / (variance + m / f.sessions) : 0);
  return new Map(figures.map((f) => [f, 100 * (m + weight(f) * (f.leads / f.sessions - m))]));
}

// What compare_dealer_sessions should say of these figures. Sums of the region are the `pooled` of its
// counts. `all`: index rows of every dealer.
export function comparison(figures, subject, all) {
  const event = regionEvent(figures, subject);
  const cells = judgedCells(figures, subject);
  const { order, rows } = dealerRows(figures, subject, event, cells);
  return {
    cells_tested: cells.tested,
    dealers: rows,
    regional_average: {
      metrics: METRICS.map((metric) => averageOf(metric, figures, event)),
    },
    performance_index: order.filter((f) => all || f.dealer.dealer_id === subject).map((f) => ({
      dealer_id: f.dealer.dealer_id,
      metrics: METRICS.map((metric) => indexOf(metric, figures, f, cells)),
    })),
  };
}

// The dealers in their order, and a row for each.
export function dealerRows(figures, subject, event, cells) {
  const shrunk = subject === null ? shrink(figures.filter((f) => f.event !== null && f.event === event && f.sessions > 0)) : new Map();
  const order = [...figures].sort(
    (a, b) => (b.dealer.dealer_id === subject) - (a.dealer.dealer_id === subject) || (shrunk.get(b) ?? -1) - (shrunk.get(a) ?? -1) || b.sessions - a.sessions || (a.dealer.dealer_id < b.dealer.dealer_id ? -1 : 1),
  );
  const marks = { BETTER: '+', WORSE: '-', NO_CLEAR_DIFFERENCE: '=' };
  const rate = METRICS.find((metric) => metric.name === 'leads_per_100_sessions');
  const rows = order.map((f) => ({
    dealer_id: f.dealer.dealer_id,
    name: f.dealer.name,
    region: f.dealer.region,
    sessions: f.sessions,
    engaged_sessions: f.engaged,
    engagement_rate: f.sessions > 0 ? f.engaged / f.sessions : undefined,
    bounce_rate: f.sessions > 0 ? (f.sessions - f.engaged) / f.sessions : undefined,
    lead_events: f.event === null ? undefined : f.leads,
    lead_event: f.event ?? undefined,
    leads_per_100_sessions: f.event !== null && f.sessions > 0 ? (100 * f.leads) / f.sessions : undefined,
    subject: f.dealer.dealer_id === subject,
    lead_kind: f.event === null ? undefined : 'form',
    lead_sessions: f.event === null ? undefined : f.leadSessions,
    shopper_sessions: f.pages ? f.shoppers : undefined,
    shopper_rate: f.pages && f.sessions > 0 ? f.shoppers / f.sessions : undefined,
    leads_per_100_shopper_sessions: f.event !== null && f.pages && f.shoppers > 0 ? (100 * f.leads) / f.shoppers : undefined,
    calls: f.calls,
    chats: f.chats,
    live_chats: f.liveChats,
    texts: f.texts,
    appointments: 0,
    verdicts: subject === null || f.dealer.dealer_id === subject ? verdictsOf(f, cells) : undefined,
    leads_per_100_shrunk: shrunk.get(f),
    mark: subject === null ? marks[cells.of(f, rate).standing] ?? '?' : undefined,
  }));
  return { order, rows };
}

// Numbers to 1e-9 relative (whole numbers exactly), everything else as it is; a key that is absent
// on one side must be absent on the other.
export function assertSame(actual, expected, where = '') {
  if (typeof expected === 'number' && typeof actual === 'number') {
    const tolerance = Number.isInteger(expected) && Number.isInteger(actual) ? 0 : 1e-9 * Math.abs(expected);
    if (Math.abs(actual - expected) > tolerance) assert.fail(`${where}: ${actual} instead of ${expected}`);
  } else if (Array.isArray(expected) && Array.isArray(actual)) {
    assert.equal(actual.length, expected.length, `${where}: number of items`);
    expected.forEach((item, i) => assertSame(actual[i], item, `${where}[${i}]`));
  } else if (expected !== null && typeof expected === 'object' && actual !== null && typeof actual === 'object') {
    const keys = (o) => Object.keys(o).filter((key) => o[key] !== undefined).sort();
    assert.deepEqual(keys(actual), keys(expected), `${where}: keys`);
    for (const key of keys(expected)) assertSame(actual[key], expected[key], `${where}.${key}`);
  } else {
    assert.equal(actual, expected, where);
  }
}

// Compares the figures of an answer with those of these dealers; `all` as it was asked for.
export function assertComparison(answer, figures, subject, where = '', all = false) {
  const { cells_tested, dealers, regional_average, performance_index } = answer;
  assertSame({ cells_tested, dealers, regional_average, performance_index }, comparison(figures, subject, all), where);
}
