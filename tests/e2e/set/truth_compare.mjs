// What compare_dealer_sessions should say to a caller that does not see every dealer: SQL over the world's
// tables and plain arithmetic, from docs/internals/aggregate-svc.md alone.
import {
  change, countsOf, dealerRows, dispersionOf, figuresOf, has, lost, METRICS, rangeBefore, regionEvent, roleOf, siteOf, usable, valueOf, withheld,
} from './truth.mjs';
import { wholeIndex } from './truth_benchmarks.mjs';
import { basesOf, expectedForm, outward, pooled, refused, refusedUnit, releasedPool, significant } from './truth_disclosure.mjs';
import { judge } from './truth_verdict.mjs';

const sum = (list) => list.reduce((total, x) => total + x, 0);
// The even one of two that are equally near.
const nearest = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

// Figures of a dealer in each week or month of a period.
function unitsOf(world, dealer, range) {
  return basesOf(range).map((base) => ({ ...countsOf(world, dealer, base, siteOf(world, dealer)), few: lost(world, dealer, base).few }));
}

// What is released of the dealers outside in a metric, those that count an event: { code }, or what its
// forms are made of. A dealer is in it with the weeks that it has.
function released(metric, outside, units, event, phi) {
  const size = ([y, n]) => (metric.count ? { y, n: y } : { y, n });
  const weeks = units[0].map((_, k) => outside.map((f, i) => ({ ...units[i][k], dealer: f.dealer, event: f.event, pages: f.pages })));
  const partOf = (w) => (has(metric, w, event) && usable(metric, w) ? { owner: w.dealer.owner, ...size(metric.parts(w)) } : undefined);
  const parts = weeks.map((week) => week.map(partOf));
  const whole = outside.map((f, i) => {
    const mine = parts.map((week) => week[i]).filter(Boolean);
    return mine.length > 0 ? { owner: f.dealer.owner, n: sum(mine.map((p) => p.n)), y: sum(mine.map((p) => p.y)) } : undefined;
  }).filter(Boolean);
  const forms = { rate: !metric.count, share: metric.share };
  const code = refused(whole, forms) ?? parts.map((week) => refusedUnit(week.filter(Boolean), forms)).find((c) => c !== undefined);
  if (code !== undefined) return { code };
  const scale = metric.scale ?? 1, y = sum(whole.map((p) => p.y)), n = sum(whole.map((p) => p.n));
  const values = whole.map((p) => (metric.count ? p.n : (scale * p.y) / p.n)).sort((a, b) => a - b);
  return { dealers: whole.length, values, phi, ...(!metric.count && { pooled: pooled(y, n, scale), pool: releasedPool(y, n, scale) }) };
}

function quantile(sorted, p) {
  const h = (sorted.length - 1) * p, i = Math.floor(h);
  return sorted[i] + (h - i) * ((sorted[i + 1] ?? sorted[i]) - sorted[i]);
}
// The middle of the dealers outside: of few ones a mean of the three or four in the middle.
function typical(values) {
  if (values.length >= 8) return significant(quantile(values, 0.5), 2);
  const middle = values.length >> 1, odd = values.length % 2;
  return significant(sum(values.slice(middle - (odd ? 1 : 2), middle + 2)) / (odd ? 3 : 4), 3);
}

// members: { dealer, visible } that answered. `all`: index rows of every dealer that is seen.
export function restrictedComparison(world, members, subject, range, all) {
  const figures = members.map(({ dealer, visible }) => ({ ...figuresOf(world, dealer, range), visible }));
  const inside = figures.filter((f) => f.visible), outside = figures.filter((f) => !f.visible);
  const event = regionEvent(figures, subject), before = rangeBefore(range);
  const units = outside.map((f) => unitsOf(world, f.dealer, range)), unitsBefore = outside.map((f) => unitsOf(world, f.dealer, before));
  const phis = new Map(METRICS.map((metric) => [metric, dispersionOf(metric, figures)]));
  const releases = new Map();
  const release = (metric, counting, then = false) => {
    const key = `${metric.name} ${metric.lead ? counting : ''} ${then}`;
    if (!releases.has(key)) releases.set(key, released(metric, outside, then ? unitsBefore : units, counting, phis.get(metric)));
    return releases.get(key);
  };
  const cells = METRICS.flatMap((metric) => inside.map((f) => {
    const cell = { f, metric, phi: phis.get(metric), share: metric.share, role: roleOf(metric, f, subject === null || f.dealer.dealer_id === subject) };
    if (metric.count || !has(metric, f, f.event)) return cell;
    const { pool, phi, code } = release(metric, f.event);
    return pool?.[1] > 0 ? { ...cell, own: metric.parts(f), others: pool, phi } : { ...cell, withheld: code !== undefined };
  }));
  const tested = judge(cells);
  const of = (f, metric) => cells.find((c) => c.f === f && c.metric === metric);
  const { order, rows } = dealerRows(inside, subject, event, { of });
  return {
    cells_tested: tested,
    dealers: rows,
    regional_average: { metrics: METRICS.map((metric) => {
      const { code, dealers, pooled: rate, values } = release(metric, event);
      const out = { metric: metric.name, better: metric.better, dealers: code ? 0 : dealers };
      return code || metric.count ? out : { ...out, pooled: rate, median: typical(values) };
    }) },
    performance_index: order.filter((f) => all || f.dealer.dealer_id === subject).map((f) => ({
      dealer_id: f.dealer.dealer_id,
      metrics: METRICS.map((metric) => withheld(metric, f, indexOf(metric, f, of(f, metric), release))),
    })),
  };
}

function indexOf(metric, f, cell, release) {
  const out = { metric: metric.name, better: metric.better, standing: cell.standing };
  if (!has(metric, f, f.event)) return out;
  out.value = valueOf(metric, f);
  const { code, values, pooled: benchmark } = release(metric, f.event);
  if (code) return { ...out, suppressed: code, ...changesOf(metric, f, out, release) };
  const before = (a, b) => (metric.better === 'LOWER' ? a < b : a > b);
  const ahead = values.filter((x) => before(x, out.value)).length, behind = values.filter((x) => before(out.value, x)).length;
  Object.assign(out, { rank: 1 + ahead, of: values.length + 1, percentile: (100 * (behind + (values.length - ahead - behind) / 2)) / values.length });
  if (metric.count) return { ...out, suppressed: 'peer_counts', ...changesOf(metric, f, out, release) };
  out.benchmark = benchmark;
  if (cell.index !== undefined) {
    Object.assign(out, { index: wholeIndex(cell.own, cell.others), expected: expectedForm(cell.expected) });
    if (cell.low !== undefined) [out.index_low, out.index_high] = outward([cell.low, cell.high]);
  }
  return { ...out, ...changesOf(metric, f, out, release) };
}

// Against the period before, of the dealer and of what was released of the others in both.
function changesOf(metric, f, out, release) {
  const own = { ...f, ...f.before, dealer: f.dealer };
  if (f.lost || !has(metric, own, f.event)) return {};
  const change_percent = change(valueOf(metric, own), out.value);
  const then = out.benchmark === undefined ? {} : release(metric, f.event, true);
  const others = change_percent === undefined || then.pooled === undefined ? undefined : change(then.pooled, release(metric, f.event).pooled);
  return { change_percent, others_change_percent: others === undefined ? undefined : nearest(others) };
}

