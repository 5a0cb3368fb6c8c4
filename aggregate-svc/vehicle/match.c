/* Looks a text's tokens up in the catalogue and decides which vehicle they name, if one. */
#include <string.h>

#include "aggregate-svc/vehicle/tokens.h"
#include "aggregate-svc/vehicle/trie.h"
#include "aggregate-svc/vehicle/vehicle.h"

enum { SPANS_MAX = 48, KEY_TOKENS_MAX = 8 };

/* A run of tokens [from, to) that is a key. */
struct span {
  uint8_t from, to;
  bool adjacent;  /* stands beside its make */
  bool tied;      /* could be models of several makes */
  uint16_t model; /* of a candidate */
  const struct vehicle_key *key;
};

struct search {
  struct vehicle_tokens tokens;
  bool field;
  uint16_t given; /* make of the field beside it, or VEHICLE_NO_MAKE */
  size_t n_makes, n_found;
  struct span makes[SPANS_MAX];
  struct span found[SPANS_MAX];
};

/* ------------------------------------------------------------------ the trie */

static uint16_t step(uint16_t node, char c)
{
  uint16_t child = vehicle_nodes[node].child;
  while (child != 0 && vehicle_nodes[child].c != c)
    child = vehicle_nodes[child].sibling;
  return child;
}

/* The node behind the token, 0 when no key goes on so. */
static uint16_t walk(uint16_t node, const struct vehicle_tokens *t, size_t i)
{
  const char *p = t->text + t->token[i].at;
  for (size_t k = 0; k < t->token[i].len; k++) {
    node = step(node, p[k]);
    if (node == 0)
      return 0;
  }
  return node;
}

static void add(struct span *list, size_t *n, size_t from, size_t to, const struct vehicle_key *key)
{
  if (*n < SPANS_MAX)
    list[(*n)++] = (struct span){.from = (uint8_t)from, .to = (uint8_t)to, .key = key};
}

static void look_up(struct search *s)
{
  const struct vehicle_tokens *t = &s->tokens;
  for (size_t i = 0; i < t->n; i++) {
    uint16_t node = 0;
    for (size_t k = i; k < t->n && k < i + KEY_TOKENS_MAX; k++) {
      node = walk(node, t, k);
      if (node == 0)
        break;
      if (vehicle_nodes[node].key == 0)
        continue;
      const struct vehicle_key *key = &vehicle_keys[vehicle_nodes[node].key - 1];
      if (key->make != VEHICLE_NO_MAKE)
        add(s->makes, &s->n_makes, i, k + 1, key);
      if (key->n > 0)
        add(s->found, &s->n_found, i, k + 1, key);
    }
  }
}

/* The key that the whole text is, or NULL. */
static const struct vehicle_key *whole_key(const struct vehicle_tokens *t)
{
  uint16_t node = 0;
  for (size_t i = 0; i < t->n; i++) {
    node = walk(node, t, i);
    if (node == 0)
      return NULL;
  }
  uint16_t key = t->n > 0 ? vehicle_nodes[node].key : 0;
  return key == 0 ? NULL : &vehicle_keys[key - 1];
}

/* ------------------------------------------------------------------ makes */

static bool sells(uint16_t make, uint16_t other)
{
  if (make == other)
    return true;
  for (size_t i = 0; i < vehicle_families_len; i++) {
    if (vehicle_families[i].make == make && vehicle_families[i].other == other)
      return true;
  }
  return false;
}

static bool make_allows(const struct search *s, uint16_t make)
{
  if (s->given != VEHICLE_NO_MAKE)
    return sells(s->given, make);
  for (size_t i = 0; i < s->n_makes; i++) {
    if (sells(s->makes[i].key->make, make))
      return true;
  }
  return s->n_makes == 0;
}

static bool make_is_named(const struct search *s, uint16_t make)
{
  for (size_t i = 0; i < s->n_makes; i++) {
    if (s->makes[i].key->make == make)
      return true;
  }
  return s->given == make;
}

static bool beside_its_make(const struct search *s, const struct span *c, uint16_t make)
{
  for (size_t i = 0; i < s->n_makes; i++) {
    const struct span *m = &s->makes[i];
    if (sells(m->key->make, make) && m->from < c->to && m->to >= c->from)
      return true;
  }
  return false;
}

/* ------------------------------------------------------------------ candidates */

/* The one model that the key's make leaves; false for none, or several of which none is of a make
 * that is named. */
