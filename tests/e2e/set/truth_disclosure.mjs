// What may be shown of dealers that a caller does not see, from docs/internals/aggregate-svc.md alone:
// the policy on the parts of outside dealers, which values of a dimension are shown apart, and the forms.

const sum = (list) => list.reduce((total, x) => total + x, 0);

// To significant digits, of two that are equally near the even one, as the product rounds: toPrecision(), which is
// exact otherwise, takes the larger (5 / 16 would be 0.313 and not 0.312).
export function significant(x, n) {
  if (x === 0) return 0;
  const [digits, power] = Math.abs(x).toExponential(100).split('e');
  const kept = digits.slice(0, n + (n > 1 ? 1 : 0)), rest = digits.replace('.', '').slice(n);
  const down = /^50*$/.test(rest) && Number(kept.at(-1)) % 2 === 0;
  return down ? Math.sign(x) * Number(`${kept}e${power}`) : Number(x.toPrecision(n));
}

// Totals by owner of a list of [owner, value].
function byOwner(list) {
  const owners = new Map();
  for (const [owner, value] of list) owners.set(owner, (owners.get(owner) ?? 0) + value);
  return [...owners.values()].sort((a, b) => b - a);
}

// The code for one list of values; undefined when they pass.
function refusal(list, least = 20) {
  const owners = byOwner(list);
  const [first = 0, second = 0] = owners;
  const total = sum(owners);
  if (owners.length < 3) return 'min_owners';
  if (total < least) return 'min_volume';
  if (100 * first > 40 * total || 100 * (first + second) > 75 * total) return 'dominance';
  if (100 * (total - first - second) < 10 * first) return 'p_percent';
  return undefined;
}

// The code for dealers { owner, n, y } of a pooled rate y / n; `share`: the rest must pass, too.
export function refused(dealers, { rate = true, share = false } = {}) {
  if (dealers.length < 5) return 'min_contributors';
  return (
    refusal(dealers.map((d) => [d.owner, d.n])) ??
    (rate ? refusal(dealers.map((d) => [d.owner, d.y])) : undefined) ??
    (share ? refusal(dealers.map((d) => [d.owner, d.n - d.y])) : undefined)
  );
}

// Whether a range is whole weeks or whole months.
export function inLattice({ start_date, end_date }) {
  const [first, last] = [start_date, end_date].map((d) => new Date(`${d}T00:00:00Z`));
  const next = new Date(last.getTime() + 86_400_000);
  return (first.getUTCDay() === 1 && last.getUTCDay() === 0) || (first.getUTCDate() === 1 && next.getUTCDate() === 1);
}

// The weeks of a range of whole weeks, else its months, as { from, to } (YYYYMMDD).
export function basesOf({ start_date, end_date }) {
  const DAY = 86_400_000, text = (t) => new Date(t).toISOString().slice(0, 10).replaceAll('-', '');
  const [first, last] = [start_date, end_date].map((d) => Date.parse(`${d}T00:00:00Z`));
  const out = [];
  if (new Date(first).getUTCDay() === 1 && new Date(last).getUTCDay() === 0)
    for (let t = first; t < last; t += 7 * DAY) out.push({ from: text(t), to: text(t + 6 * DAY) });
  else
    for (let t = first; t < last; ) {
      const next = Date.UTC(new Date(t).getUTCFullYear(), new Date(t).getUTCMonth() + 1, 1);
      out.push({ from: text(t), to: text(next - DAY) });
      t = next;
    }
  return out;
}

// The parts of a period from those of its weeks or months, lists of { dealer, owner, n, y }.
export function byDealer(weeks) {
  const dealers = new Map();
  for (const p of weeks.flat()) {
    const { y, n } = dealers.get(p.dealer) ?? { y: 0, n: 0 };
    dealers.set(p.dealer, { ...p, y: y + p.y, n: n + p.n });
  }
  return [...dealers.values()];
}

// A week or month of it: few events are not looked at, and one without anything of anybody passes.
export function refusedWeek(dealers, { rate = true, share = false } = {}) {
  const [y, n] = ['y', 'n'].map((k) => sum(dealers.map((d) => d[k])));
  if (n === 0) return undefined;
  if (dealers.length < 5) return 'min_contributors';
  const ratio = rate && y >= 20, parts = [(d) => d.n, ...(ratio ? [(d) => d.y] : []), ...(share && ratio && n - y >= 20 ? [(d) => d.n - d.y] : [])];
  if (new Set(dealers.map((d) => d.owner)).size < 3) return 'min_owners';
  if (n < 20) return undefined;
  return parts.map((of) => refusal(dealers.map((d) => [d.owner, of(d)]), 0)).find((code) => code !== undefined);
}

// The same of a whole figure, not of a slice: where nobody outside is in a week, it would stand for fewer days than
// the period has.
export const refusedUnit = (dealers, forms) => (dealers.length === 0 ? 'min_contributors' : refusedWeek(dealers, forms));

// Which labels are shown apart. `parts` of a label: a list of { owner, n, y } by outside dealer.
// { released: Set, code }; with a code nothing of the dimension is shown.
// `weeks`: the same function for each week or month of the period.
export function split(labels, parts, rate, weeks = []) {
  const have = (list) => list.filter((d) => d.n !== 0 || d.y !== 0);
  const size = (label) => sum(parts(label).map((d) => d.n));
  const present = labels.filter((label) => have(parts(label)).length > 0);
  const failing = (of) => refused(have(of(parts)), { rate }) ?? weeks.map((week) => refusedWeek(have(of(week)), { rate })).find((code) => code !== undefined);
  const released = new Set(present.filter((label) => failing((list) => list(label)) === undefined));
  const others = () => present.filter((label) => !released.has(label));
  let code;
  while (others().length > 0) {
    const added = (list) => list(labels[0]).map((d, i) => ({ owner: d.owner, n: sum(others().map((l) => list(l)[i].n)), y: sum(others().map((l) => list(l)[i].y)) }));
    code = failing(added);
    if (code === undefined && others().length >= 2) break;
    let next;
    for (const label of labels) if (released.has(label) && (next === undefined || size(label) < size(next))) next = label;
    if (next === undefined) {
      code ??= 'min_contributors';
      break;
    }
    released.delete(next);
    code = undefined;
  }
  return released.size > 0 ? { released } : { released, code: code ?? 'min_contributors' };
}

// Forms: a pooled rate, events for intervals, and the pool that a verdict rests on.
export const pooled = (y, n, scale = 1) => significant((scale * y) / n, 3);
export function roundedEvents(y) {
  if (y < 20) return 0;
  let step = 20;
  while (4 * step <= y) step *= 4;
  return step;
}
export function releasedPool(y, n, scale) {
  const events = roundedEvents(y), rate = pooled(y, n, scale);
  return rate > 0 ? [events, Math.round((events * scale) / rate)] : undefined;
}
export const outward = ([low, high]) => [Math.max(0, 5 * Math.floor(low / 5)), 5 * Math.ceil(high / 5)];
export const expectedForm = (x) => significant(x, 2);
