// What compare_traffic_sources should answer, by SQL over the world's tables and plain arithmetic.
// Nothing here is shared with the product: the rules come from proto/ and docs/internals.
import { daysOf, lost, siteOf } from './truth.mjs';
import { basesOf, expectedForm, outward, pooled, refused, refusedUnit, refusedWeek, releasedPool, split } from './truth_disclosure.mjs';
import { dispersion, judge } from './truth_verdict.mjs';

const SELF = '(self-referral)', UNSET = '(not set)', OTHER = '(other)';
const sum = (list) => list.reduce((total, x) => total + x, 0);

function label(by, host, row) {
  const text = (x) => (x === '' ? UNSET : x);
  if (row.source.replace(/^www\./, '') === host.replace(/^www\./, '')) return SELF;
  if (by === 'channel') return text(row.channel);
  if (by === 'campaign') return text(row.campaign);
  return text(row.source) === UNSET && text(row.medium) === UNSET ? UNSET : `${text(row.source)} / ${text(row.medium)}`;
}

// Sessions and leads of a dealer by label and day: label -> day -> [leads, sessions].
function countsOf(world, d, range, by) {
  const { from, to } = daysOf(d, range);
  const { event } = siteOf(world, d);
  const { host } = world.one('SELECT host FROM properties WHERE property_id = ?', d.property_id);
  const counts = new Map();
  const add = (row, leads, sessions) => {
    const name = label(by, host, row);
    if (!counts.has(name)) counts.set(name, new Map());
    const day = counts.get(name).get(row.date) ?? [0, 0];
    counts.get(name).set(row.date, [day[0] + leads, day[1] + sessions]);
  };
  for (const row of world.all(`SELECT date, channel, source, medium, campaign, count(*) AS n FROM sessions
      WHERE property_id = ? AND date BETWEEN ? AND ? GROUP BY 1, 2, 3, 4, 5`, d.property_id, from, to))
    add(row, 0, row.n);
  if (event !== null)
    for (const row of world.all(`SELECT e.date, s.channel, s.source, s.medium, s.campaign, sum(e.count) AS n FROM events e
        JOIN sessions s USING (session_id) WHERE e.property_id = ? AND e.date BETWEEN ? AND ? AND e.name = ? GROUP BY 1, 2, 3, 4, 5`,
    d.property_id, from, to, event))
      add(row, row.n, 0);
  return { dealer: d, event, counts, few: lost(world, d, { from, to }).few };
}

const part = (figures, name) => {
  const days = figures.counts.get(name);
  return days ? [sum([...days.values()].map(([y]) => y)), sum([...days.values()].map(([, n]) => n))] : [0, 0];
};
const ranked = (list) => list.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);

// Labels beyond those with a place of their own become "(other)".
function fold(figures, kept) {
  const counts = new Map();
  for (const [name, days] of figures.counts) {
    const to = kept.has(name) ? name : OTHER;
    if (!counts.has(to)) counts.set(to, new Map());
    for (const [day, [y, n]] of days) {
      const old = counts.get(to).get(day) ?? [0, 0];
      counts.get(to).set(day, [old[0] + y, old[1] + n]);
    }
  }
  return { ...figures, counts };
}

// { dealer, visible } of the cohort that could be read; the subject's id.
export function traffic(world, members, subject, range, by = 'channel') {
  const read = members.map(({ dealer, visible }) => ({ ...countsOf(world, dealer, range, by), visible }));
  const deciding = read.filter((f) => f.visible || by === 'channel');
  const totals = new Map();
  for (const f of deciding)
    for (const name of f.counts.keys())
      if (name !== OTHER && Buffer.byteLength(name) <= 150) totals.set(name, (totals.get(name) ?? 0) + part(f, name)[1]);
  const places = ranked([...totals]).slice(0, 200);
  const all = read.map((f) => ({ ...fold(f, new Set(places)), visible: f.visible }));
  const labels = [...places, OTHER];
  const own = all.find((f) => f.dealer.dealer_id === subject);
  const sessions = (f) => sum(labels.map((name) => part(f, name)[1]));
  const same = all.filter((f) => own.event !== null && f.event === own.event);
  const phi = dispersion(same.filter((f) => !f.few).flatMap((f) => labels.map((name) => [...(f.counts.get(name) ?? new Map()).values()])), false);
  const mine = ranked(places.map((name) => [name, part(own, name)[1]]).filter(([, n]) => n > 0));
  const shown = mine.slice(0, 25);
  const restricted = all.some((f) => !f.visible);
  const benchmark = restricted ? released(world, all, same, labels, basesOf(range), own) : open(all, same, own, sessions);
  const cells = shown.map((name) => ({
    name, own: part(own, name), phi, share: false,
    role: [SELF, UNSET, OTHER].includes(name) ? 'context' : 'judged',
    ...benchmark(name),
  }));
  // A subject that lost so many days that it has no rates is held to nothing.
  for (const c of cells) if (!c.others || own.few) delete c.others;
  const tested = judge(cells);
  for (const c of cells) if (own.few && c.role === 'judged') c.standing = 'SUSPECT_DATA';
  const rows = cells.map((c) => rowOf(c, own, sessions(own), restricted));
  const rest = [...mine.slice(25), OTHER].map((name) => part(own, name)).filter(([, n]) => n > 0);
  if (rest.length > 0)
    rows.push({ ...ownOf(OTHER, [sum(rest.map(([y]) => y)), sum(rest.map(([, n]) => n))], own, sessions(own)), standing: 'CONTEXT_ONLY' });
  return { dealer_id: subject, sessions: sessions(own), by, lead_event: own.event ?? undefined, tested, sources: rows };
}

