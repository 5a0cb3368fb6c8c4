/* A registry of metrics in Prometheus' text format. One lock per metric, which finds a series by
 * its label values. */
#include "common/base/metrics.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/map.h"
#include "common/base/mem.h"

enum { MAX_SERIES = 1000, MAX_LABEL_BYTES = 128, N_BUCKETS = 14, MAX_READERS = 8 };
enum { MAX_KEY = METRICS_MAX_LABELS * (MAX_LABEL_BYTES + 1) };

static const double BUCKETS[N_BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                          0.25,  0.5,    1,     2.5,  5,     10,   60};

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

struct series {
  struct map_node in_map;
  struct series *next_made;               /* in order of making */
  const char *labels[METRICS_MAX_LABELS]; /* in key */
  double value;                           /* counter, gauge, or the histogram's sum */
  uint64_t buckets[N_BUCKETS];
  uint64_t count;
  char key[]; /* the label values, each with its NUL */
};

struct metric {
  struct metric *next;
  char *name, *help;
  enum metric_type type;
  size_t n_labels;
  char *label_names[METRICS_MAX_LABELS];
  pthread_mutex_t lock;
  /* Guarded by lock: */
  struct map series;
  struct series *first, *last;
  struct series *recent; /* the one asked for last; NULL: none */
};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *registry; /* lives as long as the process */
static struct metric **registry_end = &registry;

struct reader {
  void (*read)(void *user);
  void *user;
};
/* Guarded by registry_lock: */
static struct reader readers[MAX_READERS];
static size_t n_readers;

static struct metric *find_metric(const char *name)
{
  for (struct metric *m = registry; m != NULL; m = m->next)
    if (strcmp(m->name, name) == 0)
      return m;
  return NULL;
}

static struct metric *make_metric(enum metric_type type, const char *name, const char *help,
                                  va_list labels)
{
  pthread_mutex_lock(&registry_lock);
  struct metric *m = find_metric(name);
  if (m == NULL) {
    m = xcalloc(1, sizeof(*m));
    m->name = xstrdup(name);
    m->help = xstrdup(help);
    m->type = type;
    pthread_mutex_init(&m->lock, NULL);
    const char *label;
    while ((label = va_arg(labels, const char *)) != NULL && m->n_labels < METRICS_MAX_LABELS)
      m->label_names[m->n_labels++] = xstrdup(label);
    *registry_end = m;
    registry_end = &m->next;
  }
  pthread_mutex_unlock(&registry_lock);
  return m;
}

#define DEFINE_MAKER(fn, type)                                                                     \
  struct metric *fn(const char *name, const char *help, ...)                                       \
  {                                                                                                \
    va_list labels;                                                                                \
    va_start(labels, help);                                                                        \
    struct metric *m = make_metric(type, name, help, labels);                                      \
    va_end(labels);                                                                                \
    return m;                                                                                      \
  }
DEFINE_MAKER(metrics_counter, COUNTER)
DEFINE_MAKER(metrics_gauge, GAUGE)
DEFINE_MAKER(metrics_histogram, HISTOGRAM)

/* The label values as one key, cut to what a label may have; returns its length. */
static size_t put_key(const struct metric *m, const char *const *labels, char key[MAX_KEY])
{
  size_t len = 0;
  for (size_t i = 0; i < m->n_labels; i++) {
    size_t end = len + MAX_LABEL_BYTES;
    for (const char *p = labels[i]; *p != '\0' && len < end; p++)
      key[len++] = *p;
    key[len++] = '\0';
  }
  return len;
}

static struct series *make_series(struct metric *m, const char *key, size_t len)
{
  struct series *s = xcalloc(1, sizeof(*s) + len);
  memcpy(s->key, key, len);
  const char *label = s->key;
  for (size_t i = 0; i < m->n_labels; i++, label += strlen(label) + 1)
    s->labels[i] = label;
  map_add(&m->series, &s->in_map, s->key, len);
  if (m->last != NULL)
    m->last->next_made = s;
  else
    m->first = s;
  m->last = s;
  return s;
}

static bool has_labels(const struct metric *m, const struct series *s, const char *const *labels)
{
  size_t i = 0;
  while (i < m->n_labels && strcmp(s->labels[i], labels[i]) == 0)
    i++;
  return i == m->n_labels;
}

/* The series of these labels, made when new; the one of "other" when the metric is full. The
 * lock is held. */
