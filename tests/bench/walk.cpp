#include "walk.hpp"

#include <auparse.h>

namespace bench {

Walked walk_auparse(const char* path) {
    Walked walked;
    auparse_state_t* state = auparse_init(AUSOURCE_FILE, path);
    if (state == nullptr) {
        return walked;
    }
    walked.readable = true;
    while (auparse_next_event(state) > 0) {
        ++walked.events;
        if (auparse_first_record(state) > 0) {
            do {
                ++walked.records;
            } while (auparse_next_record(state) > 0);
        }
    }
    auparse_destroy(state);
    return walked;
}

} // namespace bench
