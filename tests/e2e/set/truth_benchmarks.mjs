// What benchmark_dealer and compare_trends should answer: SQL over the world's tables and plain
// arithmetic, from docs/internals/aggregate-svc.md and docs/ANALYSES.md alone.
import { lost, siteOf } from './truth.mjs';
import { basesOf, byDealer, inLattice, refused, refusedUnit, releasedPool, significant } from './truth_disclosure.mjs';
import { dispersion, judge, normalP, unusual } from './truth_verdict.mjs';
import { compact, daysBefore } from './world.mjs';

const Z95 = 1.959963984540054;
const sum = (list) => list.reduce((total, x) => total + x, 0);
const whole = (x) => Math.round(x);
// Shown as a whole number: either one where x lies in the middle.
const shownWhole = (x) => (x === undefined ? undefined : { near: x });
// 100 x (y / n) / (Y / N) as a whole number, exactly; the even one of two that are equally near.
export function wholeIndex([y, n], [Y, N]) {
  const top = 200n * BigInt(y) * BigInt(N), bottom = BigInt(n) * BigInt(Y);
  const twice = top / bottom, rest = top % bottom;
  const down = twice / 2n;
  if (twice % 2n === 0n) return Number(down);
  return Number(rest > 0n || down % 2n === 1n ? down + 1n : down);
}

const VDP = 'asc_item_pageview', SRP = 'asc_itemlist_pageview';
const KINDS = { calls: ['asc_click_to_call'], chats: ['asc_comm_submission'],
  appointments: ['asc_form_submission_sales_appt', 'asc_form_submission_service_appt', 'asc_form_submission_test_drive'] };

// ----------------------------------------------------------------------------- figures

const none = () => ({ sessions: 0, engaged: 0, leads: 0, shoppers: 0, vdp: 0, views: 0, srp: 0, both: 0, calls: 0, chats: 0, appointments: 0 });

// Counts of each day and channel, remembered: each dealer's days are asked for often.
const remembered = new Map();
function cellsOf(world, dealer) {
  const key = `${world.file} ${dealer.dealer_id}`;
  if (remembered.has(key)) return remembered.get(key);
  const site = siteOf(world, dealer);
  const cells = new Map();
  const cell = (r) => {
    const id = `${r.date} ${r.channel}`;
    if (!cells.has(id)) cells.set(id, { date: r.date, channel: r.channel, ...none() });
    return cells.get(id);
  };
  for (const r of world.all('SELECT date, channel, count(*) AS n, sum(engaged) AS k FROM sessions WHERE property_id = ? GROUP BY 1, 2', dealer.property_id))
    Object.assign(cell(r), { sessions: r.n, engaged: r.k });
  const events = `FROM events e JOIN sessions s USING(session_id) WHERE e.property_id = ? AND e.name`;
  const names = [site.event ?? VDP, VDP, SRP, ...Object.values(KINDS).flat()].map((name) => `'${name}'`).join();
  for (const r of world.all(`SELECT e.date, s.channel, e.name, sum(e.count) AS n, count(DISTINCT session_id) AS k ${events} IN (${names}) GROUP BY 1, 2, 3`, dealer.property_id)) {
    const c = cell(r);
    if (r.name === site.event) c.leads += r.n;
    if (r.name === VDP) Object.assign(c, { views: r.n, vdp: r.k });
    if (r.name === SRP) c.srp = r.k;
    for (const [kind, names] of Object.entries(KINDS)) if (names.includes(r.name)) c[kind] += r.n;
  }
  // Sessions by whether they have the one page and the other.
  const pages = `SELECT date, channel, count(*) AS n, sum(v AND l) AS k FROM (SELECT e.date AS date, s.channel AS channel,
    max(e.name = '${VDP}') AS v, max(e.name = '${SRP}') AS l ${events} IN ('${VDP}', '${SRP}') GROUP BY session_id) GROUP BY 1, 2`;
  for (const r of world.all(pages, dealer.property_id)) Object.assign(cell(r), { shoppers: r.n, both: r.k });
  const out = { site, cells: [...cells.values()] };
  remembered.set(key, out);
  return out;
}

function add(list) {
  const total = none();
  for (const c of list) for (const name of Object.keys(total)) total[name] += c[name];
  return total;
}
function by(list, name) {
  const groups = new Map();
  for (const c of list) groups.set(c[name], [...(groups.get(c[name]) ?? []), c]);
  return new Map([...groups].map(([key, cells]) => [key, add(cells)]));
}

