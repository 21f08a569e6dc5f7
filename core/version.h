/*
 * The version of the library and of the command, in one place: `tapengine version`, User-Agent.
 */
#ifndef TAP_VERSION_H
#define TAP_VERSION_H

#define TAP_VERSION "0.1.0"

#endif
