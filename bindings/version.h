/*
 * The program's version, in the one place that says it.
 */
#ifndef TAP_VERSION_H
#define TAP_VERSION_H

#define TAP_VERSION "0.1.0"

#endif