// A dealer's figures from one day to another (YYYY-MM-DD).
export function figures(world, dealer, start, end) {
  const { site, cells } = cellsOf(world, dealer);
  const from = compact(start), to = compact(end);
  const mine = cells.filter((c) => c.date >= from && c.date <= to);
  // Days without sessions are left out, whatever happened on them.
  const days = [...by(mine, 'date').values()].filter((d) => d.sessions > 0);
  return { dealer, event: site.event, pages: site.pages, ...add(mine), days, channels: by(mine, 'channel'), lost: lost(world, dealer, { from, to }) };
}

// The same, with those of each week or month when there are several.
export function figuresByBase(world, dealer, start_date, end_date) {
  const range = { start_date, end_date }, bases = inLattice(range) ? basesOf(range) : [];
  return { ...figures(world, dealer, start_date, end_date), units: bases.length > 1 ? bases.map(({ from, to }) => figures(world, dealer, from, to)) : [] };
}

// ----------------------------------------------------------------------------- metrics

const METRICS = [
  { name: 'sessions', better: 'CONTEXT', count: true, parts: (f) => [f.sessions, 1] },
  { name: 'engagement_rate', share: true, judged: true, parts: (f) => [f.engaged, f.sessions] },
  { name: 'shopper_rate', share: true, judged: true, pages: true, parts: (f) => [f.shoppers, f.sessions] },
  { name: 'vdp_reach', share: true, judged: true, pages: true, parts: (f) => [f.vdp, f.sessions] },
  { name: 'vdp_views_per_session', judged: true, pages: true, parts: (f) => [f.views, f.sessions] },
  { name: 'srp_to_vdp', share: true, judged: true, pages: true, parts: (f) => [f.both, f.srp] },
  { name: 'leads_per_100_sessions', scale: 100, judged: true, lead: true, parts: (f) => [f.leads, f.sessions] },
  { name: 'leads_per_100_shopper_sessions', scale: 100, judged: true, lead: true, pages: true, parts: (f) => [f.leads, f.shoppers] },
  ...Object.keys(KINDS).flatMap((kind) => [
    { name: `${kind}_per_100_sessions`, scale: 100, kind, parts: (f) => [f[kind], f.sessions] },
    { name: `${kind}_per_100_shopper_sessions`, scale: 100, kind, pages: true, parts: (f) => [f[kind], f.shoppers] },
  ]),
];
const known = (m, f, now = f) => (!m.lead || f.event !== null) && (!m.pages || f.pages) && (!m.kind || now[m.kind] > 0);
const has = (m, f, event, now = f) => known(m, f, now) && m.parts(f)[1] > 0 && (!m.lead || f.event === event);
const rate = (m, [y, n]) => ((m.scale ?? 1) * y) / n;
const pool = (m, list) => [sum(list.map((f) => m.parts(f)[0])), sum(list.map((f) => m.parts(f)[1]))];
// A dealer that lost so many days that few remain has no rates to be measured by.
const usable = (m, f) => m.count || !f.lost.few;
// Those that take part in each week of the period: days are lost in a week by itself, and what a site reports
// is known by the whole period.
const unitsOf = (m, list, event, now = list) => (list[0]?.units ?? []).map((_, i) =>
  list.map((f, k) => [{ ...f.units[i], dealer: f.dealer }, now[k]]).filter(([unit, f]) => has(m, unit, event, f) && usable(m, unit)).map(([unit]) => unit));
const phiOf = (m, list) => (m.count ? 1 : dispersion(list.filter((f) => known(m, f) && usable(m, f)).map((f) => f.days.map((d) => m.parts(d))), m.share));

// -------------------------------------------------------------------------- disclosure

// Why a sum over the outside dealers may not be shown; null when it may.
function concentration(parts, least) {
  const owners = new Map();
  for (const [owner, x] of parts) owners.set(owner, (owners.get(owner) ?? 0) + x);
  const sorted = [...owners.values()].sort((a, b) => b - a);
  const total = sum(sorted), [first = 0, second = 0] = sorted;
  if (sorted.length < 3) return 'min_owners';
  if (total < least) return 'min_volume';
  if (first * 100 > 40 * total || (first + second) * 100 > 75 * total) return 'dominance';
  if ((total - first - second) * 100 < 10 * first) return 'p_percent';
  return null;
}
function refusal(list, parts, { ratio = true, share = false, least = 20 } = {}) {
  if (list.length < 5) return 'min_contributors';
  const owned = (pick) => list.map((f) => [f.dealer.owner, pick(parts(f))]);
  return concentration(owned(([, n]) => n), least) ??
    (ratio ? concentration(owned(([y]) => y), least) : null) ??
    (share ? concentration(owned(([, n]) => n), least) ?? concentration(owned(([y, n]) => n - y), least) : null);
}

