/*
 * Where a model's entries come from: the copies embedded in the library, a user's folder, or JSON
 * in memory. All become the lines of model_table.h, so that everything above knows one form.
 */
#ifndef TAP_MODEL_SOURCE_H
#define TAP_MODEL_SOURCE_H

#include <stdbool.h>

#include "error.h"
#include "model_table.h"

/* Each fills `table` (tap_model_table_fini); on an error there is nothing to free. */

/* False when no service of that name is embedded. */
bool tap_model_read_embedded(struct tap_model_table *table, const char *service);
/* From "DIR/SERVICE/DATE"; what does not stand in that folder comes from the embedded model of the
 * service. A broken file is TAP_E_PARSE with its place. */
tap_err tap_model_read_folder(struct tap_model_table *table, const char *folder,
                              const char *service, struct tap_error *err);
/* From the JSON of a service-2.json. */
tap_err tap_model_read_json(struct tap_model_table *table, const json_t *service2,
                            struct tap_error *err);

/* botocore's partitions.json; the caller owns it. */
json_t *tap_model_read_partitions(void);

#endif
