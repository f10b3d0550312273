#include "luatrail/rules/coverage.hpp"

#include <algorithm>

#include "luatrail/rules/host_checks.hpp"
#include "luatrail/rules/rule_text.hpp"
#include "support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace coverage_test {

using namespace luatrail::rules;

namespace {

Host host(std::string machine = "x86_64") {
    Host host{std::move(machine), [](const std::string& path) { return std::optional(path); }, {"/usr/bin/lua5.4"}};
    host.host_programs = {"/usr/bin/nmap"};
    host.library_users = {"/usr/bin/sysbench"};
    host.libraries = {"/usr/lib/liblua5.4.so.0.0.0"};
    host.io_uring = true;
    return host;
}

std::map<std::string, CoverageRow> rows_of(const std::string& text, const Host& on = host()) {
    const auto set = parse_rules(text, "f", on.machine);
    INFO((set.errors.empty() ? "" : set.errors.front()));
    CHECK(set.errors.empty());
    std::map<std::string, CoverageRow> by_id;
    for (auto& row : coverage(set, on)) {
        CHECK(row.why.empty() == (row.coverage == Coverage::seen));
        CHECK(row.remedy.empty() == (row.coverage == Coverage::seen));
        by_id.emplace(row.id, row);
    }
    return by_id;
}

std::string why(const CoverageRow& row) {
    std::string all;
    for (const auto& line : row.why) {
        all += line + "; ";
    }
    return all;
}

const std::string full = rules_file(Profile::full, host());

} // namespace

TEST_CASE("the full profile shows everything, on every processor of 64 bits") {
    for (const auto& architecture : luatrail::audit::architectures()) {
        if (!architecture.wide()) {
            continue;
        }
        const std::string machine(architecture.name);
        INFO(machine);
        for (const auto& [id, row] : rows_of(rules_file(Profile::full, host(machine)), host(machine))) {
            INFO(id << ": " << why(row));
            CHECK(row.coverage == Coverage::seen);
        }
    }
}

TEST_CASE("the lean profile is blind where it says so") {
    std::vector<std::string> blind;
    for (const auto& [id, row] : rows_of(rules_file(Profile::lean, host()))) {
        CHECK(row.coverage != Coverage::partly);
        if (row.coverage == Coverage::blind) {
            blind.push_back(id);
        }
    }
    CHECK(blind ==
          std::vector<std::string>{"child-shell", "lineage/exit", "lineage/fork", "run-anywhere", "run-memfd"});
}

TEST_CASE("without rules the kernel's own records are left") {
    for (const auto& [id, row] : rows_of("")) {
        INFO(id);
        CHECK((row.coverage == Coverage::blind) == !id.starts_with("record/"));
    }
}

TEST_CASE("a rule before ours that says never hides, and is named") {
    const auto rows = rows_of("-a never,exit -F dir=/dev/shm\n" + full);
    CHECK(rows.at("drop/write").coverage == Coverage::partly);
    CHECK(why(rows.at("drop/write")).find("not in /dev/shm; hidden by f:1") == 0);
    CHECK(rows.at("run").coverage == Coverage::seen);
    for (const auto& [id, row] : rows_of(full + "-a never,exit -F dir=/dev/shm\n")) { // too late to hide
        CHECK(row.coverage == Coverage::seen);
    }
}

TEST_CASE("a rule '-a never,task' blinds all system calls") {
    const auto rows = rows_of(full + "-a never,task\n");
    CHECK(rows.at("run").coverage == Coverage::blind);
    CHECK(why(rows.at("lineage/fork")).find("-a never,task") != std::string::npos);
    CHECK(rows.at("record/ANOM_ABEND").coverage == Coverage::seen);
}

TEST_CASE("rules for login users leave services unseen") {
    const auto rows = rows_of("-a always,exit -F arch=b64 -S execve,execveat -F auid>=1000 -F auid!=-1\n"
                              "-a always,exit -F arch=b32 -S execve,execveat -F auid>=1000 -F auid!=4294967295\n");
    CHECK(rows.at("run").coverage == Coverage::partly);
    CHECK(why(rows.at("run")) == "not of root's services and cron, services; ");
}

