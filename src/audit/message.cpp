#include "luatrail/audit/message.hpp"

#include <libaudit.h>

#include "audit/ids.hpp"
#include "luatrail/audit/field.hpp"

namespace luatrail::audit {
namespace {

std::optional<Message::Kind> kind_of(RecordType type) {
    switch (type) {
    case AUDIT_SERVICE_START:
        return Message::Kind::service_start;
    case AUDIT_SOFTWARE_UPDATE:
        return Message::Kind::software_update;
    case AUDIT_USER_LOGIN:
    case AUDIT_USER_START:
        return Message::Kind::login;
    case AUDIT_CONFIG_CHANGE:
        return Message::Kind::configuration;
    case AUDIT_DAEMON_START:
        return Message::Kind::daemon_start;
    case AUDIT_DAEMON_END:
    case AUDIT_DAEMON_ABORT:
        return Message::Kind::daemon_end;
    case AUDIT_SECCOMP:
        return Message::Kind::signal;
    case AUDIT_AVC:
        return Message::Kind::denial;
    default:
        return std::nullopt;
    }
}

// pid, auid and ses are the kernel's: what user space writes into its text cannot take their place, because they come
// first.
void read(const Field& field, Message& message) {
    const auto number = [](std::optional<std::uint32_t>& place, std::optional<std::uint32_t> value) {
        place = place ? place : value;
    };
    const auto text = [](std::optional<std::string>& place, std::optional<std::string_view> value) {
        if (!place && value) {
            place = std::string(*value);
        }
    };
    std::string scratch;
    switch (field.code) {
    case name_code("pid"):
        number(message.pid, id_of(field.value));
        break;
    case name_code("auid"):
        number(message.auid, set_id_of(field.value));
        break;
    case name_code("ses"):
        number(message.session, set_id_of(field.value));
        break;
    case name_code("unit"):
        text(message.unit, unquoted(field.value));
        break;
    case name_code("op"):
        text(message.operation, unquoted(field.value));
        break;
    case name_code("addr"):
        text(message.address, unquoted(field.value));
        break;
    case name_code("terminal"):
        text(message.terminal, unquoted(field.value));
        break;
    case name_code("acct"):
        text(message.account, decode_untrusted(field.value, scratch, field.cut));
        break;
    case name_code("exe"):
        text(message.exe, decode_untrusted(field.value, scratch, field.cut));
        break;
    case name_code("res"):
    case name_code("result"):
        text(message.result, unquoted(field.value));
        break;
    default:
        break;
    }
}

} // namespace

std::optional<Message> message_of(const Record& record) {
    const auto kind = kind_of(record.type);
    if (!kind) {
        return std::nullopt;
    }
    Message message;
    message.kind = *kind;
    message.text = record.body;
    FieldReader fields(record.body);
    for (Field field; fields.next(field);) {
        if (field.code != name_code("msg")) {
            read(field, message);
            continue;
        }
        auto text = field.value; // msg='unit=cron comm="systemd" ... res=success'
        if (!text.empty() && text.front() == '\'') {
            text.remove_prefix(1);
            if (!text.empty() && text.back() == '\'') {
                text.remove_suffix(1);
            }
        }
        FieldReader inner(text);
        for (Field said; inner.next(said);) {
            read(said, message);
        }
    }
    return message;
}

} // namespace luatrail::audit
