// What a library with the feature `faults` has beside the header: bindings/src/faults.rs.
#ifndef FAULTS_H
#define FAULTS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Steers a simulated disk. `number`, which may be NULL, gets what the command asks for.
int lightning_db_test_disk(const char *name, const char *command, uint64_t *number);

#ifdef __cplusplus
}
#endif

#endif
