// Findings to render: a usual one, the plainest, and the nastiest.
#pragma once

#include <string>
#include <vector>

#include "luatrail/base/text.hpp"
#include "luatrail/detect/finding.hpp"

namespace luatrail::test {

// The usual one: a dropped script in /dev/shm, run by www-data.
inline detect::Finding dropped_script() {
    detect::Finding f;
    f.id = "5b0c1f0e9a7d3c42";
    f.time_ms = 1795572010666;
    f.node = "web01";
    f.severity = detect::Severity::critical;
    f.interpreter = {"/usr/bin/luajit", "luajit", detect::IdentifiedBy::path, "luajit"};
    f.code.origin = detect::Origin::script;
    f.code.argument = "./u";
    f.code.path = "/dev/shm/.cache/u";
    f.process.pid = 10258;
    f.process.ppid = 10257;
    f.process.uid = 33;
    f.process.euid = 33;
    f.process.user = "www-data";
    f.process.comm = "luajit";
    f.process.cwd = "/dev/shm/.cache";
    f.process.argv = {"luajit", "./u"};
    f.ancestors = {{10257, "/usr/bin/dash", {"sh", "-c", "cd /dev/shm/.cache; luajit ./u"}, 33}};
    f.expectation = {.verdict = detect::Verdict::unexpected,
                     .reason = detect::ExpectationReason::unexpected_user,
                     .missed = detect::KeyMiss{.key = detect::RuleKey::user, .wanted = "root", .found = "www-data"},
                     .program = "luajit"};
    detect::ChainEntry drop;
    drop.kind = detect::ChainKind::script_drop;
    drop.how = detect::How::create;
    drop.path = "/dev/shm/.cache/u";
    drop.time_ms = 1795572010662;
    drop.age_ms = 4;
    drop.event = {1795572010662, 108274};
    drop.by = detect::Actor{10255, "/usr/bin/bash", 0};
    drop.same_tree = true;
    detect::ChainEntry memory;
    memory.kind = detect::ChainKind::shared_memory;
    memory.path = "/dev/shm/.cache/u";
    memory.event = {1795572010666, 108286};
    f.chain = {drop, memory};
    f.events = {{1795572010666, 108286}, {1795572010662, 108274}};
    return f;
}

// As little as a log can tell.
inline detect::Finding bare() {
    detect::Finding f;
    f.id = "0000000000000001";
    f.interpreter.profile = "lua";
    return f;
}

// Bytes that break what does not expect them: escapes of terminals, of JSON, of structured data and of shells,
// bidirectional overrides, bytes that are no UTF-8, NUL.
inline std::string nasty(std::string_view tag) {
    using namespace std::string_literals;
    return std::string(tag) + "\x1b[31m\"\\]'\n\r\t\0\x7f\xc2\x9b"s + "\xe2\x80\xae\xf3\xa0\x80\x81"s +
           "\xff\xc0\xaf{$(id)}<script>";
}

// Whether a text could harm the terminal it is printed on.
inline bool harmless(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto step = base::utf8_step(text, at);
        if (!step.valid || base::hides(step.character)) {
            return false;
        }
        at += step.length;
    }
    return true;
}

inline detect::Finding hostile() {
    detect::Finding f = dropped_script();
    f.severity = detect::Severity::high;
    f.node = nasty("node");
    f.interpreter = {nasty("exe"), nasty("profile"), detect::IdentifiedBy::copy, nasty("package")};
    f.code = {
        detect::Origin::inline_code, nasty("argument"), nasty("path"), nasty("inline"), nasty("format"), nasty("p")};
    f.process.user = nasty("user");
    f.process.auid = 1000;
    f.process.session = 7;
    f.process.tty = nasty("tty");
    f.process.comm = nasty("comm");
    f.process.cwd = nasty("cwd");
    f.process.argv = {"lua", nasty("argv")};
    f.process.unit = nasty("unit");
    f.process.container = nasty("container");
    f.ancestors = {{1, nasty("exe"), {nasty("argv0"), "fine"}, std::nullopt}, {0, std::nullopt, {}, 0}};
    f.expectation = {.verdict = detect::Verdict::unknown,
                     .reason = detect::ExpectationReason::expected,
                     .rule = nasty("rule"),
                     .because = nasty("why")};
    f.process.login = detect::LoginInfo{nasty("address"), nasty("terminal"), nasty("account")};
    for (auto& entry : f.chain) {
        entry.path = nasty("chain");
        entry.by = detect::Actor{5, nasty("by"), std::nullopt, {nasty("argv")}};
        entry.by->below = detect::WayIn{nasty("program"), "web-server"};
        entry.by->login = f.process.login;
    }
    f.chain.back().kind = detect::ChainKind::child_shell;
    f.chain.back().age_ms = 61000;
    f.degraded = {detect::Degraded::lost_records, detect::Degraded::partial_event, detect::Degraded::truncated_argv,
                  detect::Degraded::no_lineage,   detect::Degraded::no_baseline,   detect::Degraded::path_uncertain,
                  detect::Degraded::evicted};
    f.follows = "5b0c1f0e9a7d3c42";
    return f;
}

inline detect::Finding huge() {
    detect::Finding f = hostile();
    std::string word = nasty("w");
    while (word.size() < 4000) {
        word += word;
    }
    f.code.inline_text = word + word + word;
    f.process.user = word;
    f.process.login->account = word;
    f.code.path = "/" + word;
    f.process.argv.assign(300, word.substr(0, 500));
    f.ancestors.assign(24, {4242, "/" + word, {word, word, word}, 0});
    f.events.assign(200, {1795572010662, 108274});
    f.chain.front().by->login->address = word;
    f.chain.assign(60, f.chain.front());
    f.degraded.assign(100, detect::Degraded::evicted);
    return f;
}

} // namespace luatrail::test
