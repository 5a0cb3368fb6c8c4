/* Strings a second through the matcher of vehicle names, on one core: page addresses as vendors
 * build them, read as texts, and pairs of fields. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aggregate-svc/vehicle/vehicle.h"

int main(int argc, char **argv)
{
  static const char *const addresses[] = {
      "/inventory/new-2024-ford-f-150-xlt-4wd-supercrew-1FTFW1E52PFA00001/",
      "/used/Honda/2019-Honda-CR-V-4d2e1b7a0a0e0a17.htm",
      "/inventory/certified-used-2021-mazda-mazda3-sedan-premium-3MZBPABL6MM200001/",
      "/viewdetails/new/1C6SRFFT0RN100001/2024-ram-1500-crew-cab",
      "/new-vehicles/chevrolet-silverado-1500/",
      "New 2024 Hyundai Tucson Limited for Sale in Tucson AZ"};
  enum { N = sizeof(addresses) / sizeof(addresses[0]) };
  size_t lens[N], found = 0, rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 500000;
  for (size_t i = 0; i < N; i++)
    lens[i] = strlen(addresses[i]);
  clock_t from = clock(); /* of this process: other work on the core does not count */
  for (size_t r = 0; r < rounds; r++) {
    struct vehicle v;
    found += vehicle_match_text(&v, addresses[r % N], lens[r % N]);
  }
  double text_s = (double)(clock() - from) / CLOCKS_PER_SEC;
  from = clock();
  for (size_t r = 0; r < rounds; r++) {
    struct vehicle v;
    found += vehicle_match_field(&v, "Silverado 1500 LD", 17, "Chevrolet", 9);
  }
  double field_s = (double)(clock() - from) / CLOCKS_PER_SEC;
  printf("vehicle: %.2f M texts/s, %.2f M fields/s (%zu of %zu found)\n",
         (double)rounds / text_s / 1e6, (double)rounds / field_s / 1e6, found, 2 * rounds);
  return found == 2 * rounds ? 0 : 1;
}