function refusalOfWeek(m, list, parts) {
  const [y, n] = [0, 1].map((k) => sum(list.map((f) => parts(f)[k])));
  if (n < 20) return list.length < 5 ? 'min_contributors' : new Set(list.map((f) => f.dealer.owner)).size < 3 ? 'min_owners' : null;
  const ratio = !m.count && y >= 20;
  return refusal(list, parts, { ratio, share: m.share && ratio && n - y >= 20, least: 0 });
}

// The outside dealers in a metric as they are released: { code } or { pooled, pool, phi, values }. `bases`: those
// that take part in each week or month of the period. The pool is the sum of these, so a dealer is in it with
// the weeks that it has, also where it would not be in the period as one (else two releases would differ by
// it). Each must have the dealers, and none that dominates it; so must a week that is before the first day of all.
function released(m, outside, phi, bases = []) {
  const part = (f) => ({ dealer: f.dealer, owner: f.dealer.owner, y: m.count ? 0 : m.parts(f)[0], n: m.parts(f)[m.count ? 0 : 1] });
  const weeks = bases.map((list) => list.map(part)), forms = { rate: !m.count, share: m.share };
  const all = bases.length > 0 ? byDealer(weeks) : outside.map(part);
  const code = refused(all, forms) ?? weeks.map((week) => refusedUnit(week, forms)).find((c) => c !== undefined);
  if (code !== undefined) return { code };
  if (m.count) return { values: all.map((p) => p.n) };
  const scale = m.scale ?? 1, [y, n] = [sum(all.map((p) => p.y)), sum(all.map((p) => p.n))];
  return { pooled: significant((scale * y) / n, 3), pool: releasedPool(y, n, scale), phi, values: all.map((p) => (scale * p.y) / p.n) };
}

// Of channels of equal size the first of these goes first.
const ORDER = ['Direct', 'Organic Search', 'Paid Search', 'Organic Social', 'Paid Social', 'Organic Video', 'Paid Video', 'Organic Shopping',
  'Paid Shopping', 'Cross-network', 'Display', 'Paid Other', 'Referral', 'Email'];

// The outside dealers in each week of the period, when there are several; and whether a figure passes in one.
const weeksOf = (list) => (list[0]?.units ?? []).map((_, i) => list.map((f) => ({ ...f.units[i], dealer: f.dealer })));
const passesIn = (m, list, parts) => sum(list.map((f) => parts(f)[1])) === 0 || refusalOfWeek(m, list, parts) === null;

// Whether a week is before the first day of all: then nothing stands for the period.
const hasGap = (list) => weeksOf(list).some((week) => week.every((f) => f.sessions === 0));

// Which channels may be named: 'absent', 'shown' or 'other' each; null when none may.
function channelFates(names, outside, parts, ratio) {
  const weeks = weeksOf(outside);
  const of = (name) => outside.filter((f) => parts(f, name).some((x) => x !== 0));
  const having = (list, pick) => list.filter((f) => pick(f).some((x) => x !== 0));
  const allowed = (list, pick) => refusal(list, pick, { ratio }) === null &&
    weeks.every((week) => passesIn({ count: !ratio }, having(week, pick), pick));
  const fates = new Map(names.map((name) => [name, of(name).length === 0 ? 'absent'
    : allowed(of(name), (f) => parts(f, name)) ? 'shown' : 'other']));
  const those = (fate) => names.filter((name) => fates.get(name) === fate);
  while (those('other').length > 0) {
    const others = those('other');
    const lumped = (f) => [sum(others.map((c) => parts(f, c)[0])), sum(others.map((c) => parts(f, c)[1]))];
    const ok = allowed(outside.filter((f) => lumped(f).some((x) => x !== 0)), lumped);
    if (ok && others.length >= 2) break;
    const size = (name) => sum(outside.map((f) => parts(f, name)[1]));
    const [least] = those('shown').sort((a, b) => size(a) - size(b) || ORDER.indexOf(a) - ORDER.indexOf(b));
    if (least === undefined) return null;
    fates.set(least, 'other');
  }
  return fates;
}

// ---------------------------------------------------------------------------- scorecard

function quantile(sorted, p) {
  const h = (sorted.length - 1) * p, i = Math.floor(h);
  return sorted[i] + (h - i) * ((sorted[i + 1] ?? sorted[i]) - sorted[i]);
}
const ascending = (list) => [...list].sort((a, b) => a - b);
const changed = (before, now) => (before > 0 ? (100 * (now - before)) / before : undefined);
const outward = (low, high) => [Math.max(0, Math.floor(low / 5) * 5), Math.ceil(high / 5) * 5];