static bool settle_model(const struct search *s, struct span *c)
{
  size_t left = 0, named = 0;
  uint16_t exact = 0;
  for (size_t i = 0; i < c->key->n; i++) {
    uint16_t model = vehicle_key_models[c->key->first + i];
    uint16_t make = vehicle_models[model].make;
    if (!make_allows(s, make))
      continue;
    left++;
    c->model = model;
    if (make_is_named(s, make)) {
      named++;
      exact = model;
    }
  }
  if (left > 1 && named == 1)
    c->model = exact;
  return left == 1 || (left > 1 && named == 1);
}

static bool last_or_before_a_number(const struct vehicle_tokens *t, size_t to)
{
  return to == t->n || (t->text[t->token[to].at] >= '0' && t->text[t->token[to].at] <= '9');
}

/* Short and everyday words are vehicles only where nothing else can be meant. */
static bool strong_enough(const struct search *s, const struct span *c)
{
  if (!c->key->weak)
    return true;
  if (c->adjacent)
    return s->field || !c->key->bare_weak || last_or_before_a_number(&s->tokens, c->to);
  return s->field && c->from == 0 && (s->given != VEHICLE_NO_MAKE || (size_t)c->to == s->tokens.n);
}

static bool better(const struct span *a, const struct span *b)
{
  if (a->adjacent != b->adjacent)
    return a->adjacent;
  if (a->key->len != b->key->len)
    return a->key->len > b->key->len;
  return a->from < b->from;
}

/* Keeps what the makes and the strength leave. */
static void keep_candidates(struct search *s)
{
  size_t kept = 0;
  for (size_t i = 0; i < s->n_found; i++) {
    struct span c = s->found[i];
    c.tied = !settle_model(s, &c);
    if (c.tied && !make_allows(s, vehicle_models[vehicle_key_models[c.key->first]].make))
      continue;
    c.adjacent = beside_its_make(s, &c, vehicle_models[c.model].make);
    if (strong_enough(s, &c))
      s->found[kept++] = c;
  }
  s->n_found = kept;
}

/* Begins inside a word that another candidate reads from an earlier place: the "Z Nismo" of "370Z
 * Nismo", the "5 Series" of "X5 Series". */
static bool is_tail(const struct search *s, const struct span *c)
{
  size_t at = s->tokens.token[c->from].at;
  bool inside = at > 0 && s->tokens.text[at - 1] != '.', found = false;
  for (size_t i = 0; inside && i < s->n_found; i++)
    found |= s->found[i].from < c->from && s->found[i].to > c->from;
  return found;
}

static const struct span *choose(struct search *s)
{
  const struct span *best = NULL;
  keep_candidates(s);
  for (size_t i = 0; i < s->n_found; i++)
    if (!is_tail(s, &s->found[i]) && (best == NULL || better(&s->found[i], best)))
      best = &s->found[i];
  return best;
}

static bool compares(const struct search *s, const struct span *best)
{
  static const char *const words[] = {"vs", "versus", "compare", "comparison", "or"};
  bool other = false;
  for (size_t i = 0; i < s->n_found; i++) {
    const struct span *c = &s->found[i];
    other |= c->model != best->model && (c->to <= best->from || c->from >= best->to);
  }
  for (size_t i = 0; other && i < s->tokens.n; i++) {
    for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
      if (vehicle_token_is(&s->tokens, i, words[k]))
        return true;
    }
  }
  return false;
}

/* ------------------------------------------------------------------ powertrain */

static unsigned hints(const struct vehicle_tokens *t)
{
  static const struct {
    const char *word;
    unsigned bits;
  } table[] = {
      {"hybrid", 1u << VEHICLE_HYBRID},
      {"hev", 1u << VEHICLE_HYBRID},
      {"plug", 1u << VEHICLE_PHEV},
      {"phev", 1u << VEHICLE_PHEV},
      {"prime", 1u << VEHICLE_PHEV},
      {"xe", 1u << VEHICLE_PHEV},
      {"energi", 1u << VEHICLE_PHEV},
      {"ehybrid", 1u << VEHICLE_PHEV},
      {"ev", 1u << VEHICLE_EV},
      {"bev", 1u << VEHICLE_EV},
      {"electric", 1u << VEHICLE_EV},
      {"electrified", 1u << VEHICLE_EV},
      {"diesel", 1u << VEHICLE_ICE},
      {"gas", 1u << VEHICLE_ICE},
      {"recharge", 1u << VEHICLE_PHEV | 1u << VEHICLE_EV},
  };
  unsigned bits = 0;
  for (size_t i = 0; i < t->n; i++) {
    for (size_t k = 0; k < sizeof(table) / sizeof(table[0]); k++) {
      if (vehicle_token_is(t, i, table[k].word))
        bits |= table[k].bits;
    }
  }
  /* "Plug-In Hybrid" is not a hybrid. */
  return bits & 1u << VEHICLE_PHEV ? bits & ~(1u << VEHICLE_HYBRID) : bits;
}

