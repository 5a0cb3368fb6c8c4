/* Metric of when certificates end, so that an alert comes before callers are refused. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/rpc/tls.h"

enum { MAX_FILES = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *files[MAX_FILES]; /* for the life of the process */
static size_t n_files;
static struct metric *expiry;

bool rpc_certificate_end(const char *file, int64_t *out)
{
  struct tm tm;
  BIO *bio = BIO_new_file(file, "re");
  X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
  bool ok = cert != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1;
  if (ok)
    *out = (int64_t)timegm(&tm);
  X509_free(cert);
  BIO_free(bio);
  ERR_clear_error();
  return ok;
}

/* A file that cannot be read leaves the last figure: the library goes on with what it had, too. */
static void read_all(void *user)
{
  int64_t end;
  (void)user;
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < n_files; i++)
    if (rpc_certificate_end(files[i], &end))
      metric_set(expiry, (double)end, METRIC_LABELS(files[i]));
  pthread_mutex_unlock(&lock);
}

static bool is_known(const char *file)
{
  for (size_t i = 0; i < n_files; i++)
    if (strcmp(files[i], file) == 0)
      return true;
  return false;
}

void rpc_tls_show_expiry(const char *cert_file)
{
  pthread_mutex_lock(&lock);
  bool first = n_files == 0;
  if (first)
    expiry =
        metrics_gauge("rpc_tls_certificate_expiry_timestamp_seconds",
                      "When the certificate shown to the other services expires.", "file", NULL);
  if (n_files < MAX_FILES && !is_known(cert_file))
    files[n_files++] = xstrdup(cert_file);
  pthread_mutex_unlock(&lock);
  if (first)
    metrics_on_render(read_all, NULL);
}