// Standardised by channel: [own, peers] parts of each cell.
function standardise(cells, scale) {
  const [O, n, Y, N] = [sum(cells.map((c) => c.own[0])), sum(cells.map((c) => c.own[1])), sum(cells.map((c) => c.peers[0])), sum(cells.map((c) => c.peers[1]))];
  if (!(N > 0) || !(Y > 0) || !(n > 0)) return undefined;
  let E = 0, variance = 0, rest = 0;
  for (const { own, peers: [y, m] } of cells)
    if (m >= 50 && y >= 5) {
      E += (own[1] * y) / m;
      variance += (own[1] / m) ** 2 * y;
    } else rest += own[1];
  E += (rest * Y) / N;
  variance += (rest / N) ** 2 * Y;
  let mix = 0, rates = 0;
  for (const { own, peers } of cells) {
    const r = own[1] > 0 ? own[0] / own[1] : peers[1] > 0 ? peers[0] / peers[1] : 0;
    const p = peers[1] > 0 ? peers[0] / peers[1] : r;
    const s = own[1] / n, S = peers[1] / N;
    mix += ((s - S) * (r + p)) / 2;
    rates += ((r - p) * (s + S)) / 2;
  }
  return { index: (100 * O) / E, se: O > 0 ? Math.sqrt(1 / O + variance / E ** 2) : 0, mix: scale * mix, rates: scale * rates };
}

const inChannel = (m, f, name) => m.parts(f.channels.get(name) ?? none());

function channelsOf(me, others, outside, restricted) {
  const names = [...new Set([me, ...others].flatMap((f) => [...f.channels.keys()]))];
  const leads = METRICS.find((m) => m.name === 'leads_per_100_sessions');
  const out = new Map(names.map((name) => [name, {}]));
  const all = others.filter((f) => f.sessions > 0);
  const counting = others.filter((f) => has(leads, f, me.event));
  const sessionsIn = (f, name) => (f.channels.get(name) ?? none()).sessions;
  if (!restricted) {
    const total = sum(all.map((f) => f.sessions));
    for (const name of names) {
      const o = out.get(name);
      if (total > 0) o.share = sum(all.map((f) => sessionsIn(f, name))) / total;
      const p = pool({ parts: (f) => inChannel(leads, f, name) }, counting);
      if (has(leads, me, me.event) && p[1] > 0) o.rate = rate(leads, p);
    }
    return out;
  }
  if (outside === null) return out;
  const shares = channelFates(names, all, (f, name) => [0, sessionsIn(f, name)], false);
  for (const name of names) {
    if (shares?.get(name) !== 'shown' || hasGap(all)) continue;
    const list = all.filter((f) => f.sessions > 0);
    const parts = (f) => [sessionsIn(f, name), f.sessions];
    if (refusal(list, parts, { share: true }) === null && weeksOf(all).every((w) => passesIn({ share: true }, w.filter((f) => f.sessions > 0), parts)))
      out.get(name).share = significant(sum(list.map((f) => sessionsIn(f, name))) / sum(list.map((f) => f.sessions)), 3);
  }
  if (!has(leads, me, me.event)) return out;
  const rates = channelFates(names, counting, (f, name) => inChannel(leads, f, name), true);
  for (const name of names) {
    if (rates?.get(name) !== 'shown' || hasGap(counting)) continue;
    const list = counting.filter((f) => inChannel(leads, f, name)[1] > 0);
    const parts = (f) => inChannel(leads, f, name);
    if (refusal(list, parts) === null && weeksOf(counting).every((w) => passesIn({}, w.filter((f) => parts(f)[1] > 0), parts)))
      out.get(name).rate = significant(rate(leads, pool({ parts: (f) => inChannel(leads, f, name) }, list)), 3);
  }
  return out;
}

function mixOf(m, me, others, channels, restricted, leadsPool, phi) {
  const scale = m.scale ?? 1;
  let cells;
  if (!restricted) {
    const peers = others.filter((f) => has(m, f, me.event));
    cells = [...channels.keys()].map((name) => ({ own: inChannel(m, me, name), peers: pool({ parts: (f) => inChannel(m, f, name) }, peers) }));
  } else {
    if (m.name !== 'leads_per_100_sessions' || leadsPool === undefined) return {};
    const parts = (share, per100) => [whole((whole(share * 1e15) / 1e6) * per100 / 100), whole(share * 1e9)];
    const rest = { own: [0, 0], peers: null };
    let left = 1;
    cells = [];
    for (const [name, o] of channels) {
      const own = inChannel(m, me, name);
      if (o.share === undefined) rest.own = [rest.own[0] + own[0], rest.own[1] + own[1]];
      else {
        cells.push({ own, peers: parts(o.share, o.rate ?? leadsPool) });
        left -= o.share;
      }
    }
    if (cells.length === 0) return {};
    cells.push({ ...rest, peers: parts(Math.max(0, left), leadsPool) });
  }
  const s = standardise(cells, scale);
  if (s === undefined) return {};
  const out = { mix_index: restricted ? shownWhole(s.index) : s.index, gap_mix: s.mix, gap_rate: s.rates };
  if (restricted || !(s.se > 0)) return out;
  const width = Z95 * s.se * Math.sqrt(phi);
  return { ...out, mix_low: s.index * Math.exp(-width), mix_high: s.index * Math.exp(width) };
}

