#include "luatrail/audit/writing.hpp"

#include <algorithm>

#include <libaudit.h>

namespace luatrail::audit {
namespace {

enum class Form { nothing, quoted, hex, plain };

Form form_of(const Field& field) {
    if (field.value.starts_with('"')) {
        return Form::quoted;
    }
    std::string bytes;
    const auto text = decode_untrusted(field.value, bytes, field.cut);
    return !text ? Form::nothing : text->data() == bytes.data() ? Form::hex : Form::plain;
}

bool is_untrusted(RecordType type, std::string_view field) {
    const auto encoding = encoding_of(type, field);
    return encoding == Encoding::untrusted || encoding == Encoding::key;
}

bool is_written_by_kernel(RecordType type) { // user space has its own ways in its own records
    return type == AUDIT_SYSCALL || type == AUDIT_EXECVE || type == AUDIT_PATH || type == AUDIT_CWD;
}

// The kernel writes "arch=c000003e"; who decodes writes "arch=x86_64".
bool names_architecture(const Record& record, const Field& field) {
    return record.type == AUDIT_SYSCALL && field.code == name_code("arch") && !parse_hex(field.value) &&
           !field.value.starts_with('"');
}

// Whether a record shows that its values were decoded, or that they were not; nothing where it could be either.
std::optional<bool> shows_decoded(const Record& record) {
    std::optional<bool> shown;
    if (!is_written_by_kernel(record.type)) {
        return shown;
    }
    FieldReader fields(record.body);
    for (Field field; fields.next(field);) {
        const auto form = is_untrusted(record.type, field.name) ? form_of(field) : Form::nothing;
        if (form == Form::quoted) {
            return false;
        }
        if (form == Form::plain || names_architecture(record, field)) {
            shown = true;
        }
    }
    return shown;
}

bool was_decoded(const Event& event) {
    bool decoded = false;
    for (const auto& record : event.records) {
        const auto shown = shows_decoded(record);
        if (shown == false) {
            return false;
        }
        decoded = decoded || shown == true;
    }
    return decoded;
}

// Whether " NAME=" begins at the blank: another field, which in EXECVE is another argument.
bool begins_field(const Record& record, std::size_t blank) {
    const auto name_at = blank + 1;
    const auto equals = record.body.find_first_of(" =", name_at);
    if (equals == std::string_view::npos || record.body[equals] != '=') {
        return false;
    }
    const auto name = record.body.substr(name_at, equals - name_at);
    const bool is_name = !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                 "0123456789_-[]") == std::string_view::npos;
    return is_name && (record.type != AUDIT_EXECVE || is_untrusted(record.type, name));
}

// A text that nothing closes ends where another field begins.
std::string_view up_to_next_field(const Record& record, std::string_view value) {
    const auto start = static_cast<std::size_t>(value.data() - record.body.data());
    auto blank = start + value.size();
    while (blank < record.body.size() && !begins_field(record, blank)) {
        blank = std::min(record.body.find(' ', blank + 1), record.body.size());
    }
    return record.body.substr(start, blank - start);
}

} // namespace

bool Writing::is_decoded(const Record& record) {
    if (asked_ != &record) {
        asked_ = &record;
        auto shown = shows_decoded(record);
        if (!shown) {
            event_decoded_ = event_decoded_.value_or(event_ != nullptr && was_decoded(*event_));
            shown = event_decoded_;
        }
        asked_decoded_ = *shown;
    }
    return asked_decoded_;
}

std::optional<std::string_view> Writing::text(const Record& record, const Field& field, std::string& scratch) {
    const auto text = decode_untrusted(field.value, scratch, field.cut);
    const bool certain = !text || field.value.empty() || field.value.front() == '"';
    return certain || !is_decoded(record) ? text : up_to_next_field(record, field.value);
}

} // namespace luatrail::audit
