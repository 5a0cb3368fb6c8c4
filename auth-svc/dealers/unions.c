/* Gaussian elimination over the cohorts' membership, modulo a prime. */
#include "auth-svc/dealers/unions.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* Numbers are residues of a prime: memberships are 0 and 1, and a combination that is zero in
 * whole numbers is zero here. (The reverse fails for one in 2^31, towards refusing.) */
static const uint64_t prime = 2147483647;

/* Cap of the check, in steps of eliminations: about a second. */
enum { MAX_STEPS = 400000000 };

/* A column: dealers that are in the same cohorts. */
struct atom {
  size_t first, n; /* in the order of the dealers */
  bool small;      /* not a crowd by itself */
};

struct check {
  const struct directory *directory;
  size_t *rows; /* cohorts that take part */
  size_t n_rows;
  uint16_t *dealers; /* atom by atom */
  struct atom *atoms;
  size_t n_atoms;
  size_t steps; /* taken for small sets */
};

/* Rows of a matrix: the memberships of a combination by atom, then its cohorts' factors. */
struct matrix {
  uint32_t *cells;
  size_t rows, columns;
};

static uint32_t *row_of(const struct matrix *m, size_t row)
{
  return m->cells + row * m->columns;
}

/* ------------------------------------------------------------------------- cohorts */

static bool share_a_dealer(const struct catalogued *a, const struct catalogued *b)
{
  size_t i = 0, k = 0;
  while (i < a->n_members && k < b->n_members) {
    if (a->members[i] == b->members[k])
      return true;
    if (a->members[i] < b->members[k])
      i++;
    else
      k++;
  }
  return false;
}

/* A cohort that overlaps no other is in no combination. */
static void choose_rows(struct check *c, const struct catalogued *cohorts, size_t n)
{
  c->rows = xcalloc(n + 1, sizeof(*c->rows));
  for (size_t i = 0; i < n; i++) {
    bool overlaps = false;
    for (size_t k = 0; k < n && !overlaps && cohorts[i].benchmark; k++)
      overlaps = k != i && cohorts[k].benchmark && share_a_dealer(&cohorts[i], &cohorts[k]);
    if (overlaps)
      c->rows[c->n_rows++] = i;
  }
}

/* --------------------------------------------------------------------------- atoms */

/* Which rows a dealer is in, as bits. */
struct signatures {
  uint64_t *bits;
  size_t words;
};

static int by_signature(const void *a, const void *b, void *arg)
{
  const struct signatures *s = arg;
  size_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
  return memcmp(s->bits + x * s->words, s->bits + y * s->words, s->words * sizeof(*s->bits));
}

static struct signatures sign(const struct check *c, const struct catalogued *cohorts)
{
  struct signatures s = {.words = c->n_rows / 64 + 1};
  s.bits = xcalloc(c->directory->n_dealers + 1, s.words * sizeof(*s.bits));
  for (size_t row = 0; row < c->n_rows; row++) {
    const struct catalogued *k = &cohorts[c->rows[row]];
    for (size_t i = 0; i < k->n_members; i++)
      s.bits[k->members[i] * s.words + row / 64] |= (uint64_t)1 << (row % 64);
  }
  return s;
}

static bool in_any(const struct signatures *s, size_t dealer)
{
  for (size_t i = 0; i < s->words; i++)
    if (s->bits[dealer * s->words + i] != 0)
      return true;
  return false;
}

static int small_last(const void *a, const void *b)
{
  return ((const struct atom *)a)->small - ((const struct atom *)b)->small;
}

static void make_atoms(struct check *c, struct signatures *s)
{
  size_t n = 0;
  c->dealers = xcalloc(c->directory->n_dealers + 1, sizeof(*c->dealers));
  for (size_t i = 0; i < c->directory->n_dealers; i++)
    if (in_any(s, i))
      c->dealers[n++] = (uint16_t)i;
  qsort_r(c->dealers, n, sizeof(*c->dealers), by_signature, s);
  c->atoms = xcalloc(n + 1, sizeof(*c->atoms));
  for (size_t i = 0; i < n;) {
    size_t first = i++;
    while (i < n && by_signature(&c->dealers[first], &c->dealers[i], s) == 0)
      i++;
    bool crowd = catalogue_is_crowd(c->directory, c->dealers + first, i - first);
    c->atoms[c->n_atoms++] = (struct atom){first, i - first, !crowd};
  }
  qsort(c->atoms, c->n_atoms, sizeof(*c->atoms), small_last);
}

