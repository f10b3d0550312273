// Notices of an audit that was switched off, of rules that were taken out, of an auditd that ended.
#include "plugin/switch_watch.hpp"

#include "support/catch.hpp"

using namespace luatrail;

namespace {

struct Told {
    std::vector<report::Notice> notices;
    plugin::SwitchWatch watch{[this](const report::Notice& notice) { notices.push_back(notice); }};

    void saw(const char* type, std::string_view body, std::int64_t second = 100) {
        watch.saw({.id = {second * 1000, 7},
                   .type = audit::record_type_from_name(type),
                   .type_name = type,
                   .node = "web1",
                   .body = body,
                   .enriched = {}});
    }
    std::vector<std::string> kinds() const {
        std::vector<std::string> all;
        for (const auto& notice : notices) {
            all.push_back(notice.kind);
        }
        return all;
    }
};
using Kinds = std::vector<std::string>;

} // namespace

TEST_CASE("switching off and on is told, with who did it") {
    Told told;
    told.saw("CONFIG_CHANGE", "op=set audit_enabled=0 old=1 auid=1000 ses=3 res=1");
    told.saw("CONFIG_CHANGE", "op=set audit_enabled=1 old=0 auid=1000 ses=3 res=1");
    REQUIRE(told.kinds() == Kinds{"audit-off", "audit-on"});
    CHECK(told.notices[0].text ==
          "the kernel's audit was switched off, by login uid 1000, session 3; nothing is seen from now on");
    CHECK(told.notices[0].node == "web1");
    CHECK(told.notices[0].time_ms == 100'000);
    told.saw("CONFIG_CHANGE", "op=set audit_enabled=0 old=1 auid=1000 ses=3 res=0"); // refused
    told.saw("CONFIG_CHANGE", "op=set audit_enabled=1 old=1 auid=1000 ses=3 res=1");
    told.saw("CONFIG_CHANGE", "op=set audit_backlog_limit=8192 old=64 auid=1000 ses=3 res=1");
    told.saw("USER_CMD", "op=set audit_enabled=0 old=1 res=1"); // anybody can write that
    CHECK(told.notices.size() == 2);
}

TEST_CASE("rules that are reloaded are not told, rules that are taken out are") {
    Told told;
    const auto rules = [&told](const char* operation, int count, std::int64_t second) {
        for (int made = 0; made < count; ++made) {
            told.saw("CONFIG_CHANGE", std::string("auid=0 ses=1 op=") + operation + " key=\"k\" list=4 res=1", second);
        }
    };
    rules("remove_rule", 5, 100);
    rules("add_rule", 5, 101);
    told.saw("SYSCALL", "arch=c000003e", 200);
    CHECK(told.notices.empty());
    rules("remove_rule", 5, 300);
    told.saw("SYSCALL", "arch=c000003e", 304);
    CHECK(told.notices.empty()); // they may come yet
    told.saw("SYSCALL", "arch=c000003e", 305);
    REQUIRE(told.kinds() == Kinds{"audit-rules"});
    CHECK(told.notices[0].counts.front() == std::pair<std::string, std::uint64_t>{"removed", 5});
    told.saw("SYSCALL", "arch=c000003e", 400);
    CHECK(told.notices.size() == 1);
    rules("remove_rule", 1, 500);
    told.watch.flush();
    CHECK(told.notices.size() == 2);
    rules("add_rule", 9, 600);
    told.watch.flush();
    CHECK(told.notices.size() == 2);
}

TEST_CASE("an auditd that ended is told") {
    Told told;
    told.saw("DAEMON_END", "op=terminate auid=0 uid=0 ses=1 pid=9 subj=unconfined res=success");
    REQUIRE(told.kinds() == Kinds{"auditd-stopped"});
    CHECK(told.notices[0].text.find("pid 9") != std::string::npos);
}
