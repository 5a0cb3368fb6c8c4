// What explain_change should answer, by SQL over the world's tables and plain arithmetic. Nothing here is
// shared with the product: the rules come from proto/ and docs/internals.
import fs from 'node:fs';
import path from 'node:path';
import { daysOf, lost, siteOf } from './truth.mjs';
import { basesOf, byDealer, outward, pooled, refused, refusedUnit, releasedPool, roundedEvents } from './truth_disclosure.mjs';
import { dispersion, normalP } from './truth_verdict.mjs';
import { daysBefore, ROOT } from './world.mjs';

const Z = 1.959963984540054;
const DAY = 86_400_000;
const sum = (list) => list.reduce((total, x) => total + x, 0);
const number = (day) => Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`) / DAY;
const lengthOf = (range) => (Date.parse(range.end_date) - Date.parse(range.start_date)) / DAY + 1;

// Each metric: parts [numerator, denominator] of counts { sessions, engaged, leads }.
const METRICS = {
  sessions: { count: true, scale: 1, of: (c) => c.sessions },
  lead_events: { count: true, lead: true, scale: 1, of: (c) => c.leads },
  leads_per_100_sessions: { lead: true, scale: 100, of: (c) => c.leads },
  engagement_rate: { share: true, scale: 1, of: (c) => c.engaged },
};
export const METRIC_NAMES = Object.keys(METRICS);
const parts = (m, c) => [m.of(c), m.count ? 1 : c.sessions];

const catalogue = new Set(
  JSON.parse(fs.readFileSync(path.join(ROOT, 'config/vehicles.json'), 'utf8')).makes.flatMap((make) => make.models.map((x) => `${make.name} ${x.name}`)));

// The type and the model of a page, from the simulator's own table of pages.
const TYPES = { home: 'home', item: 'vehicle', itemlist: 'list', specials: 'specials', service: 'service', parts: 'parts', finance: 'finance',
  trade: 'trade', contact: 'contact', custom: 'contact', directions: 'contact' };
const pagesOf = new Map();
export function pages(world, d) {
  const key = `${world.file} ${d.property_id}`;
  if (!pagesOf.has(key)) {
    const rows = world.all(`SELECT p.path, p.page_type, v.item_make, v.item_model, v.item_variant, v.item_condition FROM pages p LEFT JOIN vehicles v USING (page_id)
      WHERE p.property_id = ?`, d.property_id);
    pagesOf.set(key, new Map(rows.map((row) => {
      const model = row.item_make ? `${row.item_make} ${row.item_model}` : undefined;
      const other = `${model} ${row.item_variant}`; // a trim that makes another model's name
      const inPath = model && catalogue.has(other) && row.path.toLowerCase().includes(`-${row.item_variant.toLowerCase()}-`);
      return [row.path, { type: TYPES[row.page_type], model: inPath ? other : model, condition: row.item_condition === 'new' ? 'new' : 'used' }];
    })));
  }
  return pagesOf.get(key);
}
export const unset = (text) => (text === '' ? '(not set)' : text);
export function pageOf(world, d, landing) {
  if (unset(landing) === '(not set)') return { type: '(not set)' };
  if (landing.startsWith('(')) return { type: '(other)' };
  return pages(world, d).get(landing);
}

// Counts of a dealer by a list of SQL columns.
function countsBy(world, d, { from, to }, event, columns) {
  const names = columns.map((c, i) => `${c} AS c${i}`).join(', '), group = columns.map((_, i) => `c${i}`).join(', ');
  const found = new Map();
  const at = (row) => {
    const key = JSON.stringify(columns.map((_, i) => row[`c${i}`]));
    if (!found.has(key)) found.set(key, { values: columns.map((_, i) => row[`c${i}`]), sessions: 0, engaged: 0, leads: 0 });
    return found.get(key);
  };
  for (const row of world.all(`SELECT ${names}, count(*) AS n, sum(engaged) AS e FROM sessions s WHERE s.property_id = ? AND s.date BETWEEN ? AND ? GROUP BY ${group}`,
    d.property_id, from, to)) {
    at(row).sessions += row.n;
    at(row).engaged += row.e;
  }
  if (event !== null)
    for (const row of world.all(`SELECT ${names}, sum(e.count) AS n FROM events e JOIN sessions s USING (session_id)
        WHERE e.property_id = ? AND e.date BETWEEN ? AND ? AND e.name = ? GROUP BY ${group}`, d.property_id, from, to, event))
      at(row).leads += row.n;
  return [...found.values()];
}
const total = (list) => ({ sessions: sum(list.map((c) => c.sessions)), engaged: sum(list.map((c) => c.engaged)), leads: sum(list.map((c) => c.leads)) });

// One period of a dealer: its sum, and a place for each day from its first to its last.
function periodOf(world, d, range, event) {
  const days = countsBy(world, d, range.from ? range : daysOf(d, range), event, ['s.date']);
  const at = days.map((c) => number(c.values[0]));
  const first = Math.min(...at), last = Math.max(...at);
  const list = days.length === 0 ? [] : Array.from({ length: last - first + 1 }, (_, i) => days[at.indexOf(first + i)] ?? { sessions: 0, engaged: 0, leads: 0 });
  return { ...total(days), days: list };
}

// Days as the over-dispersion wants them: all of a rate, weekday by weekday of a count.
function series(m, days) {
  const list = days.map((c) => parts(m, c));
  return m.count ? Array.from({ length: 7 }, (_, w) => list.filter((_, i) => i % 7 === w)) : [list];
}

export function measure({ before: [y1, n1], after: [y2, n2], phi }, share) {
  if (!(y1 > 0) || !(n1 > 0) || !(n2 > 0)) return undefined;
  if (y2 === 0) {
    const limit = (1 - 1 / 9 + Z / 3) ** 3;
    return { ratio: 0, low: 0, high: (limit * phi) / ((y1 / n1) * n2), se: 0, p: Math.min(1, 2 * (n1 / (n1 + n2)) ** (y1 / phi)) };
  }
  const variance = (y, n) => (phi / y) * (share ? 1 - y / n : 1);
  const se = Math.sqrt(variance(y1, n1) + variance(y2, n2)), ratio = y2 / n2 / (y1 / n1);
  return { ratio, low: ratio * Math.exp(-Z * se), high: ratio * Math.exp(Z * se), se, p: se > 0 ? normalP(Math.log(ratio) / se) : Number(ratio === 1) };
}
export const enough = ({ before: [y, n], after: [, m] }) => y >= 20 && (y / n) * m >= 10;

function judge(own, market, share, suspect, withheld) {
  const change = own && measure(own, share), of = market && measure(market, share);
  const tests = [];
  const add = (c) => (tests.push(c), c);
  const first = change && !suspect && enough(own) ? add(change) : undefined;
  let relative, second;
  if (change && of && change.se > 0 && of.se > 0) {
    const se = Math.hypot(change.se, of.se), ratio = change.ratio / of.ratio;
    relative = { ratio, low: ratio * Math.exp(-Z * se), high: ratio * Math.exp(Z * se), p: normalP(Math.log(ratio) / se) };
    if (first && enough(market)) second = add(relative);
  }
  let least = 1;
  [...tests].sort((a, b) => b.p - a.p).forEach((t, i) => { t.q = least = Math.min(least, (t.p * tests.length) / (tests.length - i)); });
  const word = (t) => {
    if (suspect) return 'suspect_data';
    if (!t) return 'too_little_data';
    if (!(t.low > 1 || t.high < 1) || t.q > 0.05 || Math.abs(t.ratio - 1) < 0.05) return 'no_clear_change';
    return t.ratio > 1 ? 'rising' : 'falling';
  };
  return { change, of, relative, verdict: word(first), against_market: !suspect && withheld ? 'benchmark_withheld' : word(second) };
}

// The market of a caller who does not see all of it: what is released of the outside dealers.
// `spans`: of each period and week or month in it, functions from a member to its counts and to whether it lost days.
function released(name, m, outside, phi, rates, spans) {
  const list = (f, of) => f.map(of);
  if (m.count) {
    // Pairs of weeks, each dealer with those of which it has both.
    const of = (x, pair) => ({ owner: x.dealer.owner, n: m.of(pair.then), y: m.of(pair.now) });
    const ok = (pair) => !pair.lost && pair.now.sessions > 0 && pair.then.sessions > 0;
    const weeks = (outside[0]?.pairs ?? []).map((_, k) => outside.filter((x) => ok(x.pairs[k])).map((x) => of(x, x.pairs[k])));
    const cell = list(outside.filter((x) => x.pairs.some(ok)), (x) => {
      const its = x.pairs.filter(ok).map((pair) => of(x, pair));
      return { owner: x.dealer.owner, n: sum(its.map((c) => c.n)), y: sum(its.map((c) => c.y)) };
    });
    const code = refused(cell) ?? weeks.map((week) => refusedUnit(week)).find((c) => c !== undefined);
    if (code) return { code };
    const before = sum(cell.map((c) => c.n)), after = sum(cell.map((c) => c.y)), ratio = pooled(after, before);
    const a = roundedEvents(after), b = roundedEvents(before), exposure = 1e9;
    return ratio > 0 && a > 0 && b > 0 ? { market: { before: [b, exposure], after: [a, Math.round((exposure * a) / (b * ratio))], phi } } : {};
  }
  // A period is the sum of its weeks or months, each of which must pass by itself, too: a dealer is in it with those
  // in which it has rates.
  const weeks = ['now', 'then'].map((when) => spans[when].map(({ of, few }) => outside.filter((x) => !few(x) && of(x).sessions > 0)
    .map((x) => ({ dealer: x.dealer, owner: x.dealer.owner, n: of(x).sessions, y: m.of(of(x)) }))));
  const cells = weeks.map(byDealer);
  const codes = cells.map((cell, i) => refused(cell, { share: m.share })
    ?? weeks[i].map((week) => refusedUnit(week, { share: m.share })).find((code) => code !== undefined));
  if (codes[0] || codes[1]) return { code: codes[0] ?? codes[1] };
  const [after, before] = cells.map((cell) => releasedPool(sum(cell.map((c) => c.y)), sum(cell.map((c) => c.n)), m.scale));
  return { market: { before, after, phi: Math.max(rates.now, rates.then) } };
}

const weeksOf = (world, range) => basesOf(range).map((base) => {
  const kept = new Map();
  const of = ({ dealer, event }) => {
    if (!kept.has(dealer)) kept.set(dealer, total(countsBy(world, dealer, base, event, ['s.date'])));
    return kept.get(dealer);
  };
  return { of, few: ({ dealer }) => lost(world, dealer, base).few };
});

const AXES = {
  channel: (world, d, [channel]) => unset(channel),
  device: (world, d, [, device]) => unset(device),
  page_type: (world, d, [, , , landing]) => pageOf(world, d, landing).type,
  model: (world, d, [, , , landing]) => pageOf(world, d, landing).model ?? '(no model)',
  city: (world, d, [, , city]) => unset(city),
};

function axisOf(world, d, m, name, now, then, move, market) {
  const values = new Map();
  const add = (list, when) => {
    for (const c of list) {
      const label = AXES[name](world, d, c.values);
      if (!values.has(label)) values.set(label, { label, now: { sessions: 0, engaged: 0, leads: 0 }, then: { sessions: 0, engaged: 0, leads: 0 } });
      const to = values.get(label)[when];
      for (const key of ['sessions', 'engaged', 'leads']) to[key] += c[key];
    }
  };
  add(now, 'now');
  add(then, 'then');
  const list = [...values.values()];
  const N = sum(list.map((v) => v.now.sessions)), M = sum(list.map((v) => v.then.sessions));
  const rate = (c) => (c.sessions > 0 ? m.of(c) / c.sessions : undefined);
  const all = m.count || !N || !M ? 0 : (sum(list.map((v) => m.of(v.now))) / N + sum(list.map((v) => m.of(v.then))) / M) / 2;
  let mix = 0, within = 0;
  for (const v of list) {
    if (m.count) {
      v.contribution = m.of(v.now) - m.of(v.then);
      continue;
    }
    v.contribution = 0;
    if (!N || !M) continue;
    const s = v.now.sessions / N, S = v.then.sessions / M;
    const r = rate(v.now) ?? rate(v.then) ?? 0, p = rate(v.then) ?? rate(v.now) ?? 0;
    mix += m.scale * (s - S) * ((r + p) / 2);
    within += m.scale * (r - p) * ((s + S) / 2);
    v.contribution = m.scale * ((s - S) * ((r + p) / 2 - all) + (r - p) * ((s + S) / 2));
  }
  const places = list.filter((v) => v.label !== '(other)').sort((a, b) =>
    Math.abs(b.contribution) - Math.abs(a.contribution) || (a.label < b.label ? -1 : 1));
  return { axis: { axis: name, mix, within }, places, other: list.find((v) => v.label === '(other)'), value: (c) => (m.count ? m.of(c) : c.sessions > 0 ? (m.scale * m.of(c)) / c.sessions : undefined), move, market, m };
}

// { dealer, visible } of the cohort that could be read; the subject's id; the later range.
export function explained(world, members, subject, range, name, a_year_ago) {
  const m = METRICS[name];
  const shift = a_year_ago ? 364 : lengthOf(range);
  const before = { start_date: daysBefore(range.start_date, shift), end_date: daysBefore(range.end_date, shift) };
  const all = members.map(({ dealer, visible }) => {
    const { event } = siteOf(world, dealer);
    const gone = [range, before].map((r) => lost(world, dealer, daysOf(dealer, r)));
    return { dealer, visible, event, lost: gone.some((l) => l.found), few: gone.some((l) => l.few), now: periodOf(world, dealer, range, event), then: periodOf(world, dealer, before, event) };
  });
  const own = all.find((x) => x.dealer.dealer_id === subject);
  const known = !m.lead || own.event !== null;
  const counting = all.filter((x) => (!m.lead || x.event !== null) && (m.count || !x.few));
  const phiOf = (list) => dispersion(list.flatMap((x) => [...series(m, x.now.days), ...series(m, x.then.days)]), m.share);
  // The own change rests on the dealers that the caller may see, a release on all.
  const phi = phiOf(counting.filter((x) => x.visible)), phiOfAll = phiOf(counting);
  const rates = { now: dispersion(counting.map((x) => x.now.days.map((c) => parts(m, c))), m.share), then: dispersion(counting.map((x) => x.then.days.map((c) => parts(m, c))), m.share) };
  const days = lengthOf(range);
  const pair = (c) => [m.of(c), m.count ? days : c.sessions];
  const mine = known ? { before: pair(own.then), after: pair(own.now), phi } : undefined;
  const same = all.filter((x) => !m.lead || x.event === own.event);
  const restricted = all.some((x) => !x.visible);
  let market, code;
  if (restricted) {
    const outside = same.filter((x) => !x.visible);
    const spans = [range, before].map(basesOf);
    const week = (x, base) => ({ ...periodOf(world, x.dealer, base, x.event), lost: lost(world, x.dealer, base).found });
    if (m.count)
      for (const x of outside)
        x.pairs = spans[0].map((base, k) => {
          const [now, then] = [week(x, base), week(x, spans[1][k])];
          return { now, then, lost: now.lost || then.lost };
        });
    ({ market, code } = released(name, m, outside, phiOfAll, rates, { now: weeksOf(world, range), then: weeksOf(world, before) }));
  } else {
    const others = same.filter((x) => x !== own && !x.lost && x.now.sessions > 0 && x.then.sessions > 0);
    if (others.length > 0) market = { before: pair(total(others.map((x) => x.then))), after: pair(total(others.map((x) => x.now))), phi };
  }
  const j = judge(mine, market, m.share, own.lost, code);
  const percent = (x) => (restricted ? Math.round(100 * (x - 1)) : 100 * (x - 1));
  const bounds = j.relative && (restricted ? outward([100 * j.relative.low, 100 * j.relative.high]) : [100 * j.relative.low, 100 * j.relative.high]);
  const value = (c) => (!known ? undefined : m.count ? m.of(c) : c.sessions > 0 ? (m.scale * m.of(c)) / c.sessions : undefined);
  const change = {
    before: m.count && own.then.sessions === 0 ? (known ? 0 : undefined) : value(own.then),
    after: value(own.now),
    change_percent: j.change && 100 * (j.change.ratio - 1), low_percent: j.change && 100 * (j.change.low - 1), high_percent: j.change && 100 * (j.change.high - 1),
    market_percent: j.of && percent(j.of.ratio),
    relative_percent: j.relative && percent(j.relative.ratio), relative_low_percent: bounds && bounds[0] - 100, relative_high_percent: bounds && bounds[1] - 100,
    verdict: j.verdict, against_market: j.against_market, suppressed: code,
  };
  const move = change.before !== undefined && change.after !== undefined ? change.after - change.before : 0;
  const columns = ['s.channel', 's.device', 's.city', 's.landing_page'];
  const rows = known ? [range, before].map((r) => countsBy(world, own.dealer, daysOf(own.dealer, r), m.lead ? own.event : null, columns)) : undefined;
  const axes = known ? Object.keys(AXES).map((axis) => axisOf(world, own.dealer, m, axis, rows[0], rows[1], move, change.market_percent)) : [];
  return {
    facts: { dealer_id: subject, metric: name, lead_event: m.lead ? own.event ?? undefined : undefined, before_start: before.start_date, before_end: before.end_date },
    change, axes: m.count ? [] : axes.map((a) => a.axis), parts: axes,
  };
}
