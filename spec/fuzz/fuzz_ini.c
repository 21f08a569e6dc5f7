/*
 * AWS's INI files, and the words of profile names and commands: a file is accepted or refused with
 * a place.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/ini.h"
#include "core/mem.h"
#include "core/words.h"

static void split(const char *line)
{
    struct tap_words words;
    if (!tap_words_split(&words, line))
        return;
    assert(!words.items[words.n]);
    tap_words_fini(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tap_ini *ini;
    struct tap_error err = {0};
    if (tap_ini_parse(&ini, (const char *)data, size, "x", &err)) {
        assert(!ini && err.message[0]);
        assert(err.code == TAP_E_LIMIT || (err.line && err.column));
        return 0;
    }
    for (size_t i = 0; i < ini->n; i++) {
        const struct tap_ini_section *section = &ini->sections[i];
        assert(tap_ini_section(ini, section->name) == section);
        split(section->name);
        for (size_t k = 0; k < section->n; k++) {
            assert(tap_ini_key(section, section->keys[k].name) == &section->keys[k]);
            split(section->keys[k].value);
        }
    }
    tap_ini_free(ini);
    return 0;
}
