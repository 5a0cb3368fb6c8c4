// What run_report_across_dealers should answer with compare_to or subject, by SQL over the world's tables
// and plain arithmetic. Nothing here is shared with the product.
import { daysOf } from './truth.mjs';
import { compact, daysBefore } from './world.mjs';
import { enough, measure } from './truth_explain.mjs';
import { dispersion, judge, normalP } from './truth_verdict.mjs';

const Z = 1.959963984540054;
const DAY = 86_400_000;
const sum = (list) => list.reduce((total, x) => total + x, 0);
const lengthOf = (range) => (Date.parse(range.end_date) - Date.parse(range.start_date)) / DAY + 1;

// Each metric: SQL of what is above the line and below it; what it is made of.
export const METRICS = {
  sessions: { above: 'count(*)', count: true },
  engagedSessions: { above: 'sum(engaged)', count: true },
  screenPageViews: { above: 'sum(page_views)', count: true },
  userEngagementDuration: { above: 'sum(engagement_s)', uncounted: true, perDay: true },
  engagementRate: { above: 'sum(engaged)', below: 'count(*)', share: true, better: 1 },
  bounceRate: { above: 'sum(1 - engaged)', below: 'count(*)', share: true, better: -1 },
  screenPageViewsPerSession: { above: 'sum(page_views)', below: 'count(*)' },
  averageSessionDuration: { above: 'sum(duration_s)', below: 'count(*)', uncounted: true },
  totalUsers: { above: 'count(DISTINCT user_id)', people: true, uncounted: true },
};
export const DIMENSIONS = { sessionDefaultChannelGroup: 'channel', deviceCategory: 'device', sessionMedium: 'medium', sessionSource: 'source' };

// Rows of one dealer in one period: of each key the parts of each metric.
function rowsOf(world, d, range, dimensions, metrics) {
  const { from, to } = daysOf(d, range);
  const keys = dimensions.map((name) => DIMENSIONS[name] ?? name);
  const columns = metrics.flatMap((name, i) => [`${METRICS[name].above} AS a${i}`, `${METRICS[name].below ?? 1} AS b${i}`]);
  const rows = world.all(`SELECT ${[...keys.map((k, i) => `${k} AS k${i}`), ...columns].join(', ')} FROM sessions s WHERE s.property_id = ? AND s.date BETWEEN ? AND ?
    ${keys.length > 0 ? `GROUP BY ${keys.join(', ')}` : 'HAVING count(*) > 0'}`, d.property_id, from, to);
  return rows.map((row) => ({ key: keys.map((_, i) => row[`k${i}`]), parts: metrics.map((_, i) => [Number(row[`a${i}`] ?? 0), Number(row[`b${i}`] ?? 0)]) }));
}

// Lists of days [above, below] whose variation counts: a rate's days; of two weeks and more a count's days
// weekday by weekday.
function seriesOf(world, d, range, m, name) {
  const number = (date) => Date.parse(`${String(date).slice(0, 4)}-${String(date).slice(4, 6)}-${String(date).slice(6)}T00:00:00Z`) / DAY;
  const days = rowsOf(world, d, range, ['s.date'], [name]).map((row) => [number(row.key[0]), row.parts[0]]);
  if (days.length === 0) return [];
  const first = Math.min(...days.map(([day]) => day)), n = Math.max(...days.map(([day]) => day)) - first + 1;
  const list = Array.from({ length: n }, () => [0, m.below ? 0 : 1]);
  for (const [day, [above, below]] of days) list[day - first] = [above, m.below ? below : 1];
  if (m.below || n < 14) return [list];
  return Array.from({ length: 7 }, (_, w) => list.filter((_, i) => i % 7 === w));
}
// undefined where no day can be compared with another.
function phiOf(world, dealers, ranges, name) {
  const m = METRICS[name];
  const lists = dealers.flatMap((d) => ranges.flatMap((range) => seriesOf(world, d, range, m, name)));
  const usable = lists.filter((days) => {
    const with_ = days.filter(([, n]) => n > 0), y = sum(with_.map(([k]) => k)), n = sum(with_.map(([, k]) => k));
    return with_.length >= 2 && y > 0 && !(m.share && y >= n);
  });
  return usable.length > 0 ? dispersion(lists, Boolean(m.share)) : undefined;
}

