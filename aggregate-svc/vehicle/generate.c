/* vehicle-table: compiles config/vehicles.json into the C tables that match.c looks names up in.
 *
 * Refuses a catalogue in which a name is squeezed to nothing, a make or a body is unknown, a list
 * is over its cap, or two models of one make share a name: each would be a silent wrong answer. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/vehicle/tokens.h"
#include "aggregate-svc/vehicle/trie.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum {
  MODELS_MAX = 4096,
  MAKES_MAX = 256,
  KEYS_MAX = 8192,
  NODES_MAX = UINT16_MAX,
  SHARED_MAX = 8,
  FAMILIES_MAX = 64,
  BODIES_MAX = 32,
  FILE_MAX = 4 * 1024 * 1024
};

struct key {
  int make; /* -1 for none */
  size_t n;
  uint16_t models[SHARED_MAX];
  char name[128];
};

struct model {
  uint16_t make;
  size_t body;
  unsigned powertrains;
  const char *name, *segment;
};

static struct table {
  const cJSON *weak;
  size_t n_makes, n_models, n_keys, n_nodes, n_families, n_bodies;
  const char *makes[MAKES_MAX];
  struct model models[MODELS_MAX];
  struct key keys[KEYS_MAX];
  struct vehicle_node nodes[NODES_MAX];
  struct vehicle_family families[FAMILIES_MAX];
  const char *bodies[BODIES_MAX];
} t;

__attribute__((noreturn, format(printf, 1, 2))) static void refuse(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  fputs("vehicle-table: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  exit(1);
}

/* ------------------------------------------------------------------ names */

/* As vehicle_squeeze(), which needs the tables of this program. */
static void squeeze(char *out, size_t cap, const char *name)
{
  struct vehicle_tokens tokens;
  size_t n = 0;
  vehicle_tokens_read(&tokens, name, strlen(name));
  for (size_t i = 0; i < tokens.n; i++) {
    if (n + tokens.token[i].len >= cap)
      refuse("the name \"%s\" is too long", name);
    memcpy(out + n, tokens.text + tokens.token[i].at, tokens.token[i].len);
    n += tokens.token[i].len;
  }
  out[n] = '\0';
  if (n == 0)
    refuse("nothing is left of the name \"%s\"", name);
}

static uint16_t add_node(char c)
{
  if (t.n_nodes == NODES_MAX)
    refuse("more than %d nodes", NODES_MAX);
  t.nodes[t.n_nodes] = (struct vehicle_node){.c = c};
  return (uint16_t)t.n_nodes++;
}

static uint16_t child_of(uint16_t node, char c)
{
  uint16_t *link = &t.nodes[node].child;
  while (*link != 0 && t.nodes[*link].c != c)
    link = &t.nodes[*link].sibling;
  if (*link == 0) {
    uint16_t fresh = add_node(c);
    *link = fresh;
  }
  return *link;
}

static struct key *key_of(const char *name)
{
  char squeezed[128];
  uint16_t node = 0;
  squeeze(squeezed, sizeof(squeezed), name);
  for (const char *p = squeezed; *p != '\0'; p++)
    node = child_of(node, *p);
  if (t.nodes[node].key == 0) {
    if (t.n_keys == KEYS_MAX)
      refuse("more than %d names", KEYS_MAX);
    struct key *fresh = &t.keys[t.n_keys++];
    fresh->make = -1;
    memcpy(fresh->name, squeezed, sizeof(squeezed));
    t.nodes[node].key = (uint16_t)t.n_keys;
  }
  return &t.keys[t.nodes[node].key - 1];
}

static void name_make(uint16_t make, const char *name)
{
  struct key *key = key_of(name);
  if (key->make >= 0 && key->make != make)
    refuse("\"%s\" names the makes %s and %s", name, t.makes[key->make], t.makes[make]);
  key->make = make;
}

static void name_model(uint16_t model, const char *name)
{
  struct key *key = key_of(name);
  for (size_t i = 0; i < key->n; i++) {
    if (key->models[i] == model)
      return;
    if (t.models[key->models[i]].make == t.models[model].make)
      refuse("\"%s\" names %s and %s of %s", name, t.models[key->models[i]].name,
             t.models[model].name, t.makes[t.models[model].make]);
  }
  if (key->n == SHARED_MAX)
    refuse("more than %d models are named \"%s\"", SHARED_MAX, name);
  key->models[key->n++] = model;
}

/* ------------------------------------------------------------------ the file */

static const char *text_of(const cJSON *object, const char *key)
{
  const char *s = json_get_string(object, key);
  if (s == NULL || s[0] == '\0')
    refuse("a %s is missing near \"%s\"", key, json_get_string(object, "name"));
  return s;
}

static size_t body_of(const char *name)
{
  for (size_t i = 0; i < t.n_bodies; i++) {
    if (strcmp(t.bodies[i], name) == 0)
      return i;
  }
  if (t.n_bodies == BODIES_MAX)
    refuse("more than %d body styles", BODIES_MAX);
  t.bodies[t.n_bodies] = name;
  return t.n_bodies++;
}

static unsigned powertrains_of(const cJSON *list, const char *model)
{
  static const char *const names[VEHICLE_POWERTRAINS] = {"ice", "hybrid", "phev", "ev"};
  unsigned bits = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, list)
  {
    unsigned bit = 0;
    for (unsigned p = 0; p < VEHICLE_POWERTRAINS; p++) {
      if (cJSON_IsString(item) && strcmp(item->valuestring, names[p]) == 0)
        bit = 1u << p;
    }
    if (bit == 0)
      refuse("powertrains of %s: must be among ice, hybrid, phev, ev", model);
    bits |= bit;
  }
  if (bits == 0)
    refuse("powertrains of %s: missing", model);
  return bits;
}

