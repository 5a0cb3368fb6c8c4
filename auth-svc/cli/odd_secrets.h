/* Secrets that cannot be what their owner means, as validate finds them: placeholders, blanks and
 * quotes that came along when they were copied. */
#ifndef AMCP_AUTH_ODD_SECRETS_H
#define AMCP_AUTH_ODD_SECRETS_H

#include "auth-svc/cli/findings.h"
#include "auth-svc/dealers/sealed.h"

/* Warns of a plain secret; says what is odd and nothing of its text. bare: the file is an array. */
void validation_look_at_secret(struct validation *v, const char *file,
                               const struct sealed_value *value, bool bare);

#endif
