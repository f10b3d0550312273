#include "plugin/switch_watch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "luatrail/audit/typed.hpp"
#include "luatrail/base/text.hpp"

namespace luatrail::plugin {
namespace {

constexpr std::int64_t quiet_ms = 5000;

std::string who_of(const audit::Message& message) {
    std::string who;
    const auto add = [&who](std::string_view name, const auto& value) {
        if (value) {
            who += fmt::format("{}{} {}", who.empty() ? "" : ", ", name, *value);
        }
    };
    add("login uid", message.auid);
    add("session", message.session);
    add("pid", message.pid);
    return who.empty() ? "by somebody who is not named" : "by " + who;
}

bool says(const std::string& text, std::string_view word) {
    return text.find(word) != std::string::npos;
}

} // namespace

void SwitchWatch::tell(std::string kind, const audit::Record& record, std::string text, std::string remedy) const {
    report::Notice notice;
    notice.kind = std::move(kind);
    notice.time_ms = record.id.time_ms;
    if (!record.node.empty()) {
        notice.node = std::string(record.node);
    }
    notice.text = std::move(text);
    notice.remedy = std::move(remedy);
    tell_(notice);
}

void SwitchWatch::saw(const audit::Record& record) {
    const auto message = audit::may_be_message(record.type) ? audit::message_of(record) : std::nullopt;
    if (removed_ != 0 || added_ != 0) {
        settle(record.id.time_ms);
    }
    if (!message) {
        return;
    }
    using Kind = audit::Message::Kind;
    if (message->kind == Kind::daemon_end) {
        tell("auditd-stopped", record,
             fmt::format("auditd ended, {}; what happened until it ran again was not recorded", who_of(*message)),
             "see who ended it, and whether that was meant");
        return;
    }
    if (message->kind != Kind::configuration || says(message->text, "res=0")) {
        return;
    }
    if (says(message->text, "audit_enabled=0 old=1")) {
        tell("audit-off", record,
             fmt::format("the kernel's audit was switched off, {}; nothing is seen from now on", who_of(*message)),
             "switch it on again with `auditctl -e 1`, and see who did that");
    } else if (says(message->text, "audit_enabled=1 old=0")) {
        tell("audit-on", record,
             fmt::format("the kernel's audit was switched on, {}; nothing was seen until now", who_of(*message)),
             "see since when it was off");
    } else if (says(message->text, "op=remove_rule") || says(message->text, "op=\"remove_rule\"")) {
        ++removed_;
    } else if (says(message->text, "op=add_rule") || says(message->text, "op=\"add_rule\"")) {
        ++added_;
    } else {
        return;
    }
    changed_ms_ = std::max(changed_ms_, record.id.time_ms);
    node_ = record.node;
}

void SwitchWatch::settle(std::int64_t now_ms) {
    if (now_ms - changed_ms_ >= quiet_ms) {
        flush();
    }
}

void SwitchWatch::flush() {
    if (removed_ > added_) {
        report::Notice notice;
        notice.kind = "audit-rules";
        notice.time_ms = changed_ms_;
        if (!node_.empty()) {
            notice.node = node_;
        }
        notice.text =
            fmt::format("{} audit rules were taken out and {} put in; what the others asked for is not seen any more",
                        removed_, added_);
        notice.remedy = "see `luatrail doctor`, and load the rules again with `augenrules --load`";
        notice.counts = {{"removed", removed_}, {"added", added_}};
        tell_(notice);
    }
    removed_ = added_ = 0;
}

} // namespace luatrail::plugin
