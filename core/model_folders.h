/*
 * Where a user's own service models are: botocore's folders and layout, so that what works for the
 * AWS CLI and boto3 works here.
 */
#ifndef TAP_MODEL_FOLDERS_H
#define TAP_MODEL_FOLDERS_H

#include <stdbool.h>
#include <stddef.h>

struct tap_names {
    char **items;
    size_t n, cap;
};

/* True for what can be a service's name: letters, digits, '-', '_' and '.', not first a '.'. So a
 * name never leaves the folder that it is looked up in. */
bool tap_model_is_name(const char *text);

/* The folder with the user's newest version of the service ("DIR/SERVICE/DATE"), from the first
 * folder of the search path that has one; NULL when there is none. Free with tap_free. */
char *tap_model_folder(const char *service);

/* Adds the name of every service that the user's folders have, in any order, also twice. */
void tap_model_folder_services(struct tap_names *names);

void tap_names_add(struct tap_names *names, char *taken);
void tap_names_fini(struct tap_names *names);

#endif