// The scorecard of the subject among dealers; `list` has { now, before } figures of those that
// answered, `visible` tells whose may be shown, `code` why nothing of the others may (`codeBefore`: of the
// period before, which is of no lattice when it is not as long as the month before).
export function scorecard({ list, subject, visible, code = null, codeBefore = code }) {
  const restricted = list.some((x) => !visible(x.now.dealer)) || code !== null;
  const entry = list.find((x) => x.now.dealer.dealer_id === subject);
  const me = entry.now, all = list.map((x) => x.now);
  const outside = list.filter((x) => !visible(x.now.dealer));
  const rows = METRICS.map((m) => {
    const phi = phiOf(m, all);
    const others = (restricted ? outside : list.filter((x) => x !== entry)).filter((x) => has(m, x.now, me.event) && usable(m, x.now));
    const open = others.map((x) => x.now);
    const shown = restricted ? (code !== null ? { code } : released(m, open, phi, unitsOf(m, outside.map((x) => x.now), me.event))) : null;
    const cell = { m, phi, share: m.share, role: m.judged ? 'judged' : 'context', open, shown, others };
    if (!m.count && has(m, me, me.event)) {
      cell.own = m.parts(me);
      cell.withheld = restricted && Boolean(shown.code);
      if (!restricted && open.length > 0) cell.others = pool(m, open);
      else if (restricted && shown.pool && shown.pool[1] > 0 && shown.pooled > 0) Object.assign(cell, { others: shown.pool, phi: shown.phi });
      else delete cell.others;
    } else delete cell.others;
    return cell;
  });
  const tested = judge(rows);
  const leadsRow = rows.find((r) => r.m.name === 'leads_per_100_sessions');
  const channels = channelsOf(me, (restricted ? outside : list.filter((x) => x !== entry)).map((x) => x.now), restricted && code !== null ? null : outside, restricted);
  const metrics = [];
  for (const c of rows) {
    const { m } = c;
    const out = { metric: m.name, better: m.better ?? 'HIGHER', standing: c.standing };
    if (!has(m, me, me.event)) {
      if (!m.kind) metrics.push(out);
      continue;
    }
    metrics.push(out);
    out.value = rate(m, m.parts(me));
    const values = restricted ? (c.shown.code ? null : c.shown.values) : c.open.map((f) => rate(m, m.parts(f)));
    if (values !== null) Object.assign(out, { rank: 1 + values.filter((v) => v > out.value).length, of: values.length + 1 });
    if (restricted) {
      if (c.shown.code || m.count) out.suppressed = c.shown.code ?? 'peer_counts';
      else {
        out.benchmark = c.shown.pooled;
        if (c.index !== undefined) {
          out.index = wholeIndex(c.own, c.others);
          if (c.low !== undefined) [out.index_low, out.index_high] = outward(c.low, c.high);
        }
        const sorted = ascending(c.shown.values);
        const middle = sorted.length >> 1;
        if (sorted.length >= 8) Object.assign(out, { p25: significant(quantile(sorted, 0.25), 2), p50: significant(quantile(sorted, 0.5), 2), p75: significant(quantile(sorted, 0.75), 2) });
        else out.p50 = significant(sorted.length % 2 === 1 ? sum(sorted.slice(middle - 1, middle + 2)) / 3 : sum(sorted.slice(middle - 2, middle + 2)) / 4, 3);
      }
    } else if (values.length > 0) {
      out.benchmark = m.count ? sum(values) / values.length : rate(m, pool(m, c.open));
      if (m.count && out.benchmark > 0) out.index = (100 * out.value) / out.benchmark;
      if (!m.count && c.index !== undefined) Object.assign(out, { index: c.index, index_low: c.low, index_high: c.high });
      const sorted = ascending(values);
      Object.assign(out, { p25: quantile(sorted, 0.25), p50: quantile(sorted, 0.5), p75: quantile(sorted, 0.75) });
    }
    if (m.judged && !restricted && out.index !== undefined) {
      const members = all.filter((f) => has(m, f, me.event));
      out.unusual_among_dealers = unusual(members.map((f) => m.parts(f)))[members.indexOf(me)];
    }
    if (out.benchmark !== undefined && !m.count)
      Object.assign(out, mixOf(m, me, (restricted ? outside : list.filter((x) => x !== entry)).map((x) => x.now), channels, restricted,
        leadsRow.shown?.pooled, c.phiAll ?? phiOf(m, all)));
    if ((c.standing === 'BETTER' || c.standing === 'WORSE') && me.event !== null)
      out.leads_effect = out.index > 0 ? me.leads * (1 - 100 / out.index) : -(c.expected);
    Object.assign(out, changesOf(m, entry, list, out, restricted, outside, codeBefore));
  }
  return { tested, metrics, first: lookFirst(metrics), channels: channelRows(me, channels) };
}