static struct matrix memberships(const struct check *c, const struct signatures *s)
{
  struct matrix m = {.rows = c->n_rows, .columns = c->n_atoms + c->n_rows};
  m.cells = xcalloc(m.rows * m.columns + 1, sizeof(*m.cells));
  for (size_t row = 0; row < m.rows; row++) {
    for (size_t k = 0; k < c->n_atoms; k++) {
      size_t dealer = c->dealers[c->atoms[k].first];
      row_of(&m, row)[k] = s->bits[dealer * s->words + row / 64] >> (row % 64) & 1;
    }
    row_of(&m, row)[c->n_atoms + row] = 1;
  }
  return m;
}

/* --------------------------------------------------------------------- elimination */

static uint64_t inverse(uint64_t x)
{
  uint64_t out = 1;
  for (uint64_t e = prime - 2; e > 0; e >>= 1, x = x * x % prime)
    if (e & 1)
      out = out * x % prime;
  return out;
}

static void swap_rows(struct matrix *m, size_t a, size_t b)
{
  for (size_t k = 0; a != b && k < m->columns; k++) {
    uint32_t x = row_of(m, a)[k];
    row_of(m, a)[k] = row_of(m, b)[k];
    row_of(m, b)[k] = x;
  }
}

/* Makes a column zero below row `top`, which has it. */
static void clear_below(struct matrix *m, size_t top, size_t column)
{
  uint64_t inv = inverse(row_of(m, top)[column]);
  for (size_t row = top + 1; row < m->rows; row++) {
    uint64_t factor = row_of(m, row)[column] * inv % prime;
    for (size_t k = 0; factor != 0 && k < m->columns; k++)
      row_of(m, row)[k] =
          (uint32_t)((row_of(m, row)[k] + (prime - factor) * row_of(m, top)[k]) % prime);
  }
}

/* Eliminates the atoms that `skip` (may be NULL for none) does not hold, of the first `n`. The
 * rows from the number returned on are zero in all of them. */
static size_t eliminate(struct matrix *m, size_t n, const bool *skip)
{
  size_t top = 0;
  for (size_t column = 0; column < n && top < m->rows; column++) {
    size_t row = top;
    while (row < m->rows && row_of(m, row)[column] == 0)
      row++;
    if ((skip != NULL && skip[column]) || row == m->rows)
      continue;
    swap_rows(m, top, row);
    clear_below(m, top++, column);
  }
  return top;
}

/* The rows from `first` on, as a matrix. */
static struct matrix tail(const struct matrix *m, size_t first)
{
  struct matrix out = {.rows = m->rows - first, .columns = m->columns};
  out.cells = xcalloc(out.rows * out.columns + 1, sizeof(*out.cells));
  memcpy(out.cells, row_of(m, first), out.rows * out.columns * sizeof(*out.cells));
  return out;
}

static bool is_zero(const struct check *c, const uint32_t *row)
{
  for (size_t k = 0; k < c->n_atoms; k++)
    if (row[k] != 0)
      return false;
  return true;
}

/* ---------------------------------------------------------------------- small sets */

/* Dealers of a set of atoms. */
static size_t gather(const struct check *c, const bool *set, uint16_t *out)
{
  size_t n = 0;
  for (size_t k = 0; k < c->n_atoms; k++)
    for (size_t i = 0; set[k] && i < c->atoms[k].n; i++)
      out[n++] = c->dealers[c->atoms[k].first + i];
  return n;
}

static void report(const struct check *c, const uint32_t *row, struct isolation *out)
{
  *out = (struct isolation){0};
  for (size_t k = 0; k < c->n_atoms; k++)
    if (row[k] != 0) {
      out->dealer = out->dealers == 0 ? c->dealers[c->atoms[k].first] : out->dealer;
      out->dealers += c->atoms[k].n;
    }
  for (size_t i = 0; i < c->n_rows; i++)
    if (row[c->n_atoms + i] != 0) {
      if (out->n < UNIONS_NAMED)
        out->cohorts[out->n] = c->rows[i];
      out->n++;
    }
}