TEST_CASE("what is missing is told by its widest reason") {
    CHECK(why(rows_of("-a always,exit -F arch=b64 -S execve,execveat\n").at("run")) == "not of 32-bit programs; ");
    CHECK(why(rows_of("-a always,exit -F arch=b64 -S execve\n-a always,exit -F arch=b32 -S execve\n").at("run")) ==
          "not by execveat; ");
    CHECK(why(rows_of("-w /opt -p w\n").at("drop/rename")).find("not in /dev/shm, ") == 0);
    CHECK(rows_of("-w /opt -p w\n").at("drop/chmod").coverage == Coverage::blind);
    CHECK(rows_of("-w /opt -p x\n").at("run-copy").coverage == Coverage::partly);
}

TEST_CASE("a program, an interpreter or a library that came after the rules were loaded is named") {
    auto later = host();
    later.interpreters.emplace_back("/usr/bin/lua5.5");
    later.library_users.emplace_back("/usr/games/game");
    later.libraries.emplace_back("/usr/lib/liblua5.5.so.0.0.0");
    const auto rows = rows_of(rules_file(Profile::lean, host()), later);
    CHECK(why(rows.at("run")) == "not of /usr/bin/lua5.5; ");
    CHECK(why(rows.at("load")) == "not of /usr/bin/lua5.5; ");
    CHECK(why(rows.at("interpreter-read")) == "not of /usr/bin/lua5.5; ");
    CHECK(why(rows.at("run-embedded")) == "not of /usr/games/game; ");
    CHECK(why(rows.at("load-embedded")) == "not of /usr/games/game; ");
    CHECK(why(rows.at("library-load")) == "not of /usr/lib/liblua5.5.so.0.0.0; ");
}

TEST_CASE("where the host has no library and no program with Lua inside, none is missed") {
    auto bare = host();
    bare.host_programs.clear();
    bare.library_users.clear();
    bare.libraries.clear();
    const auto rows = rows_of(rules_file(Profile::lean, bare), bare);
    for (const auto* const id : {"run-embedded", "load-embedded", "library-load"}) {
        CHECK(rows.at(id).coverage == Coverage::seen);
    }
}

TEST_CASE("changes through io_uring are seen by rules of its own list alone") {
    CHECK(rows_of(full).at("drop/io_uring").coverage == Coverage::seen);
    std::string others;
    for (const auto& rule : parse_rules(full, "f", "x86_64").rules) {
        others += rule.list == List::io_uring ? "" : rule.text() + "\n";
    }
    const auto blind = rows_of(others).at("drop/io_uring");
    CHECK(blind.coverage == Coverage::blind);
    CHECK(why(blind) == "no rule asks for it; ");
    CHECK(why(rows_of("-a always,io_uring -S openat -F dir=/tmp\n" + others).at("drop/io_uring"))
              .find("not in /dev/shm, ") == 0);
    auto old = host();
    old.io_uring = false;
    CHECK(rules_file(Profile::full, old).find("io_uring") == std::string::npos);
    CHECK(why(rows_of(others, old).at("drop/io_uring")).find("auditctl knows no rules") != std::string::npos);
    CHECK(parse_rules("-a always,io_uring -S read,some_new_one -k x\n", "f", "x86_64").errors.empty());
}

TEST_CASE("a library's reads are seen by a rule on it, and not by one on its writes") {
    const auto with = [](const std::string& fields) {
        return rows_of("-a always,exit -F arch=b64 -S open,openat,openat2,open_by_handle_at " + fields +
                       "\n-a always,exit -F arch=b32 -S open,openat,openat2,open_by_handle_at " + fields + "\n")
            .at("library-load");
    };
    CHECK(with("-F path=/usr/lib/liblua5.4.so.0.0.0").coverage == Coverage::seen);
    CHECK(with("-F dir=/usr/lib").coverage == Coverage::seen);
    CHECK(with("-F path=/usr/lib/liblua5.4.so.0").coverage == Coverage::blind); // a link, which path= does not follow
    CHECK(with("-F path=/usr/lib/liblua5.4.so.0.0.0 -F perm=wa").coverage == Coverage::blind);
    CHECK(why(with("-F path=/usr/lib/liblua5.4.so.0.0.0 -F perm=r")) == "not by open_by_handle_at; ");
}

