/* An HTTP client without a network, for targets that play the servers: what is asked waits in a
 * queue until the target answers. Stands in for common/http/client.h at link time. */
#ifndef AMCP_TESTS_FUZZ_FAKE_HTTP_H
#define AMCP_TESTS_FUZZ_FAKE_HTTP_H

#include "common/http/client.h"
#include "tests/fuzz/fuzz.h"

struct http_client *fake_http(void);

/* The oldest question that waits; NULL when there is none. Checks what every question must hold
 * to: a URL that begins as one of the NULL-terminated `allowed`, no line break in any header. */
const char *fake_http_question(const char *const *allowed);
/* Answers it from the input: a byte of choices, a line with the header that was wanted, and the
 * body up to a byte 0x1e or the end. */
void fake_http_answer(struct fuzz_input *in);
/* Whether the question that was answered last held the text in a header or its body. */
bool fake_http_sent(const char *text);
/* Ends everything that waits, timers too, as a client does that is freed. */
void fake_http_end(void);

/* The delay of the timer that waits, -1 when there is none. */
int64_t fake_http_timer_ms(void);
/* Runs it. */
void fake_http_timer_run(void);

#endif
