/* `gateway ask URL`: asks a running endpoint the first question, as a client would. For smoke
 * tests where there is nothing but the image. */
#ifndef AMCP_GATEWAY_ASK_H
#define AMCP_GATEWAY_ASK_H

#include <stdbool.h>

/* Whether the command line is `gateway ask ...`. Then it has been run, *exit_code is set. */
bool gateway_ask(int argc, char **argv, int *exit_code);

#endif
