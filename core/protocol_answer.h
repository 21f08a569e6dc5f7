/*
 * What an answer says when it is not the expected one: the error of a service in JSON or XML, and
 * bodies that are neither (a proxy's page, nothing, half a document). Private to the protocols.
 */
#ifndef TAP_PROTOCOL_ANSWER_H
#define TAP_PROTOCOL_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"
#include "message.h"
#include "model.h"
#include "xml.h"

/* True when the body holds nothing but white space. */
bool tap_answer_is_blank(const struct tap_response *response);

/* A 2xx answer that could not be read: `why` itself, if that speaks of the service's model or is
 * the service's own error; else TAP_E_PROTOCOL with `why` and the body's start. `format` is "XML",
 * "JSON", "CBOR". */
tap_err tap_answer_unread(struct tap_error *err, const struct tap_model *model,
                          const struct tap_response *response, const char *format,
                          const struct tap_error *why);

/* An error as far as status and headers tell it (name HTTP503, the body's start as message, request
 * id); what the body says is put over it by the functions below. */
void tap_answer_error(struct tap_error *err, const struct tap_model *model,
                      const struct tap_response *response);
/* Of the JSON (or CBOR) protocols; `body` may be NULL. Names come without namespace and address;
 * a service that has moved from the query protocol says its old name in a header, which wins. */
void tap_answer_json_error(struct tap_error *err, const struct tap_response *response,
                           const json_t *body);
/* <ErrorResponse><Error>, <Response><Errors><Error> (EC2), or <Error> alone (S3). */
void tap_answer_xml_error(struct tap_error *err, const struct tap_xml *root);

/* parse_error of struct tap_protocol, by the body's format. */
void tap_answer_parse_json_error(struct tap_error *err, const struct tap_model *model,
                                 const struct tap_response *response);
void tap_answer_parse_xml_error(struct tap_error *err, const struct tap_model *model,
                                const struct tap_response *response);

/* True when the model's service once spoke query and still names its errors so. */
bool tap_model_is_query_compatible(const struct tap_model *model);
/* For a server of a JSON protocol: the error's name for the body, its shape's; sets the header that
 * carries the query protocol's name for it, where the model asks for that. Borrowed. */
const char *tap_answer_begin_error(struct tap_response *out, const struct tap_model *model,
                                   const struct tap_error *error);

#endif
