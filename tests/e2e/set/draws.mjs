// Random draws that a seed repeats: `seed` is where they stand.
export function draws(seed) {
  const d = {
    seed,
    pick(n) {
      d.seed = (Math.imul(d.seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((d.seed / 2 ** 32) * n);
    },
    one: (list) => list[d.pick(list.length)],
    some(names, most, least = 1) {
      const left = [...names];
      return Array.from({ length: least + d.pick(most - least + 1) }, () => left.splice(d.pick(left.length), 1)[0]);
    },
  };
  return d;
}
