/* The main functions of the programs that share one file; the build names them (CMakeLists.txt). */
#ifndef AMCP_INIT_WHICH_H
#define AMCP_INIT_WHICH_H

int analytics_mcp_main(int argc, char **argv);
int auth_svc_main(int argc, char **argv);
int report_svc_main(int argc, char **argv);
int aggregate_svc_main(int argc, char **argv);
int gateway_main(int argc, char **argv);

#endif