// Whether nothing that is counted happened at a dealer on 3 or more finished days of a period, with 5 a day on others.
function isLost(world, d, ranges, names) {
  const counted = names.filter((name) => !METRICS[name].uncounted);
  const finished = Number(compact(daysBefore(new Date(Date.now() - 12 * 3600_000).toISOString().slice(0, 10), 3)));
  let days = 0, total = 0, most = 0;
  for (const range of ranges) {
    const active = new Map(rowsOf(world, d, range, ['s.date'], counted).map((row) =>
      [Number(row.key[0]), Math.max(0, ...row.parts.map(([above, below], k) => (METRICS[counted[k]].below ? below : above)))]));
    const { from, to } = daysOf(d, range);
    let lost = 0;
    for (let day = `${from.slice(0, 4)}-${from.slice(4, 6)}-${from.slice(6)}`; compact(day) <= to; day = daysBefore(day, -1)) {
      const x = active.get(Number(compact(day))) ?? 0;
      days += x > 0; total += x; lost += x === 0 && Number(compact(day)) <= finished;
    }
    most = Math.max(most, lost);
  }
  return days > 0 && total >= 5 * days && most >= 3;
}

const value = (m, [above, below]) => (m.below ? (below > 0 ? above / below : 0) : above);
function add(parts, more) {
  more.forEach(([a, b], k) => { parts[k][0] += a; parts[k][1] += b; });
}
function sameWeekdays(a, b) {
  const [m, n] = [lengthOf(a), lengthOf(b)];
  return (m % 7 === 0 && n % 7 === 0) || (m >= 28 && n >= 28) || (m === n && ((Date.parse(a.start_date) - Date.parse(b.start_date)) / DAY) % 7 === 0);
}
const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

// { compared, tested }: rows in the order of the answer.
export function compared(world, dealers, { dimensions, metrics, date_range, compare_to, by, subject, limit }) {
  const parts = by === 'dealer' && !subject ? dealers.map((d) => [d.dealer_id, [d]])
    : by === 'region' ? [...Map.groupBy(dealers, (d) => d.region)]
      : by === 'group' ? groupsOf(dealers) : [['', dealers]];
  const names = metrics.filter((name) => !METRICS[name].people || (by === 'dealer' && !subject));
  const phis = names.map((name) => phiOf(world, dealers, compare_to ? [date_range, compare_to] : [date_range], name));
  const ranges = compare_to ? [date_range, compare_to] : [date_range];
  const lost = compare_to ? dealers.filter((d) => isLost(world, d, ranges, names)) : [];
  const lostOthers = subject !== undefined && lost.some((d) => d.dealer_id !== subject);
  const all = parts.flatMap(([of, members]) => {
    const rows = new Map();
    const lostIn = members.some((d) => lost.includes(d) && (!subject || d.dealer_id === subject));
    for (const d of members)
      ranges.forEach((range, period) => {
        for (const row of rowsOf(world, d, range, dimensions, names)) {
          const id = JSON.stringify(row.key);
          if (!rows.has(id)) rows.set(id, { of, key: row.key, lostIn, cells: [0, 1, 2, 3].map(() => names.map(() => [0, 0])) });
          add(rows.get(id).cells[period + (subject && d.dealer_id !== subject ? 2 : 0)], row.parts);
        }
      });
    const first = METRICS[names[0]];
    // A mean is the same for an order when it is the same to seven digits.
    const round = (x) => (first.below ? Math.fround(x) : x);
    const size = (row, side) => round(Math.max(value(first, row.cells[side][0]), compare_to ? value(first, row.cells[side + 1][0]) : 0));
    return [...rows.values()].sort((x, y) => size(y, 0) - size(x, 0) || (subject ? size(y, 2) - size(x, 2) : 0)
      || x.key.map((k, i) => byBytes(k, y.key[i])).find((c) => c !== 0) || 0);
  });
  const facts = all.map((row) => names.map((name, k) => (compare_to ? change : standing)({ row, k, m: METRICS[name], name, metrics, phi: phis[k], all, date_range, compare_to, subject, dimensions, lostOthers })));
  const cells = facts.flat();
  const tested = compare_to ? judgeChanges(cells) : judge(cells.map((c) => c.cell).filter(Boolean));
  const count = new Map();
  const shown = all.flatMap((row, i) => {
    count.set(row.of, (count.get(row.of) ?? 0) + 1);
    if (count.get(row.of) > limit) return [];
    return names.map((name, k) => ({
      ...(row.of !== '' && { of: row.of }), ...Object.fromEntries(dimensions.map((d, j) => [d, row.key[j]])), metric: name,
      value: value(METRICS[name], row.cells[0][k]), ...(subject && { others: value(METRICS[name], row.cells[2][k]) }), ...facts[i][k].shown(),
    }));
  });
  return { shown, tested, rows: all.length };
}

