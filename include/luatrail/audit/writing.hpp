// How an event's untrusted strings are written.
//
// The kernel puts them in quotes or, where one holds a blank, a quote or what is not printable, writes them as hex
// (kernel/audit.c, audit_log_n_untrustedstring). Viewers and agents that decode values on their way leave both out
// ("half-interpreted" logs): then "2020" is a text, and a text goes on behind a blank. The other fields of the record
// tell which it is, or those of the event's other records where its own could be either.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "luatrail/audit/event.hpp"
#include "luatrail/audit/field.hpp"

namespace luatrail::audit {

class Writing {
  public:
    Writing() = default;
    explicit Writing(const Event& event) : event_(&event) {} // which it looks at when it is asked

    // The bytes of an untrusted field of `record`, which is one of the event's: a view of it or of `scratch`. Nothing:
    // decode_untrusted().
    std::optional<std::string_view> text(const Record& record, const Field& field, std::string& scratch);

  private:
    bool is_decoded(const Record& record);

    const Event* event_ = nullptr;
    std::optional<bool> event_decoded_;
    const Record* asked_ = nullptr; // the record of the last answer
    bool asked_decoded_ = false;
};

} // namespace luatrail::audit