static int by_name(const void *a, const void *b)
{
  const char *x = json_get_string(*(const cJSON *const *)a, "name");
  const char *y = json_get_string(*(const cJSON *const *)b, "name");
  return strcmp(x, y);
}

static void add_model(uint16_t make, const cJSON *m)
{
  if (t.n_models == MODELS_MAX)
    refuse("more than %d models", MODELS_MAX);
  const char *name = text_of(m, "name");
  t.models[t.n_models] = (struct model){make, body_of(text_of(m, "body_style")),
                                        powertrains_of(cJSON_GetObjectItem(m, "powertrains"), name),
                                        name, text_of(m, "segment")};
  uint16_t number = (uint16_t)t.n_models++;
  name_model(number, name);
  const cJSON *alias;
  cJSON_ArrayForEach(alias, cJSON_GetObjectItem(m, "aliases"))
      name_model(number, cJSON_IsString(alias) ? alias->valuestring : "");
}

static void add_make(const cJSON *make)
{
  const cJSON *sorted[MODELS_MAX], *item;
  size_t n = 0;
  if (t.n_makes == MAKES_MAX)
    refuse("more than %d makes", MAKES_MAX);
  uint16_t number = (uint16_t)t.n_makes++;
  t.makes[number] = text_of(make, "name");
  name_make(number, t.makes[number]);
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(make, "aliases"))
      name_make(number, cJSON_IsString(item) ? item->valuestring : "");
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(make, "models"))
  {
    text_of(item, "name");
    if (n == MODELS_MAX)
      refuse("more than %d models", MODELS_MAX);
    sorted[n++] = item;
  }
  qsort(sorted, n, sizeof(sorted[0]), by_name);
  for (size_t i = 0; i < n; i++)
    add_model(number, sorted[i]);
}

static void add_families(const cJSON *makes)
{
  const cJSON *make, *other;
  uint16_t number = 0;
  cJSON_ArrayForEach(make, makes)
  {
    cJSON_ArrayForEach(other, cJSON_GetObjectItem(make, "also_sells"))
    {
      struct key *key = key_of(cJSON_IsString(other) ? other->valuestring : "");
      if (key->make < 0 || t.n_families == FAMILIES_MAX)
        refuse("also_sells of %s: no such make, or more than %d", t.makes[number], FAMILIES_MAX);
      t.families[t.n_families++] = (struct vehicle_family){number, (uint16_t)key->make};
    }
    number++;
  }
}

static void read_catalogue(const cJSON *root)
{
  const cJSON *make, *makes = cJSON_GetObjectItem(root, "makes");
  t.weak = cJSON_GetObjectItem(root, "weak_words");
  add_node('\0');
  cJSON_ArrayForEach(make, makes) add_make(make);
  if (t.n_models == 0)
    refuse("no models");
  add_families(makes);
}

/* ------------------------------------------------------------------ strength */

static bool listed(const char *name)
{
  const cJSON *item;
  cJSON_ArrayForEach(item, t.weak)
  {
    if (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0)
      return true;
  }
  return false;
}

static bool only(const char *s, int (*is)(int))
{
  for (; *s != '\0'; s++) {
    if (!is((unsigned char)*s))
      return false;
  }
  return true;
}

static bool is_weak(const char *name)
{
  size_t len = strlen(name);
  bool tesla = len == 6 && strncmp(name, "model", 5) == 0;
  return len <= 2 || (len == 3 && only(name, isalpha)) || only(name, isdigit) || tesla ||
         listed(name);
}

