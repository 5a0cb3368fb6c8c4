// What the tools should answer, by SQL over the world's tables and plain arithmetic. Nothing here is
// shared with the product: the rules come from proto/ and docs/internals.
import assert from 'node:assert/strict';
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

// Sessions, engaged sessions and leads of a dealer.
export function figuresOf(world, dealer, range, today) {
  const { from, to } = daysOf(dealer, range, today);
  const where = 'property_id = ? AND date BETWEEN ? AND ?';
  const visits = world.one(
    `SELECT count(*) AS sessions, coalesce(sum(engaged), 0) AS engaged FROM sessions WHERE ${where}`,
    dealer.property_id, from, to,
  );
  const events = new Map(
    world
      .all(`SELECT name, sum(count) AS n FROM events WHERE ${where} GROUP BY name`, dealer.property_id, from, to)
      .map((row) => [row.name, row.n]),
  );
  const event = dealer.lead_event || LEADS.find((name) => events.get(name) > 0) || null;
  return { dealer, ...visits, event, leads: event === null ? 0 : (events.get(event) ?? 0) };
}

const METRICS = [
  { name: 'sessions', better: 'CONTEXT', parts: (f) => [f.sessions, 1] },
  { name: 'engaged_sessions', better: 'CONTEXT', parts: (f) => [f.engaged, 1] },
  { name: 'engagement_rate', better: 'HIGHER', parts: (f) => [f.engaged, f.sessions] },
  { name: 'bounce_rate', better: 'LOWER', parts: (f) => [f.sessions - f.engaged, f.sessions] },
  { name: 'lead_events', better: 'CONTEXT', lead: true, parts: (f) => [f.leads, 1] },
  { name: 'leads_per_100_sessions', better: 'HIGHER', lead: true, scale: 100, parts: (f) => [f.leads, f.sessions] },
];

const sum = (list) => list.reduce((total, x) => total + x, 0);
const mean = (list) => (list.length === 0 ? undefined : sum(list) / list.length);
function median(list) {
  if (list.length === 0) return undefined;
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The dealers whose figures may be put beside each other: leads of the same event only, and rates
// of dealers that had sessions.
function group(metric, figures, event) {
  return figures.filter((f) => metric.parts(f)[1] > 0 && (!metric.lead || (f.event !== null && f.event === event)));
}
function valueOf(metric, f) {
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
  const count = metric.better === 'CONTEXT';
  const pooled = count ? numerator : ((metric.scale ?? 1) * numerator) / denominator;
  return {
    metric: metric.name,
    better: metric.better,
    pooled: members.length === 0 ? undefined : pooled,
    mean: mean(values),
    median: median(values),
    dealers: members.length,
  };
}

function standingOf(metric, own, others) {
  if (metric.better === 'CONTEXT') return 'CONTEXT_ONLY';
  if (own === undefined || others[1] === 0 || others[0] === 0) return 'TOO_LITTLE_DATA';
  const expected = (others[0] / others[1]) * own[1];
  if ((own[0] < 10 && expected < 10) || others[0] < 20) return 'TOO_LITTLE_DATA';
  const [a, b] = [100n * BigInt(own[0]) * BigInt(others[1]), BigInt(others[0]) * BigInt(own[1])];
  const better = metric.better === 'HIGHER' ? 'BETTER' : 'WORSE';
  const worse = metric.better === 'HIGHER' ? 'WORSE' : 'BETTER';
  return a >= 105n * b ? better : a <= 95n * b ? worse : 'SIMILAR';
}

function indexOf(metric, figures, f) {
  const out = { metric: metric.name, better: metric.better, rank: 0, of: 0, standing: standingOf(metric) };
  const members = group(metric, figures, f.event);
  if (!members.includes(f)) return out;
  const others = members.filter((other) => other !== f);
  out.value = valueOf(metric, f);
  const values = others.map((other) => valueOf(metric, other));
  const before = (a, b) => (metric.better === 'LOWER' ? a < b : a > b);
  out.rank = 1 + values.filter((x) => before(x, out.value)).length;
  out.of = members.length;
  if (others.length === 0) return out;
  const worse = values.filter((x) => before(out.value, x)).length;
  const equal = values.filter((x) => x === out.value).length;
  out.percentile = (100 * (worse + equal / 2)) / others.length;
  const [numerator, denominator] = pool(metric, others);
  out.benchmark = metric.better === 'CONTEXT' ? mean(values) : ((metric.scale ?? 1) * numerator) / denominator;
  if (out.benchmark > 0) out.index = (100 * out.value) / out.benchmark;
  out.standing = standingOf(metric, metric.parts(f), [numerator, denominator]);
  return out;
}

// The event whose leads stand for the region: the subject's, else the one most dealers count, of
// equals the one with more sessions behind it.
function regionEvent(figures, subject) {
  const own = figures.find((f) => f.dealer.dealer_id === subject);
  if (own?.event) return own.event;
  const events = [...new Set(figures.map((f) => f.event).filter((event) => event !== null))];
  const weight = (event) => {
    const members = figures.filter((f) => f.event === event);
    return [members.length, sum(members.map((f) => f.sessions))];
  };
  return events.sort((a, b) => weight(b)[0] - weight(a)[0] || weight(b)[1] - weight(a)[1])[0] ?? null;
}

// What compare_dealer_sessions should say of these figures. Sums of the region are the `pooled` of its
// counts.
export function comparison(figures, subject) {
  const order = [...figures].sort(
    (a, b) => b.sessions - a.sessions || (a.dealer.dealer_id < b.dealer.dealer_id ? -1 : 1),
  );
  const event = regionEvent(figures, subject);
  return {
    dealers: order.map((f) => ({
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
    })),
    regional_average: {
      metrics: METRICS.map((metric) => averageOf(metric, figures, event)),
    },
    performance_index: order.map((f) => ({
      dealer_id: f.dealer.dealer_id,
      metrics: METRICS.map((metric) => indexOf(metric, figures, f)),
    })),
  };
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

// Compares the figures of an answer with those of these dealers.
export function assertComparison(answer, figures, subject, where = '') {
  const { dealers, regional_average, performance_index } = answer;
  assertSame({ dealers, regional_average, performance_index }, comparison(figures, subject), where);
}
