// The kernel's rules, asked over netlink: struct audit_rule_data (linux/audit.h), put into auditctl's words.
#include "luatrail/rules/loaded.hpp"

#include <cerrno>
#include <cstring>

#include <poll.h>

#include <fmt/format.h>

#include <libaudit.h>

#include "luatrail/base/error.hpp"
#include "rules/netlink.hpp"

namespace luatrail::rules {
namespace {

constexpr int patience_ms = 2000;

std::optional<List> list_of(std::uint32_t flags) {
    switch (flags & ~static_cast<std::uint32_t>(AUDIT_FILTER_PREPEND)) {
    case AUDIT_FILTER_TASK:
        return List::task;
    case AUDIT_FILTER_EXIT:
        return List::exit;
    case AUDIT_FILTER_USER:
        return List::user;
    case AUDIT_FILTER_EXCLUDE:
        return List::exclude;
    case AUDIT_FILTER_FS:
        return List::filesystem;
    case 0x07: // AUDIT_FILTER_URING_EXIT, Linux 5.16
        return List::io_uring;
    default:
        return std::nullopt;
    }
}

bool is_text(int field) {
    switch (field) {
    case AUDIT_SUBJ_USER:
    case AUDIT_SUBJ_ROLE:
    case AUDIT_SUBJ_TYPE:
    case AUDIT_SUBJ_SEN:
    case AUDIT_SUBJ_CLR:
    case AUDIT_OBJ_USER:
    case AUDIT_OBJ_ROLE:
    case AUDIT_OBJ_TYPE:
    case AUDIT_OBJ_LEV_LOW:
    case AUDIT_OBJ_LEV_HIGH:
    case AUDIT_WATCH:
    case AUDIT_DIR:
    case AUDIT_FILTERKEY:
    case AUDIT_EXE:
        return true;
    default:
        return false;
    }
}

std::string perm_text(std::uint32_t bits) {
    std::string out;
    out += (bits & AUDIT_PERM_READ) != 0 ? "r" : "";
    out += (bits & AUDIT_PERM_WRITE) != 0 ? "w" : "";
    out += (bits & AUDIT_PERM_EXEC) != 0 ? "x" : "";
    out += (bits & AUDIT_PERM_ATTR) != 0 ? "a" : "";
    return out;
}

std::string value_text(int field, std::uint32_t value) {
    if (field == AUDIT_PERM) {
        return perm_text(value);
    }
    if (field == AUDIT_ARCH) {
        const auto* const known = audit::architecture_of(value);
        return known == nullptr ? fmt::format("{:x}", value) : std::string(known->name);
    }
    if (field == AUDIT_MSGTYPE) {
        const auto* name = audit_msg_type_to_name(static_cast<int>(value));
        return name == nullptr ? std::to_string(value) : name;
    }
    if (field == AUDIT_FSTYPE) {
        const auto* name = audit_fstype_to_name(static_cast<int>(value));
        return name == nullptr ? std::to_string(value) : name;
    }
    if (field == AUDIT_FILETYPE) {
        const auto* name = audit_ftype_to_name(static_cast<int>(value));
        return name == nullptr ? std::to_string(value) : name;
    }
    // Ids and exit codes are signed in auditctl's form: 4294967295 is "unset".
    return field == AUDIT_EXIT ? std::to_string(static_cast<std::int32_t>(value)) : std::to_string(value);
}

void read_fields(const audit_rule_data& data, Rule& rule) {
    std::size_t used = 0;
    const auto count = std::min<std::uint32_t>(data.field_count, AUDIT_MAX_FIELDS);
    for (std::uint32_t at = 0; at < count; ++at) {
        const auto field = static_cast<int>(data.fields[at] & ~static_cast<std::uint32_t>(AUDIT_OPERATORS));
        const auto* const op = audit_operator_to_symbol(static_cast<int>(data.fieldflags[at]));
        const auto* const name = audit_field_to_name(field);
        Comparison one{name == nullptr ? std::to_string(field) : name, op == nullptr ? "=" : op, ""};
        if (field == AUDIT_FIELD_COMPARE) {
            one.field = fmt::format("compare{}/", data.values[at]);
            one.value = std::to_string(data.values[at]);
        } else if (is_text(field)) {
            const auto size = data.values[at];
            if (size > data.buflen || used > data.buflen - size) {
                return; // not a rule that the kernel made
            }
            one.value.assign(static_cast<const char*>(data.buf) + used, size);
            used += size;
        } else {
            one.value = value_text(field, data.values[at]);
        }
        if (field == AUDIT_FILTERKEY) {
            for (std::size_t from = 0; from <= one.value.size();) { // several keys are joined by 0x01
                const auto end = std::min(one.value.find('\x01', from), one.value.size());
                rule.keys.push_back(one.value.substr(from, end - from));
                from = end + 1;
            }
        } else {
            one.field = field == AUDIT_WATCH ? "path" : one.field;
            rule.fields.push_back(std::move(one));
        }
    }
}

void read_calls(const audit_rule_data& data, Rule& rule) {
    bool all = true;
    for (int at = 0; at < AUDIT_BITMASK_SIZE - 1; ++at) {
        all = all && data.mask[at] == ~0U;
    }
    const auto* const arch = rule.field("arch");
    const auto* const on = processor(arch == nullptr ? "" : arch->value, machine_name());
    for (int number = 0; !all && number < AUDIT_BITMASK_SIZE * 32; ++number) {
        if ((data.mask[AUDIT_WORD(number)] & AUDIT_BIT(number)) != 0) {
            const auto operation = rule.list == List::io_uring ? audit::uring_call(static_cast<std::uint64_t>(number))
                                                               : audit::Call::other;
            rule.calls.push_back(operation != audit::Call::other ? std::string(audit::to_string(operation))
                                 : on == nullptr || rule.list == List::io_uring ? std::to_string(number)
                                                                                : call_name(number, *on));
        }
    }
}

std::optional<Rule> rule_of(const audit_rule_data& data, std::size_t number) {
    Rule rule;
    const auto list = list_of(data.flags);
    if (!list) {
        return std::nullopt;
    }
    rule.list = *list;
    rule.action = data.action == AUDIT_ALWAYS ? Action::always : Action::never;
    rule.origin = fmt::format("loaded rule {}", number);
    read_fields(data, rule);
    if (rule.list == List::exit || rule.list == List::io_uring) {
        read_calls(data, rule);
    }
    return rule;
}

// Hands each reply to `take` until it returns true or the kernel says that it is done.
template <class Take>
void read_replies(const Netlink& netlink, std::string_view what, Take take) {
    for (;;) {
        pollfd ready{netlink.fd(), POLLIN, 0};
        if (::poll(&ready, 1, patience_ms) <= 0) {
            throw base::Error(fmt::format("{}: no answer within 2 s; try again", what));
        }
        audit_reply reply{};
        if (audit_get_reply(netlink.fd(), &reply, GET_REPLY_NONBLOCKING, 0) <= 0) {
            continue;
        }
        if (reply.type == NLMSG_ERROR && reply.error->error != 0) {
            throw base::Error(
                fmt::format("{}: {}; asking for it needs root", what, std::strerror(-reply.error->error)));
        }
        if (reply.type == NLMSG_DONE || take(reply)) {
            return;
        }
    }
}

} // namespace

RuleSet loaded_rules() {
    const Netlink netlink;
    if (audit_request_rules_list_data(netlink.fd()) <= 0) {
        throw base::Error(
            fmt::format("the kernel's audit rules: {}; asking for them needs root", std::strerror(errno)));
    }
    RuleSet set;
    read_replies(netlink, "the kernel's audit rules", [&set](const audit_reply& reply) {
        if (reply.type == AUDIT_LIST_RULES) {
            if (auto rule = rule_of(*reply.ruledata, set.rules.size() + 1)) {
                set.rules.push_back(std::move(*rule));
            }
        }
        return false;
    });
    return set;
}

KernelStatus kernel_status() {
    const Netlink netlink;
    if (audit_request_status(netlink.fd()) <= 0) {
        throw base::Error(fmt::format("the kernel's audit: {}; asking for it needs root", std::strerror(errno)));
    }
    KernelStatus status;
    read_replies(netlink, "the kernel's audit", [&status](const audit_reply& reply) {
        const bool answered = reply.type == AUDIT_GET;
        if (answered) {
            status = status_of(*reply.status);
        }
        return answered;
    });
    return status;
}

} // namespace luatrail::rules