static bool is_bare_weak(const char *name)
{
  static const char *const words[] = {"is", "es", "it", "go", "air", "ct",
                                      "ls", "gt", "ex", "s",  "z",   "c"};
  for (size_t i = 0; i < ARRAY_LEN(words); i++) {
    if (strcmp(words[i], name) == 0)
      return true;
  }
  return false;
}

/* ------------------------------------------------------------------ output */

static void put_text(FILE *f, const char *s)
{
  fputc('"', f);
  for (; *s != '\0'; s++) {
    if (*s == '"' || *s == '\\')
      fputc('\\', f);
    fputc(*s, f);
  }
  fputc('"', f);
}

static void put_names(FILE *f, const char *array, const char *const *names, size_t n)
{
  fprintf(f, "const char *const %s[] = {\n", array);
  for (size_t i = 0; i < n; i++) {
    put_text(f, names[i]);
    fputs(",\n", f);
  }
  fprintf(f, "};\nconst size_t %s_len = %zu;\n", array, n);
}

static void put_models(FILE *f)
{
  fputs("const struct vehicle_model vehicle_models[] = {\n", f);
  for (size_t i = 0; i < t.n_models; i++) {
    const struct model *m = &t.models[i];
    fprintf(f, "{%u, %zu, %u, ", m->make, m->body, m->powertrains);
    put_text(f, m->name);
    fputs(", ", f);
    put_text(f, m->segment);
    fputs("},\n", f);
  }
  fprintf(f, "};\nconst size_t vehicle_models_len = %zu;\n", t.n_models);
}

static void put_keys(FILE *f)
{
  size_t first = 0;
  fputs("const uint16_t vehicle_key_models[] = {\n", f);
  for (size_t i = 0; i < t.n_keys; i++) {
    for (size_t k = 0; k < t.keys[i].n; k++)
      fprintf(f, "%u, ", t.keys[i].models[k]);
  }
  fputs("0};\nconst struct vehicle_key vehicle_keys[] = {\n", f);
  for (size_t i = 0; i < t.n_keys; i++) {
    const struct key *key = &t.keys[i];
    unsigned make = key->make < 0 ? VEHICLE_NO_MAKE : (unsigned)key->make;
    fprintf(f, "{%u, %zu, %zu, %zu, %d, %d},\n", make, first, key->n, strlen(key->name),
            is_weak(key->name), is_bare_weak(key->name));
    first += key->n;
  }
  fputs("};\n", f);
}

static void put_trie(FILE *f)
{
  fputs("const struct vehicle_node vehicle_nodes[] = {\n", f);
  for (size_t i = 0; i < t.n_nodes; i++)
    fprintf(f, "{%u, %u, %u, %d},\n", t.nodes[i].child, t.nodes[i].sibling, t.nodes[i].key,
            t.nodes[i].c);
  fputs("};\nconst struct vehicle_family vehicle_families[] = {\n", f);
  for (size_t i = 0; i < t.n_families; i++)
    fprintf(f, "{%u, %u},\n", t.families[i].make, t.families[i].other);
  fprintf(f, "};\nconst size_t vehicle_families_len = %zu;\n", t.n_families);
}

static void put_tables(const char *path)
{
  FILE *f = fopen(path, "we");
  if (f == NULL)
    refuse("%s: cannot be written", path);
  fputs("/* Made from config/vehicles.json by vehicle-table. */\n"
        "#include \"aggregate-svc/vehicle/trie.h\"\n"
        "#include \"aggregate-svc/vehicle/vehicle.h\"\n\n",
        f);
  put_names(f, "vehicle_makes", t.makes, t.n_makes);
  put_names(f, "vehicle_bodies", t.bodies, t.n_bodies);
  put_models(f);
  put_keys(f);
  put_trie(f);
  if (fclose(f) != 0)
    refuse("%s: cannot be written", path);
}

int main(int argc, char **argv)
{
  if (argc != 3)
    refuse("usage: vehicle-table CATALOGUE.json TABLES.c");
  static char text[FILE_MAX];
  FILE *f = fopen(argv[1], "re");
  if (f == NULL)
    refuse("%s: cannot be read", argv[1]);
  size_t len = fread(text, 1, sizeof(text), f);
  fclose(f);
  AUTO_JSON cJSON *root = NULL;
  struct err e = {0};
  if (json_parse(&root, text, len, NULL, &e) != ERR_OK)
    refuse("%s: %s", argv[1], e.message);
  read_catalogue(root);
  put_tables(argv[2]);
  return 0;
}