/* Whether a combination of `m` is zero outside a set of small atoms that is not a crowd. */
static bool isolates_set(struct check *c, const struct matrix *m, const bool *set,
                         struct isolation *out)
{
  AUTO_FREE uint16_t *dealers = xcalloc(c->directory->n_dealers + 1, sizeof(*dealers));
  size_t n = gather(c, set, dealers);
  c->steps += m->rows * m->rows * m->columns + c->n_atoms;
  if (n == 0 || catalogue_is_crowd(c->directory, dealers, n))
    return false;
  struct matrix copy = tail(m, 0);
  bool found = false;
  for (size_t row = eliminate(&copy, c->n_atoms, set); row < copy.rows && !found; row++) {
    found = !is_zero(c, row_of(&copy, row));
    if (found)
      report(c, row_of(&copy, row), out);
  }
  free(copy.cells);
  return found;
}

/* Every set of up to so many more small atoms from `from` on. The depth is bounded: a set with
 * enough atoms has enough dealers. */
static bool try_sets(struct check *c, const struct matrix *m, bool *set, size_t from, int more,
                     struct isolation *out)
{
  for (size_t k = from; k < c->n_atoms && more > 0 && c->steps <= MAX_STEPS; k++) {
    if (!c->atoms[k].small)
      continue;
    set[k] = true;
    if (isolates_set(c, m, set, out) || try_sets(c, m, set, k + 1, more - 1, out))
      return true;
    set[k] = false;
  }
  return false;
}

static bool only_owned_by(const struct check *c, size_t atom, const char *a, const char *b)
{
  for (size_t i = 0; i < c->atoms[atom].n; i++) {
    const char *owner = c->directory->dealers[c->dealers[c->atoms[atom].first + i]].owner;
    if (owner[0] == '\0' || (strcmp(owner, a) != 0 && strcmp(owner, b) != 0))
      return false;
  }
  return true;
}

static const char *owner_of(const struct check *c, size_t atom)
{
  return c->directory->dealers[c->dealers[c->atoms[atom].first]].owner;
}

/* All small atoms of two owners, however many dealers they have. */
static bool try_owners(struct check *c, const struct matrix *m, bool *set, struct isolation *out)
{
  for (size_t i = 0; i < c->n_atoms && c->steps <= MAX_STEPS; i++)
    for (size_t k = i; k < c->n_atoms && c->steps <= MAX_STEPS; k++) {
      if (!c->atoms[i].small || !c->atoms[k].small)
        continue;
      for (size_t x = 0; x < c->n_atoms; x++)
        set[x] = c->atoms[x].small && only_owned_by(c, x, owner_of(c, i), owner_of(c, k));
      if (isolates_set(c, m, set, out))
        return true;
    }
  return false;
}

/* Combinations that are zero on every large atom, then those on a few small ones. */
static bool search(struct check *c, struct matrix *all, struct isolation *out)
{
  size_t large = 0;
  while (large < c->n_atoms && !c->atoms[large].small)
    large++;
  AUTO_FREE bool *set = xcalloc(c->n_atoms + 1, sizeof(*set));
  struct matrix small = tail(all, eliminate(all, large, NULL));
  size_t rank = eliminate(&small, c->n_atoms, NULL);
  small.rows = rank; /* the others are zero */
  bool found = rank > 0 && (try_sets(c, &small, set, 0, CATALOGUE_MIN_CONTRIBUTORS - 1, out));
  memset(set, 0, c->n_atoms * sizeof(*set));
  found = found || (rank > 0 && try_owners(c, &small, set, out));
  free(small.cells);
  if (!found && c->steps > MAX_STEPS)
    *out = (struct isolation){.too_large = true};
  return found || out->too_large;
}

bool unions_isolate(const struct directory *d, const struct catalogued *cohorts, size_t n,
                    struct isolation *out)
{
  struct check c = {.directory = d};
  *out = (struct isolation){0};
  choose_rows(&c, cohorts, n);
  struct signatures s = sign(&c, cohorts);
  make_atoms(&c, &s);
  size_t columns = c.n_atoms + c.n_rows;
  bool found;
  if (c.n_rows > 0 && columns > MAX_STEPS / c.n_rows / c.n_rows) {
    found = out->too_large = true;
  } else {
    struct matrix m = memberships(&c, &s);
    found = search(&c, &m, out);
    free(m.cells);
  }
  free(s.bits);
  free(c.rows);
  free(c.dealers);
  free(c.atoms);
  return found;
}