TEST_CASE("a comparison that cannot be answered is not taken for seen") {
    const auto rows = rows_of("-a always,exit -F arch=b64 -S execve,execveat -F subj_type=httpd_t\n");
    CHECK(rows.at("run").coverage == Coverage::partly);
    CHECK(why(rows.at("run")).find("perhaps not execve at /usr/bin/lua5.4 of") != std::string::npos);
}

TEST_CASE("each call of the table by which something is done is asked for") {
    using luatrail::audit::Effect;
    const std::map<Effect, std::string> rows{
        {Effect::exec, "run"},
        {Effect::fork, "lineage/fork"},
        {Effect::exit, "lineage/exit"},
        {Effect::open, "drop/write"},
        {Effect::rename, "drop/rename"},
        {Effect::link, "drop/link"},
        {Effect::symlink, "drop/symlink"},
        {Effect::unlink, "delete"},
        {Effect::chmod, "drop/chmod"},
        {Effect::truncate, "drop/write"},
        {Effect::memfd, "memfd"},
        {Effect::map, "exec-memory"},
        {Effect::protect, "exec-memory"},
        {Effect::trace, "injection"},
        {Effect::poke, "injection"},
        {Effect::take, "take"},
        {Effect::mount, "mount"},
        {Effect::unmount, "mount"},
        {Effect::connect, "network"},
        {Effect::send, "network"},
        {Effect::socket_call, "network"},
    };
    using luatrail::audit::Call;
    std::map<std::string, std::vector<luatrail::audit::SystemCall>> calls; // by row
    for (const auto& call : luatrail::audit::system_calls()) {
        if (const auto row = rows.find(call.effect); row != rows.end()) {
            calls[row->second].push_back(call);
        }
    }
    // The full profile without one call of each row, by name or number, until each call has been left out.
    const auto set = parse_rules(full, "f", "x86_64");
    for (std::size_t round = 0; !calls.empty(); ++round) {
        std::erase_if(calls, [round](const auto& row) { return row.second.size() <= round; });
        std::set<std::string> left_out;
        for (const auto& [row, all] : calls) {
            const auto& call = all.at(round);
            left_out.emplace(call.call == Call::fchmodat2 ? "452" : call.call == Call::setxattrat ? "463" : call.name);
        }
        std::string text;
        for (auto rule : set.rules) {
            std::erase_if(rule.calls, [&](const std::string& call) { return left_out.contains(call); });
            text += rule.calls.empty() ? "" : rule.text() + "\n";
        }
        const auto coverage = rows_of(text);
        for (const auto& [row, all] : calls) {
            const auto& call = all.at(round);
            INFO(call.name);
            const auto* const narrow = luatrail::audit::architecture_of("i386");
            const bool asked = luatrail::audit::shows_arguments(call.call, *narrow) ||
                               luatrail::audit::number_of(call.call, *luatrail::audit::architecture_of("x86_64"));
            CHECK((coverage.at(row).coverage != Coverage::seen) == asked);
        }
    }
}

TEST_CASE("records that are thrown away are told") {
    const auto rows = rows_of(full + "-a always,exclude -F msgtype=EXECVE\n-a never,exclude -F msgtype=PATH\n");
    CHECK(rows.at("record/EXECVE").coverage == Coverage::blind);
    CHECK(rows.at("record/PATH").coverage == Coverage::blind);
    CHECK(rows.at("record/CWD").coverage == Coverage::seen);
    CHECK(rows_of("-a always,exclude -F msgtype=EXECVE -F uid=33\n").at("record/EXECVE").coverage == Coverage::seen);
}

namespace {

const Check* find(const std::vector<Check>& checks, std::string_view id) {
    const auto found = std::find_if(checks.begin(), checks.end(), [&](const Check& check) { return check.id == id; });
    return found == checks.end() ? nullptr : &*found;
}

Health health(const std::vector<Check>& checks, std::string_view id) {
    const auto* check = find(checks, id);
    INFO(id);
    REQUIRE(check != nullptr);
    CHECK(check->remedy.empty() == (check->health == Health::good));
    return check->health;
}

class AuditDirectory {
  public:
    AuditDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "luatrail-rules-XXXXXX").string();
        path = ::mkdtemp(name.data());
        std::filesystem::create_directory(path + "/plugins.d");
    }
    ~AuditDirectory() { std::filesystem::remove_all(path); }
    AuditDirectory(const AuditDirectory&) = delete;
    AuditDirectory& operator=(const AuditDirectory&) = delete;
    void write(const std::string& name, const std::string& text) const { std::ofstream(path + "/" + name) << text; }
    std::string path;
};

} // namespace

