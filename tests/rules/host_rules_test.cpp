#include "luatrail/rules/host_rules.hpp"

#include <algorithm>
#include <set>

#include "luatrail/base/error.hpp"
#include "luatrail/rules/rule_text.hpp"
#include "luatrail/rules/this_host.hpp"
#include "support/catch.hpp"

namespace host_rules_test {

using namespace luatrail;
using namespace luatrail::rules;

namespace {

Host host(std::string machine = "x86_64") {
    Host host{std::move(machine),
              [](const std::string& path) { return std::optional(path == "/run/shm" ? "/dev/shm" : path); },
              {"/usr/bin/lua5.4", "/opt/x/luajit"}};
    host.host_programs = {"/usr/bin/nmap"};
    host.library_users = {"/opt/game"};
    host.libraries = {"/usr/lib/liblua5.4.so.0.0.0", "/opt/x/libluajit.so"};
    host.io_uring = true;
    return host;
}

std::vector<Rule> rules_of(Profile profile, const Host& on) {
    std::vector<Rule> all;
    for (auto& topic : host_rules(profile, on)) {
        all.insert(all.end(), topic.rules.begin(), topic.rules.end());
    }
    return all;
}

bool any(const std::vector<Rule>& rules, std::string_view part) {
    return std::any_of(rules.begin(), rules.end(),
                       [&](const Rule& rule) { return rule.text().find(part) != std::string::npos; });
}

} // namespace

TEST_CASE("every shipped file can be loaded on x86_64, and on aarch64 but for those that say so") {
    REQUIRE(shipped_files().size() >= 9);
    for (const auto& file : shipped_files()) {
        INFO(file.name);
        CHECK(file.text.find("## Profiles: ") != std::string_view::npos);
        for (const auto* const machine : {"x86_64", "aarch64"}) {
            const bool skipped =
                machine == std::string_view("aarch64") && file.name.find("-x86") != std::string_view::npos;
            const auto set = parse_rules(file.text, file.name, machine);
            INFO((set.errors.empty() ? "" : set.errors.front()));
            CHECK(set.errors.empty() == !skipped);
            CHECK((skipped || !set.rules.empty()));
            CHECK(set.setting('c').has_value()); // goes on where a directory is missing
        }
    }
}

TEST_CASE("luatrail makes something of each call that a shipped rule names") {
    std::size_t asked = 0;
    for (const auto& file : shipped_files()) {
        for (const auto& rule : parse_rules(file.text, file.name, "x86_64").rules) {
            if (rule.list == List::io_uring) {
                for (const auto& operation : rule.calls) {
                    INFO(operation);
                    CHECK(audit::uring_operation(audit::call_from_name(operation)).has_value());
                }
                continue;
            }
            const auto* const on = processor(rule.field("arch")->value, "x86_64");
            REQUIRE(on != nullptr);
            REQUIRE_FALSE(rule.calls.empty());
            for (const auto& call : rule.calls) {
                INFO(file.name << ": " << call);
                const auto number = call_number(call, on->name, "x86_64");
                REQUIRE(number.has_value());
                const auto known = audit::call_of(*on, static_cast<std::uint32_t>(*number));
                CHECK(audit::effect_of(known) != audit::Effect::other);
                ++asked;
            }
        }
    }
    CHECK(asked > 500);
}

TEST_CASE(
    "what is printed names no call that this machine's auditctl does not know, nor one that the processor has not") {
    for (const auto& architecture : audit::architectures()) {
        if (!architecture.wide()) {
            continue;
        }
        const std::string machine(architecture.name);
        for (const auto profile : {Profile::full, Profile::lean}) {
            for (const auto& rule : rules_of(profile, host(machine))) {
                INFO(machine << ": " << rule.text());
                if (rule.list == List::io_uring) {
                    continue; // of every processor
                }
                const auto* const on = processor(rule.field("arch")->value, machine);
                REQUIRE(on != nullptr);
                REQUIRE_FALSE(rule.calls.empty());
                for (const auto& call : rule.calls) {
                    const bool number = call.find_first_not_of("0123456789") == std::string::npos;
                    CHECK((number || auditctl_number(call, *on).has_value()));
                    CHECK(call_number(call, on->name, machine).has_value());
                }
            }
        }
    }
}

TEST_CASE("every shipped rule is for one architecture, has luatrail's key, and there is one for 32-bit programs beside "
          "each") {
    for (const auto& file : shipped_files()) {
        std::set<std::string> wide;
        std::set<std::string> narrow;
        for (const auto& rule : parse_rules(file.text, file.name, "x86_64").rules) {
            INFO(rule.text());
            REQUIRE(rule.keys.size() == 1);
            CHECK((rule.field("arch") == nullptr) == (rule.list == List::io_uring)); // whose operations are alike
            if (rule.list == List::io_uring) {
                CHECK(rule.fields.empty()); // auditctl 4 takes neither dir= nor perm= nor success= for this list
                continue;
            }
            CHECK(rule.keys.front().starts_with("luatrail-"));
            CHECK(rule.action == Action::always);
            std::string rest;
            for (const auto& one : rule.fields) {
                rest += one.field == "arch" ? "" : one.field + one.op + one.value + " ";
            }
            (rule.field("arch")->value == "b64" ? wide : narrow).insert(rest);
        }
        CHECK((wide == narrow || file.name.find("-x86") != std::string_view::npos));
    }
}

TEST_CASE("what is printed reads back as the same rules") {
    for (const auto profile : {Profile::full, Profile::lean}) {
        for (const auto* const machine : {"x86_64", "aarch64"}) {
            const auto set = parse_rules(rules_file(profile, host(machine)), "printed", machine);
            CHECK(set.errors.empty());
            const auto wanted = rules_of(profile, host(machine));
            REQUIRE(set.rules.size() == wanted.size());
            for (std::size_t at = 0; at < wanted.size(); ++at) {
                CHECK(set.rules[at].text() == wanted[at].text());
            }
        }
    }
}

TEST_CASE("profiles differ in what they ask of every process") {
    const std::string every_exec = "-a always,exit -F arch=b64 -S execve,execveat -k luatrail-exec";
    const auto full = rules_of(Profile::full, host());
    const auto lean = rules_of(Profile::lean, host());
    CHECK(any(full, every_exec));
    CHECK(any(full, "exit_group"));
    CHECK_FALSE(any(lean, every_exec));
    CHECK_FALSE(any(lean, "exit_group"));
    CHECK(any(lean, "-S execve,execveat -F exe=/opt/x/luajit"));
    CHECK(any(lean, "-S execve,execveat -F dir=/dev/shm"));
    for (const auto& rules : {full, lean}) {
        CHECK(any(rules, "-F dir=/usr/local"));
        CHECK(any(rules, "memfd_create"));
        CHECK(any(rules, "-F a2&4 -F exe=/usr/bin/lua5.4"));
    }
}

TEST_CASE("reads of interpreters and libraries are asked for, one rule a file") {
    for (const auto profile : {Profile::full, Profile::lean}) {
        const auto rules = rules_of(profile, host());
        for (const auto* const file :
             {"/usr/lib/liblua5.4.so.0.0.0", "/opt/x/libluajit.so", "/usr/bin/lua5.4", "/opt/x/luajit"}) {
            INFO(file);
            const auto reads = std::string(" -F path=") + file + " -F perm=r -F success=1 -k luatrail-read";
            CHECK(any(rules, "-F arch=b64 -S openat,openat2,open" + reads));
            CHECK(any(rules, "-F arch=b32 -S open,openat,openat2" + reads));
            CHECK(std::count_if(rules.begin(), rules.end(), [file](const Rule& rule) {
                      return rule.field("path") != nullptr && rule.field("path")->value == file;
                  }) == 4); // by handle, too
        }
        CHECK_FALSE(any(rules, "path=/usr/bin/nmap"));
        CHECK_FALSE(any(rules, "path=/opt/game"));
        CHECK_FALSE(any(rules, "liblua5.3"));
    }
}

TEST_CASE("of a program with Lua inside everything is asked for, of one that only needs a Lua library runs and opens") {
    for (const auto profile : {Profile::full, Profile::lean}) {
        const auto rules = rules_of(profile, host());
        CHECK(any(rules, "-S mprotect,pkey_mprotect -F a2&4 -F exe=/usr/bin/nmap"));
        CHECK(any(rules, "-S openat,openat2,open_by_handle_at,open -F exe=/usr/bin/nmap"));
        CHECK(any(rules, "-S openat,openat2,open_by_handle_at,open -F exe=/opt/game"));
        CHECK_FALSE(any(rules, "connect,clone,clone3,fork,vfork -F exe=/opt/game"));
        CHECK_FALSE(any(rules, "-F a2&4 -F exe=/opt/game"));
        CHECK(any(rules, "-S execve,execveat -F exe=/opt/game") == (profile == Profile::lean));
        CHECK(any(rules, "-S execve,execveat -F exe=/usr/bin/nmap") == (profile == Profile::lean));
    }
}

TEST_CASE("only this host's interpreters and directories are named") {
    auto bare = host();
    bare.interpreters.clear();
    bare.host_programs.clear();
    bare.library_users.clear();
    bare.libraries.clear();
    bare.directory = [](const std::string& path) { return path == "/tmp" ? std::optional(path) : std::nullopt; };
    const auto rules = rules_of(Profile::full, bare);
    CHECK_FALSE(any(rules, "exe="));
    CHECK_FALSE(any(rules, "path="));
    CHECK_FALSE(any(rules, "dir=/opt"));
    CHECK(any(rules, "dir=/tmp"));
    const auto text = rules_file(Profile::full, bare);
    CHECK(text.find("No Lua interpreter") != std::string::npos);
    CHECK(text.find("Not on this host: /var/tmp") != std::string::npos);

    const auto here = rules_of(Profile::full, host());
    CHECK_FALSE(any(here, "lua5.1"));
    CHECK_FALSE(any(here, "dir=/run/shm")); // a link to /dev/shm, which dir= would not follow
    std::set<std::string> texts;
    for (const auto& rule : here) {
        CHECK(texts.insert(rule.text()).second);
    }
}

TEST_CASE("the older calls of x86_64 stand beside their successors, and only there") {
    const auto wide = rules_of(Profile::full, host());
    CHECK(any(wide, "-F arch=b64 -S openat,openat2,open,creat -F perm=wa -F dir=/tmp"));
    const auto arm = rules_of(Profile::full, host("aarch64"));
    CHECK(any(arm, "-F arch=b64 -S openat,openat2 -F perm=wa -F dir=/tmp"));
    CHECK_THROWS_AS(rules_of(Profile::full, host("vax")), base::Error);
}

TEST_CASE("a package manager is left out of the drops while root runs it, and seen wherever it writes for others") {
    auto managed = host();
    managed.package_manager = "/usr/bin/dpkg";
    const auto rules = rules_of(Profile::full, managed);
    std::size_t others = 0;
    for (const auto& rule : rules) {
        INFO(rule.text());
        const bool drop = rule.keys == std::vector<std::string>{"luatrail-file"} && rule.list == List::exit;
        const auto* const exe = rule.field("exe");
        if (drop && rule.field("dir") != nullptr) {
            REQUIRE(exe != nullptr);
            CHECK(exe->op == "!=");
            CHECK(exe->value == "/usr/bin/dpkg");
        } else if (drop) {
            ++others;
            CHECK(rule.text().find("-F exe=/usr/bin/dpkg -F uid!=0") != std::string::npos);
        } else {
            CHECK((exe == nullptr || exe->op == "="));
        }
        CHECK(std::count_if(rule.fields.begin(), rule.fields.end(),
                            [](const Comparison& one) { return one.field == "exe"; }) <= 1); // the kernel takes one
    }
    CHECK(others == 4); // opens, and the rest; 64 and 32 bit
}

TEST_CASE("this host has a processor, and names no link as an interpreter") {
    const auto here = this_host(detect::ProfileSet::builtin());
    CHECK(call_number("execve", "b64", here.machine).has_value());
    CHECK(here.directory("/") == "/");
    CHECK_FALSE(here.directory("/proc/version").has_value());
    CHECK_FALSE(here.directory("/no/such/directory").has_value());
}

} // namespace host_rules_test
