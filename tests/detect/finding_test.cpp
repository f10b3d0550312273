#include "luatrail/detect/finding.hpp"

#include "support/catch.hpp"

namespace finding_test {

using namespace luatrail::detect;

TEST_CASE("a severity is read by its name alone") {
    std::size_t at = 0;
    for (const auto name : names<Severity>()) {
        INFO(name);
        CHECK(severity_from(name) == static_cast<Severity>(at++));
    }
    for (const char* other : {"", "INFO", "warning", "high ", "3"}) {
        CHECK_FALSE(severity_from(other).has_value());
    }
}

TEST_CASE("a test is what root's luatrail dropped and started itself, in a directory of its own") {
    const auto trial = [] {
        Finding finding;
        finding.code.path = "/tmp/luatrail-try-Ab12Cd/try.lua";
        finding.process.uid = 0;
        finding.process.ppid = 700;
        ChainEntry drop;
        drop.kind = ChainKind::script_drop;
        drop.by = Actor{};
        drop.by->pid = 700;
        drop.by->uid = 0;
        drop.by->exe = "/usr/bin/luatrail";
        finding.chain.push_back(std::move(drop));
        return finding;
    };
    CHECK(trial().is_test());
    const auto otherwise = [&trial](const auto& change) {
        auto finding = trial();
        change(finding);
        return finding.is_test();
    };
    CHECK_FALSE(otherwise([](Finding& one) { one.process.uid = 1000; }));
    CHECK_FALSE(otherwise([](Finding& one) { one.process.uid = std::nullopt; }));
    CHECK_FALSE(otherwise([](Finding& one) { one.process.ppid = 701; }));
    CHECK_FALSE(otherwise([](Finding& one) { one.process.ppid = std::nullopt; }));
    CHECK_FALSE(otherwise([](Finding& one) { one.code.path = "/tmp/x/try.lua"; }));
    CHECK_FALSE(otherwise([](Finding& one) { one.code.path = std::nullopt; }));
    CHECK_FALSE(otherwise([](Finding& one) { one.chain.front().by->uid = 1000; }));
    CHECK_FALSE(otherwise([](Finding& one) { one.chain.front().by->exe = "/usr/bin/dash"; }));
    CHECK_FALSE(otherwise([](Finding& one) { one.chain.front().by = std::nullopt; }));
    CHECK_FALSE(otherwise([](Finding& one) { one.chain.front().kind = ChainKind::module_drop; }));
    CHECK_FALSE(otherwise([](Finding& one) { one.chain.clear(); }));
}

} // namespace finding_test