TEST_CASE("the kernel's state is judged") {
    const auto good = kernel_checks({1, 1, 700, 0, 8192, 0, 0});
    CHECK(std::all_of(good.begin(), good.end(), [](const Check& check) { return check.health == Health::good; }));
    CHECK(health(kernel_checks({0, 1, 700, 0, 8192, 0, 0}), "kernel/enabled") == Health::fault);
    CHECK(health(kernel_checks({1, 1, 0, 0, 8192, 0, 0}), "kernel/auditd") == Health::fault);
    CHECK(health(kernel_checks({2, 1, 700, 0, 8192, 0, 0}), "kernel/locked") == Health::warning);
    CHECK(health(kernel_checks({1, 1, 700, 0, 64, 0, 0}), "kernel/backlog-limit") == Health::warning);
    CHECK(health(kernel_checks({1, 1, 700, 100, 8192, 0, 0}), "kernel/rate-limit") == Health::warning);
    CHECK(health(kernel_checks({1, 1, 700, 0, 8192, 5, 0}), "kernel/lost") == Health::warning);
}

TEST_CASE("the settings of a rules file are judged") {
    CHECK(health(setting_checks(parse_rules("-e 0\n", "f", "x86_64")), "kernel/enabled") == Health::fault);
    CHECK(health(setting_checks(parse_rules("-e 2\n", "f", "x86_64")), "kernel/locked") == Health::warning);
    CHECK(health(setting_checks(parse_rules("-b 320\n", "f", "x86_64")), "kernel/backlog-limit") == Health::warning);
    CHECK(health(setting_checks(parse_rules("-r 100\n", "f", "x86_64")), "kernel/rate-limit") == Health::warning);
    CHECK(setting_checks(parse_rules("-e 1\n", "f", "x86_64")).empty());
}

TEST_CASE("auditd's configuration is judged") {
    const AuditDirectory directory;
    CHECK(health(auditd_checks(directory.path), "auditd/configuration") == Health::fault);
    directory.write("auditd.conf",
                    "# log_format = ENRICHED\nlog_format = RAW\nName_Format=none\nq_depth = 400\nmax_restarts = 1\n");
    auto checks = auditd_checks(directory.path);
    CHECK(health(checks, "auditd/log_format") == Health::warning);
    CHECK(health(checks, "auditd/name_format") == Health::warning);
    CHECK(health(checks, "auditd/q_depth") == Health::warning);
    CHECK(health(checks, "auditd/max_restarts") == Health::warning);
    CHECK(health(checks, "plugin/installed") == Health::fault);

    directory.write("auditd.conf",
                    "log_format = ENRICHED\nname_format = HOSTNAME\nq_depth = 2000\nmax_restarts = 10\n");
    directory.write("plugins.d/luatrail.conf",
                    "active = no\npath = /no/such\nargs = plugin --config=/no/config\nformat = binary\n");
    checks = auditd_checks(directory.path);
    CHECK(health(checks, "auditd/log_format") == Health::good);
    CHECK(find(checks, "auditd/q_depth") == nullptr);
    CHECK(health(checks, "plugin/active") == Health::fault);
    CHECK(health(checks, "plugin/path") == Health::fault);
    CHECK(health(checks, "plugin/format") == Health::fault);
    CHECK(health(checks, "plugin/config") == Health::fault);

    directory.write("plugins.d/luatrail.conf",
                    "active = yes\npath = /bin/sh\nargs = plugin --config=/etc/passwd\nformat = string\n");
    checks = auditd_checks(directory.path);
    CHECK(health(checks, "plugin/active") == Health::good);
    CHECK(find(checks, "plugin/path") == nullptr);
    CHECK(find(checks, "plugin/config") == nullptr);
}

} // namespace coverage_test