function groupsOf(dealers) {
  const groups = new Map();
  for (const d of dealers) for (const g of new Set([d.owner_group, d.make_group])) groups.set(g, [...(groups.get(g) ?? []), d]);
  return [...groups];
}

const percent = (ratio) => 100 * (ratio - 1);

function change({ row, k, m, name, metrics, phi, date_range, compare_to, subject, lostOthers }) {
  const days = [lengthOf(date_range), lengthOf(compare_to)];
  const pair = (side) => {
    if (m.uncounted || phi === undefined) return undefined;
    const at = (period) => (m.below ? row.cells[side + period][k] : [row.cells[side + period][k][0], days[period]]);
    return { before: at(1), after: at(0), phi };
  };
  const judged = !m.uncounted && !(name === 'bounceRate' && metrics.includes('engagementRate')) && (m.below || sameWeekdays(date_range, compare_to));
  const own = pair(0), market = subject ? pair(2) : undefined;
  const a = own && measure(own, m.share), b = market && measure(market, m.share);
  const out = { tests: [] };
  const suspect = !m.below && row.lostIn, suspectOthers = suspect || (!m.below && lostOthers);
  if (judged && !suspect && a && enough(own)) out.tests.push((out.first = { ...a }));
  if (a && b && a.se > 0 && b.se > 0) {
    const se = Math.hypot(a.se, b.se), ratio = a.ratio / b.ratio;
    out.relative = { ratio, low: ratio * Math.exp(-Z * se), high: ratio * Math.exp(Z * se), p: normalP(Math.log(ratio) / se) };
    if (judged && !suspectOthers && enough(own) && enough(market)) out.tests.push((out.second = out.relative));
  }
  const raw = (side) => {
    const [after, before] = [value(m, row.cells[side][k]), value(m, row.cells[side + 1][k])];
    const perDay = m.count || m.perDay ? days[0] / days[1] : 1;
    return before > 0 ? percent(after / before / perDay) : undefined;
  };
  const word = (t, bad) => (!judged ? undefined : bad ? 'suspect_data' : (t?.word ?? 'too_little_data'));
  out.shown = () => ({
    before: value(m, row.cells[1][k]), change_percent: raw(0), verdict: word(out.first, suspect),
    ...(a && a.high > 0 && { low_percent: percent(a.low), high_percent: percent(a.high) }),
    ...(subject && { others_change_percent: raw(2), against_others: word(out.second, suspectOthers) }),
    ...(out.relative && { relative_percent: percent(out.relative.ratio), relative_low_percent: percent(out.relative.low), relative_high_percent: percent(out.relative.high) }),
  });
  return out;
}

function judgeChanges(cells) {
  const tests = cells.flatMap((c) => c.tests);
  let least = 1;
  [...tests].sort((a, b) => b.p - a.p).forEach((t, i) => { t.q = least = Math.min(least, (t.p * tests.length) / (tests.length - i)); });
  for (const t of tests)
    t.word = !(t.low > 1 || t.high < 1) || t.q > 0.05 || Math.abs(t.ratio - 1) < 0.05 ? 'no_clear_change' : t.ratio > 1 ? 'rising' : 'falling';
  return tests.length;
}

function standing({ row, k, m, name, metrics, phi, all, dimensions }) {
  const total = (side) => sum(all.map((r) => r.cells[side][k][0]));
  const at = (side) => (m.below ? row.cells[side][k] : [row.cells[side][k][0], dimensions.length > 0 ? total(side) : 0]);
  const measured = !m.uncounted && phi !== undefined;
  const role = m.better && !(name === 'bounceRate' && metrics.includes('engagementRate')) ? 'judged' : 'context';
  const cell = { own: measured ? at(0) : undefined, others: measured ? at(2) : undefined, phi, share: m.count || m.share, role };
  const out = { cell };
  out.shown = () => ({
    standing: m.better === -1 && ['BETTER', 'WORSE'].includes(cell.standing) ? { BETTER: 'WORSE', WORSE: 'BETTER' }[cell.standing] : cell.standing,
    index: cell.index, index_low: cell.low, index_high: cell.high,
  });
  return out;
}