function ownOf(source, [y, n], own, total) {
  return {
    source, sessions: n, share: total > 0 ? n / total : undefined,
    leads: own.event === null ? undefined : y,
    leads_per_100_sessions: own.event !== null && n > 0 ? (100 * y) / n : undefined,
  };
}

function rowOf(c, own, total, restricted) {
  const row = { ...ownOf(c.name, c.own, own, total), others_share: c.othersShare,
    others_leads_per_100_sessions: c.othersLeads, standing: c.standing, suppressed: c.suppressed };
  if (c.index === undefined) return row;
  const [low, high] = restricted ? outward([c.low, c.high]) : [c.low, c.high];
  return { ...row, index: restricted ? roundHalfEven(c.index) : c.index, index_low: low, index_high: high,
    expected: restricted ? expectedForm(c.expected) : c.expected, q: restricted ? undefined : c.q };
}
const roundHalfEven = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

// The caller sees everybody: all but the subject and those that lost too many days for rates.
function open(all, same, own, sessions) {
  return (name) => {
    const others = all.filter((f) => f !== own && !f.few), counting = same.filter((f) => others.includes(f));
    const n = sum(others.map(sessions));
    const y = sum(counting.map((f) => part(f, name)[0])), m = sum(counting.map((f) => part(f, name)[1]));
    return {
      othersShare: n > 0 ? sum(others.map((f) => part(f, name)[1])) / n : undefined,
      othersLeads: m > 0 ? (100 * y) / m : undefined,
      others: m > 0 ? [y, m] : undefined,
    };
  };
}

// What is released of the dealers outside the view: sums of weeks or months, each with the dealers that
// have rates in it.
function released(world, all, same, labels, bases, own) {
  const add = ([y, n], [a, b]) => [y + a, n + b];
  const summed = (days, { from, to }) => [...days].reduce((c, [day, of]) => (day >= from && day <= to ? add(c, of) : c), [0, 0]);
  const inBase = (f, base) => new Map(lost(world, f.dealer, base).few ? [] : [...f.counts].map(([name, days]) => [name, summed(days, base)]));
  const at = (k) => (f, name) => f.weeks[k].get(name) ?? [0, 0];
  const whole = (f, name) => f.weeks.map((_, k) => at(k)(f, name)).reduce(add, [0, 0]);
  const allIn = (of, f) => sum(labels.map((name) => of(f, name)[1]));
  const outside = all.filter((f) => !f.visible).map((f) => ({ ...f, from: f, weeks: bases.map((b) => inBase(f, b)) })).filter((f) => allIn(whole, f) > 0);
  const counting = outside.filter((f) => same.includes(f.from));
  const owner = (f) => f.dealer.owner;
  const each = (list, of, y) => (name) => list.map((f) => ({ owner: owner(f), n: of(f, name)[1], y: y * of(f, name)[0] }));
  const shares = split(labels, each(outside, whole, 0), false, bases.map((_, k) => each(outside, at(k), 0)));
  const leads = split(labels, each(counting, whole, 1), true, bases.map((_, k) => each(counting, at(k), 1)));
  // A source may be missing in a week, but not all dealers.
  const gap = (list) => bases.some((_, k) => list.every((f) => allIn(at(k), f) === 0));
  const weekly = (name, share) => (!share && gap(counting) ? 'min_contributors' : bases.map((_, k) => (share
    ? refusedUnit(outside.map((f) => ({ owner: owner(f), n: allIn(at(k), f), y: at(k)(f, name)[1] })).filter((d) => d.n > 0), { share: true })
    : refusedWeek(each(counting, at(k), 1)(name).filter((d) => d.n > 0)))).find((code) => code !== undefined));
  return (name) => {
    const share = outside.map((f) => ({ owner: owner(f), n: allIn(whole, f), y: whole(f, name)[1] }));
    const lead = each(counting, whole, 1)(name).filter((d) => d.n > 0);
    const shareCode = shares.code ?? (shares.released.has(name) ? refused(share, { share: true }) ?? weekly(name, true) : 'min_contributors');
    const leadCode = leads.code ?? (leads.released.has(name) ? refused(lead) ?? weekly(name, false) : 'min_contributors');
    const total = (list, key) => sum(list.map((d) => d[key]));
    return {
      othersShare: shareCode ? undefined : pooled(total(share, 'y'), total(share, 'n')),
      othersLeads: leadCode ? undefined : pooled(total(lead, 'y'), total(lead, 'n'), 100),
      others: leadCode ? undefined : releasedPool(total(lead, 'y'), total(lead, 'n'), 100),
      suppressed: shareCode ?? leadCode, withheld: own.event !== null && leadCode !== undefined,
    };
  };
}