static struct series *look_up_series(struct metric *m, const char *const *labels)
{
  static const char *const other[METRICS_MAX_LABELS] = {"other", "other", "other", "other"};
  char key[MAX_KEY];
  size_t len = put_key(m, labels, key);
  struct series *s = CONTAINER_OF(map_find(&m->series, key, len), struct series, in_map);
  if (s != NULL)
    return s;
  if (m->series.n >= MAX_SERIES) {
    len = put_key(m, other, key);
    s = CONTAINER_OF(map_find(&m->series, key, len), struct series, in_map);
  }
  return s != NULL ? s : make_series(m, key, len);
}

/* The same. Mostly it is the one that was asked for before. */
static struct series *find_series(struct metric *m, const char *const *labels)
{
  if (m->recent == NULL || !has_labels(m, m->recent, labels))
    m->recent = look_up_series(m, labels);
  return m->recent;
}

void metric_add(struct metric *m, double value, const char *const *labels)
{
  pthread_mutex_lock(&m->lock);
  find_series(m, labels)->value += value;
  pthread_mutex_unlock(&m->lock);
}

void metric_set(struct metric *m, double value, const char *const *labels)
{
  pthread_mutex_lock(&m->lock);
  find_series(m, labels)->value = value;
  pthread_mutex_unlock(&m->lock);
}

void metric_observe(struct metric *m, double seconds, const char *const *labels)
{
  pthread_mutex_lock(&m->lock);
  struct series *s = find_series(m, labels);
  for (size_t i = 0; i < N_BUCKETS; i++)
    if (seconds <= BUCKETS[i])
      s->buckets[i]++;
  s->count++;
  s->value += seconds;
  pthread_mutex_unlock(&m->lock);
}

/* "{a="x",le="1"}"; le may be NULL. */
static void put_labels(struct buf *out, const struct metric *m, const struct series *s,
                       const char *le)
{
  if (m->n_labels == 0 && le == NULL)
    return;
  buf_putc(out, '{');
  for (size_t i = 0; i < m->n_labels; i++) {
    buf_printf(out, "%s%s=\"", i > 0 ? "," : "", m->label_names[i]);
    for (const char *p = s->labels[i]; *p != '\0'; p++) {
      if (*p == '\n')
        buf_puts(out, "\\n");
      else
        buf_printf(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    }
    buf_putc(out, '"');
  }
  if (le != NULL)
    buf_printf(out, "%sle=\"%s\"", m->n_labels > 0 ? "," : "", le);
  buf_putc(out, '}');
}

static void put_histogram(struct buf *out, const struct metric *m, const struct series *s)
{
  char le[32];
  for (size_t i = 0; i <= N_BUCKETS; i++) {
    if (i < N_BUCKETS)
      snprintf(le, sizeof(le), "%g", BUCKETS[i]);
    else
      snprintf(le, sizeof(le), "+Inf");
    buf_printf(out, "%s_bucket", m->name);
    put_labels(out, m, s, le);
    buf_printf(out, " %llu\n", (unsigned long long)(i < N_BUCKETS ? s->buckets[i] : s->count));
  }
  buf_printf(out, "%s_sum", m->name);
  put_labels(out, m, s, NULL);
  buf_printf(out, " %.9g\n%s_count", s->value, m->name);
  put_labels(out, m, s, NULL);
  buf_printf(out, " %llu\n", (unsigned long long)s->count);
}

static void render_metric(struct buf *out, struct metric *m)
{
  static const char *const types[] = {"counter", "gauge", "histogram"};
  buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, types[m->type]);
  pthread_mutex_lock(&m->lock);
  for (struct series *s = m->first; s != NULL; s = s->next_made) {
    if (m->type == HISTOGRAM) {
      put_histogram(out, m, s);
      continue;
    }
    buf_puts(out, m->name);
    put_labels(out, m, s, NULL);
    buf_printf(out, " %.15g\n", s->value);
  }
  pthread_mutex_unlock(&m->lock);
}

void metrics_on_render(void (*read)(void *user), void *user)
{
  pthread_mutex_lock(&registry_lock);
  if (n_readers < MAX_READERS)
    readers[n_readers++] = (struct reader){read, user};
  pthread_mutex_unlock(&registry_lock);
}

/* Without the lock: they make and set metrics. */
static void run_readers(void)
{
  struct reader now[MAX_READERS];
  pthread_mutex_lock(&registry_lock);
  size_t n = n_readers;
  memcpy(now, readers, sizeof(now));
  pthread_mutex_unlock(&registry_lock);
  for (size_t i = 0; i < n; i++)
    now[i].read(now[i].user);
}

bool metrics_render(struct buf *out)
{
  run_readers();
  pthread_mutex_lock(&registry_lock);
  for (struct metric *m = registry; m != NULL; m = m->next)
    render_metric(out, m);
  pthread_mutex_unlock(&registry_lock);
  return !out->failed;
}