function changesOf(m, entry, list, out, restricted, outside, code) {
  const then = (x) => ({ ...x.before, dealer: x.now.dealer });
  const before = then(entry);
  if (!has(m, before, before.event, entry.now) || entry.now.lost.found) return {};
  const change_percent = changed(rate(m, m.parts(before)), out.value);
  const peers = (restricted ? outside : list.filter((x) => x !== entry)).filter((x) => has(m, then(x), before.event, x.now) && (restricted || !x.now.lost.found)).map(then);
  if (change_percent === undefined || out.benchmark === undefined) return { change_percent };
  if (restricted) {
    const r = code !== null ? { code } : released(m, peers.filter((f) => usable(m, f)), 1, unitsOf(m, outside.map(then), before.event, outside.map((x) => x.now)));
    const percent = r.code ? undefined : changed(r.pooled, out.benchmark);
    return { change_percent, others_change_percent: shownWhole(percent) };
  }
  if (peers.length === 0) return { change_percent };
  const benchmark = m.count ? sum(peers.map((f) => m.parts(f)[0])) / peers.length : rate(m, pool(m, peers));
  const later = list.filter((x) => x !== entry && has(m, x.now, before.event) && !x.now.lost.found).map((x) => x.now);
  if (later.length === 0) return { change_percent };
  const after = m.count ? sum(later.map((f) => m.parts(f)[0])) / later.length : rate(m, pool(m, later));
  return { change_percent, others_change_percent: changed(benchmark, after) };
}

function lookFirst(metrics) {
  let first, most = 0;
  for (const x of metrics.filter((r) => r.standing === 'BETTER' || r.standing === 'WORSE')) {
    const size = Math.abs(x.leads_effect ?? x.index - 100);
    if (first === undefined || size > most) [first, most] = [x.metric, size];
  }
  return first;
}

function channelRows(me, channels) {
  return [...channels].map(([channel, o]) => {
    const own = me.channels.get(channel) ?? none();
    return {
      channel, sessions: own.sessions,
      share: me.sessions > 0 ? own.sessions / me.sessions : undefined,
      benchmark_share: o.share,
      leads_per_100_sessions: me.event !== null && own.sessions > 0 ? (100 * own.leads) / own.sessions : undefined,
      benchmark_leads_per_100_sessions: o.rate,
    };
  }).filter((r) => r.sessions > 0 || r.benchmark_share > 0);
}

// ------------------------------------------------------------------------------- trends

const dayNumber = (date) => Date.parse(`${date}T00:00:00Z`) / 86400000;
const weekday = (date) => new Date(`${date}T00:00:00Z`).getUTCDay();

// Whole weeks or months of a range, [first, last] each, at most 52 or 12 of them, the latest.
export function spansOf(grain, { start_date, end_date }) {
  const out = [];
  if (grain === 'week') {
    let end = end_date;
    while (weekday(end) !== 0) end = daysBefore(end, 1);
    for (; out.length < 52 && daysBefore(end, 6) >= start_date; end = daysBefore(end, 7)) out.unshift([daysBefore(end, 6), end]);
    return out;
  }
  const [year, month] = end_date.split('-').map(Number);
  for (let i = 0; i < 1200 && out.length < 12; i++) {
    const first = new Date(Date.UTC(year, month - 1 - i, 1)).toISOString().slice(0, 10);
    const last = new Date(Date.UTC(year, month - i, 0)).toISOString().slice(0, 10);
    if (first < start_date) break;
    if (last <= end_date) out.unshift([first, last]);
  }
  return out;
}
function yearBefore(grain, [first, last]) {
  if (grain === 'week') return [daysBefore(first, 364), daysBefore(last, 364)];
  const [year, month] = last.split('-').map(Number);
  const [y, m] = first.split('-').map(Number);
  return [new Date(Date.UTC(y - 1, m - 1, 1)).toISOString().slice(0, 10), new Date(Date.UTC(year - 1, month, 0)).toISOString().slice(0, 10)];
}
function labelOf(grain, [first]) {
  if (grain === 'month') return first.slice(0, 7);
  const thursday = daysBefore(first, -3);
  const year = thursday.slice(0, 4);
  return `${year}-W${String(Math.floor((dayNumber(thursday) - dayNumber(`${year}-01-01`)) / 7) + 1).padStart(2, '0')}`;
}