enum vehicle_powertrain vehicle_tokens_powertrain(const struct vehicle_tokens *t, unsigned has)
{
  bool several = (has & (has - 1)) != 0;
  unsigned bits = several ? hints(t) & has : has;
  if (bits == 0)
    bits = has;
  for (unsigned p = 0; p < VEHICLE_POWERTRAINS; p++) {
    if (bits == 1u << p)
      return (enum vehicle_powertrain)p;
  }
  return VEHICLE_POWERTRAIN_UNKNOWN;
}

/* Names that were those of a trim before a model year: a Charger with an engine, an F-150 SVT. */
static uint16_t by_year(uint16_t model, int year)
{
  static const struct {
    const char *name;
    int since;
  } table[] = {{"Charger Daytona", 2024}, {"F-150 Lightning", 2021}};
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    bool trim = year != 0 && year < table[i].since && model > 0;
    if (trim && strcmp(vehicle_models[model].name, table[i].name) == 0)
      return (uint16_t)(model - 1); /* the catalogue has the name without the trim before it */
  }
  return model;
}

/* "EQE 350 4MATIC SUV": the word stands behind the trim, and makes it another model where the
 * catalogue has that one as "EQE SUV". */
static uint16_t by_body(const struct vehicle_tokens *t, uint16_t model)
{
  size_t len = strlen(vehicle_models[model].name), next = model + 1u;
  bool suv = false;
  for (size_t i = 0; i < t->n; i++) {
    suv |= vehicle_token_is(t, i, "suv");
    if (vehicle_token_is(t, i, "sedan"))
      return model;
  }
  if (!suv || next == vehicle_models_len ||
      vehicle_models[next].make != vehicle_models[model].make ||
      strncmp(vehicle_models[next].name, vehicle_models[model].name, len) != 0 ||
      strcmp(vehicle_models[next].name + len, " SUV") != 0)
    return model;
  return (uint16_t)next;
}

/* ------------------------------------------------------------------ public */

static bool decide(struct search *s, struct vehicle *out)
{
  look_up(s);
  const struct span *best = choose(s);
  if (best == NULL || best->tied || compares(s, best))
    return false;
  out->model = by_body(&s->tokens, by_year(best->model, s->tokens.year));
  out->year = s->tokens.year;
  out->powertrain = vehicle_tokens_powertrain(&s->tokens, vehicle_models[out->model].powertrains);
  return true;
}

static uint16_t make_named(struct vehicle_tokens *scratch, const char *make, size_t len)
{
  vehicle_tokens_read(scratch, make, len);
  const struct vehicle_key *key = whole_key(scratch);
  return key == NULL ? (uint16_t)VEHICLE_NO_MAKE : key->make;
}

bool vehicle_match_field(struct vehicle *out, const char *model, size_t model_len, const char *make,
                         size_t make_len)
{
  struct search s = {.field = true, .given = VEHICLE_NO_MAKE};
  if (make != NULL && make_len > 0)
    s.given = make_named(&s.tokens, make, make_len);
  vehicle_tokens_read(&s.tokens, model, model_len);
  return decide(&s, out);
}

bool vehicle_match_text(struct vehicle *out, const char *text, size_t len)
{
  struct search s = {.given = VEHICLE_NO_MAKE};
  vehicle_tokens_read(&s.tokens, text, len);
  return decide(&s, out);
}

bool vehicle_find(uint16_t *model, const char *make, const char *name)
{
  struct vehicle_tokens t;
  uint16_t of = make_named(&t, make, strlen(make));
  vehicle_tokens_read(&t, name, strlen(name));
  const struct vehicle_key *key = whole_key(&t);
  for (size_t i = 0; key != NULL && i < key->n; i++) {
    *model = vehicle_key_models[key->first + i];
    if (vehicle_models[*model].make == of)
      return true;
  }
  return false;
}

size_t vehicle_squeeze(char *out, size_t cap, const char *text, size_t len)
{
  struct vehicle_tokens t;
  size_t n = 0;
  vehicle_tokens_read(&t, text, len);
  for (size_t i = 0; i < t.n && n + t.token[i].len < cap; i++) {
    memcpy(out + n, t.text + t.token[i].at, t.token[i].len);
    n += t.token[i].len;
  }
  out[n] = '\0';
  return n;
}

const char *vehicle_powertrain_name(enum vehicle_powertrain p)
{
  static const char *const names[] = {"ice", "hybrid", "phev", "ev", "ice_or_unknown"};
  return names[p];
}