// A ratio of two periods with its interval, as an index is measured.
function ratioOf(before, after, phi, share) {
  const c = { own: after, others: before, phi, share, role: 'beside' };
  judge([c]);
  if (c.index === undefined) return undefined;
  const se = c.index > 0 && c.high > 0 ? Math.log(c.high / c.low) / (2 * Z95) : 0;
  return { ratio: c.index / 100, low: c.low / 100, high: c.high / 100, se, p: c.p, enough: c.data };
}

const percent = (ratio) => 100 * (ratio - 1);
const theil = (x) => quantile(ascending(x.flatMap((a, i) => x.slice(i + 1).map((b, k) => (b - a) / (k + 1)))), 0.5);
function kendall(x) {
  const n = x.length;
  let s = 0;
  for (let i = 0; i < n; i++) for (let k = i + 1; k < n; k++) s += Math.sign(x[k] - x[i]);
  const ties = new Map();
  for (const v of x) ties.set(v, (ties.get(v) ?? 0) + 1);
  const variance = (n * (n - 1) * (2 * n + 5) - sum([...ties.values()].map((t) => t * (t - 1) * (2 * t + 5)))) / 18;
  return variance > 0 ? normalP((s - Math.sign(s)) / Math.sqrt(variance)) : 1;
}

// `of(first, last)`: the figures of every dealer that answered.
export function trends({ of, subject, visible, code = null, metric, grain, range }) {
  const m = METRICS.find((x) => x.name === metric);
  const spans = spansOf(grain, range);
  const n = spans.length, block = Math.min(grain === 'week' ? 4 : 1, Math.floor(n / 2)), size = Math.max(1, block);
  const series = of(spans[0][0], spans.at(-1)[1]);
  const whole_ = series.find((f) => f.dealer.dealer_id === subject);
  const restricted = series.some((f) => !visible(f.dealer)) || code !== null;
  const event = whole_.event;
  const own = (list) => list.find((f) => f.dealer.dealer_id === subject);
  const inGroup = (list) => list.filter((f) => has(m, f, event) && f.sessions > 0);
  const peersOf = (list) => list.filter((f) => has(m, f, event) && (restricted ? !visible(f.dealer) : f.dealer.dealer_id !== subject) && usable(m, f));
  const partsOn = ([a, b]) => (f) => (m.count ? [f.sessions, dayNumber(b) - dayNumber(a) + 1] : m.parts(f));
  const phi = dispersion(series.filter((f) => visible(f.dealer) && has(m, f, f.event) && usable(m, f)).map((f) => f.days.map((d) => m.parts(d))), m.share);
  const releasedOn = (list, bases = []) => (code !== null ? { code } : m.count ? { code: 'peer_counts' }
    : released(m, peersOf(list), phiOf(m, list), bases.map(peersOf)));

  const points = spans.map((span) => {
    const list = of(...span), me = own(list);
    const out = { label: labelOf(grain, span), start_date: span[0] };
    const mine = inGroup(list).includes(me);
    if (mine) out.value = rate(m, m.parts(me));
    if (!known(m, whole_)) return out;
    let cell;
    if (restricted) {
      const r = releasedOn(list);
      if (r.code) return { ...out, suppressed: r.code };
      out.benchmark = r.pooled;
      if (mine && usable(m, me) && r.pooled > 0 && r.pool[1] > 0) cell = { own: m.parts(me), others: r.pool, phi: r.phi };
    } else {
      const peers = peersOf(list);
      if (peers.length > 0) out.benchmark = m.count ? sum(peers.map((f) => f.sessions)) / peers.length : rate(m, pool(m, peers));
      if (m.count && mine && usable(m, me) && out.benchmark > 0) out.index = (100 * out.value) / out.benchmark;
      if (!m.count && mine && usable(m, me) && peers.length > 0) cell = { own: m.parts(me), others: pool(m, peers), phi };
    }
    if (cell === undefined) return out;
    judge([Object.assign(cell, { share: m.share, role: 'beside' })]);
    if (cell.index === undefined) return out;
    out.index = restricted ? wholeIndex(cell.own, cell.others) : cell.index;
    [out.index_low, out.index_high] = restricted ? outward(cell.low, cell.high) : [cell.low, cell.high];
    return out;
  });

  const after = spans.slice(n - size);
  const blocks = [['previous', spans.slice(n - size - block, n - size)], ['year_before', after.map((x) => yearBefore(grain, x))]];
  const together = (list) => [list[0][0], list.at(-1)[1]];
  const wholly = (list, dealer) => list.every((span) => inGroup(of(...span)).some((f) => f.dealer === dealer));
  const tests = [];
  const changes = [];
  for (const [against, before] of blocks) {
    if (before.length === 0 || (against === 'previous' && block === 0)) continue;
    const [now, then] = [together(after), together(before)];
    const out = { against, after: now.join(' to '), before: then.join(' to ') };
    const pair = (dealer) => [partsOn(then)(of(...then).find((f) => f.dealer === dealer)), partsOn(now)(of(...now).find((f) => f.dealer === dealer))];
    const lostIn = (dealer) => [then, now].some((span) => of(...span).find((f) => f.dealer === dealer).lost.found);
    const both = (dealer) => !lostIn(dealer) && wholly(before, dealer) && wholly(after, dealer);
    const suspect = lostIn(whole_.dealer);
    let withheld, mine, market;
    if (both(whole_.dealer)) mine = ratioOf(...pair(whole_.dealer), phi, m.share);
    if (!known(m, whole_)) {
      // Nothing to compare the others with.
    } else if (restricted) {
      const [r, q] = [[then, before], [now, after]].map(([span, list]) => releasedOn(of(...span), list.map((x) => of(...x))));
      withheld = m.count ? 'peer_counts' : r.code ?? (r.pooled > 0 ? q.code : undefined);
      if (withheld) out.suppressed = withheld;
      if (!r.code && !q.code && r.pooled > 0 && q.pooled > 0 && r.pool[1] > 0 && q.pool[1] > 0) market = ratioOf(r.pool, q.pool, Math.max(1, r.phi, q.phi), m.share);
    } else {
      const pairs = series.filter((f) => f.dealer !== whole_.dealer && both(f.dealer)).map((f) => pair(f.dealer));
      const total = (k) => [sum(pairs.map((p) => p[k][0])), sum(pairs.map((p) => p[k][1]))];
      market = ratioOf(total(0), total(1), phi, m.share);
    }
    if (mine) {
      out.percent = percent(mine.ratio);
      if (mine.high > 0) Object.assign(out, { low_percent: percent(mine.low), high_percent: percent(mine.high) });
    }
    if (market) out.market_percent = restricted ? shownWhole(percent(market.ratio)) : percent(market.ratio);
    tests.push({ out, name: 'verdict', ...(mine ?? {}), suspect, enough: mine?.enough ?? false });
    let relative;
    if (mine && market && mine.se > 0 && market.se > 0) {
      const se = Math.hypot(mine.se, market.se), ratio = mine.ratio / market.ratio;
      relative = { ratio, low: ratio * Math.exp(-Z95 * se), high: ratio * Math.exp(Z95 * se), p: normalP(Math.log(ratio) / se) };
      const [low, high] = restricted ? outward(100 * relative.low, 100 * relative.high) : [100 * relative.low, 100 * relative.high];
      Object.assign(out, { relative_percent: restricted ? shownWhole(percent(ratio)) : percent(ratio), relative_low: low - 100, relative_high: high - 100 });
    }
    tests.push({ out, name: 'relative_verdict', ...(relative ?? {}), suspect, withheld: Boolean(withheld), enough: relative !== undefined && mine.enough && market.enough });
    changes.push(out);
  }
  let trend;
  if (grain === 'week' && n >= 8 && points.every((p) => p.value !== undefined)) {
    const x = points.map((p) => p.value), slope = theil(x), middle = quantile(ascending(x), 0.5);
    trend = { weeks: n, slope_per_week: slope, p: kendall(x) };
    const grown = middle > 0 ? (slope * (n - 1)) / middle : 0;
    const suspect = whole_.lost.found || spans.some((span) => own(of(...span)).lost.found);
    tests.push({ out: trend, name: 'verdict', suspect, enough: !suspect, p: trend.p, ratio: 1 + grown, low: slope > 0 ? 2 : 0, high: slope < 0 ? 0.5 : 2 });
  }
  return { points, changes, trend, tested: wordsOf(tests) };
}

// The words of changes, tested together; how many were.
function wordsOf(tests) {
  const tested = ascending(tests.filter((t) => t.enough).map((t) => t.p));
  const q = (p) => Math.min(1, ...tested.map((x, i) => (x >= p ? (x * tested.length) / (i + 1) : Infinity)));
  for (const t of tests) {
    const clear = t.enough && q(t.p) <= 0.05 && Math.abs(t.ratio - 1) >= 0.05;
    t.out[t.name] = t.suspect ? 'suspect_data' : t.withheld ? 'benchmark_withheld' : !t.enough ? 'too_little_data' : clear && t.low > 1 ? 'rising' : clear && t.high < 1 ? 'falling' : 'no_clear_change';
  }
  return tested.length;
}
