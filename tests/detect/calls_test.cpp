// Every row of the table of system calls, on every processor: the same deed is the same verdict.
#include <map>

#include "luatrail/audit/syscalls.hpp"
#include "support/catch.hpp"
#include "support/log.hpp"

namespace calls_test {

using namespace luatrail;
using audit::Architecture;
using audit::Call;
using audit::Effect;
using test::Log;
using test::replay;
using test::Who;

namespace {

constexpr std::int64_t start = 1'795'572'000'000;
constexpr std::uint64_t script = 700;
const std::string run_alone = "low script: |; ";
constexpr auto internet = "02000050C00002010000000000000000"; // 192.0.2.1:80

const Who shell{.pid = 10, .ppid = 1, .exe = "/usr/bin/bash"};
const Who lua{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/lua5.4"};

struct Spelling {
    std::string head; // "arch=40000003 syscall=193"
    std::string described;
};

// All ways in which a log may say that a call was made: by number on each processor, x32's among them, and by name.
std::vector<Spelling> spellings(const audit::SystemCall& row) {
    std::vector<Spelling> all;
    const auto add = [&](std::uint32_t arch, const std::string& number, std::string_view where) {
        all.push_back({fmt::format("arch={:x} syscall={}", arch, number), fmt::format("{} on {}", row.name, where)});
    };
    for (const auto& architecture : audit::architectures()) {
        if (const auto number = audit::number_of(row.call, architecture)) {
            add(architecture.value, std::to_string(*number), architecture.name);
            add(architecture.value, std::string(row.name), architecture.name);
        }
    }
    const auto x32 = row.numbers[static_cast<std::size_t>(audit::Numbering::x32)];
    if (x32 >= 0) {
        add(0xc000003e, std::to_string(0x40000000 + x32), "x32");
    }
    add(0xffff, std::string(row.name), "an unknown processor");
    return all;
}

// a0 to a3 of a call that opens for writing, or makes executable, by names relative to the working directory.
std::string arguments_of(const audit::SystemCall& row) {
    std::uint64_t a[4] = {1, 1, 1, 1};
    const auto put = [&a](int at, std::uint64_t value) {
        if (at >= 0) {
            a[at] = value;
        }
    };
    put(row.arguments.descriptor, 0xffffff9c);
    put(row.arguments.second_descriptor, 0xffffff9c);
    put(row.arguments.flags, 01); // O_WRONLY
    put(row.arguments.mode, 0755);
    put(row.arguments.size, 28); // of an access list
    return fmt::format("a0={:x} a1={:x} a2={:x} a3={:x}", a[0], a[1], a[2], a[3]);
}

std::vector<Log::Item> items_of(Effect effect) {
    constexpr auto directory = "040755";
    constexpr auto plain = "0100644";
    const Log::Item parent{"/srv/", 500, "PARENT", directory};
    switch (effect) {
    case Effect::rename:
        return {parent, parent, {"/srv/a", script, "DELETE", plain}, {"/srv/x.lua", script, "CREATE", plain}};
    case Effect::link:
        return {{"/srv/a", script, "NORMAL", plain}, parent, {"/srv/x.lua", script, "CREATE", plain}};
    case Effect::symlink:
        return {{"/srv/a", 0, "UNKNOWN", "00"}, parent, {"/srv/x.lua", script, "CREATE", "0120777"}};
    case Effect::mkdir:
        return {parent, {"/srv/d", 800, "CREATE", directory}};
    case Effect::mknod:
        return {parent, {"/srv/x.lua", script, "CREATE", plain}};
    case Effect::unlink:
        return {parent, {"/srv/x.lua", script, "DELETE", plain}};
    case Effect::rmdir:
        return {parent, {"/srv/d", 800, "DELETE", directory}};
    default:
        return {{"/srv/x.lua", script, "NORMAL", plain}};
    }
}

std::string verdict(const Log& log) {
    detect::EngineOptions options;
    options.baseline.load_text("schema = 1\n", "b.toml"); // nothing is expected: a contact alone raises a run
    std::string all;
    for (const auto& one : replay(log.text, std::move(options)).briefs) {
        all += one + "; ";
    }
    return all;
}

Log begin() {
    Log log;
    return log.at(start).exec(shell, {"bash"}).fork(shell, lua.pid);
}

// A file is changed, and run.
Log change_and_run(const audit::SystemCall& row, const std::string& head) {
    auto log = begin();
    log.file_call(shell, head, arguments_of(row), items_of(row.effect));
    if (row.call == Call::openat2) {
        log.more("OPENAT2", "oflag=01 mode=0 resolve=0x0");
    }
    return log.at(start + 1000).exec(lua, {"lua", "/srv/x.lua"});
}

Log after_a_run() {
    return begin().exec(lua, {"lua", "/srv/old.lua"}).at(start + 1000);
}

} // namespace

TEST_CASE("every change of a file is the same drop on every processor") {
    const std::map<Effect, std::string> wanted{
        {Effect::open, "high script: script-drop/write |; "},
        {Effect::truncate, "high script: script-drop/write |; "},
        {Effect::rename, "high script: script-drop/rename |; "},
        {Effect::link, "high script: script-drop/link |; "},
        {Effect::symlink, "high script: script-drop/symlink |; "},
        {Effect::mknod, "high script: script-drop/create |; "},
        {Effect::chmod, "high script: script-drop/chmod |; "},
        {Effect::mkdir, run_alone},
        {Effect::rmdir, run_alone},
        {Effect::unlink, run_alone},
    };
    std::size_t tried = 0;
    for (const auto& row : audit::system_calls()) {
        if (audit::is_file(row.effect)) {
            for (const auto& spelling : spellings(row)) {
                INFO(spelling.described << ": " << spelling.head);
                CHECK(verdict(change_and_run(row, spelling.head)) == wanted.at(row.effect));
                ++tried;
            }
        }
    }
    CHECK(tried > 400);
}

TEST_CASE("every opening by the run itself of what was dropped shows the drop, on every processor") {
    for (const auto& row : audit::system_calls()) {
        if (row.effect != Effect::open || row.marks.writes) {
            continue;
        }
        for (const auto& spelling : spellings(row)) {
            auto log = begin().create(shell, "/srv/m.lua", 900).exec(lua, {"lua", "/srv/old.lua"}).at(start + 1000);
            log.file_call(lua, spelling.head, "a0=ffffff9c a1=0 a2=0 a3=0", {{"/srv/m.lua", 900}});
            INFO(spelling.described << ": " << spelling.head);
            CHECK(verdict(log) == run_alone + "high script: module-drop/create |; ");
        }
    }
}

TEST_CASE("every exec is a run, every fork a child, every exit an end, on every processor") {
    for (const auto& row : audit::system_calls()) {
        for (const auto& spelling : spellings(row)) {
            INFO(spelling.described << ": " << spelling.head);
            if (row.effect == Effect::exec) {
                auto run = begin().call(lua, spelling.head, "success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=0");
                run.more("EXECVE", R"(argc=2 a0="lua" a1="/srv/x.lua")");
                CHECK(verdict(run) == run_alone);
            } else if (row.effect == Effect::fork) {
                // Its parent is gone: what tells whose child the shell was, is the fork alone.
                auto log = after_a_run().call(lua, spelling.head, "success=yes exit=30 a0=0 a1=0 a2=0 a3=0 items=0");
                log.exec({.pid = 30, .ppid = 1, .exe = "/usr/bin/dash"}, {"sh"});
                CHECK(verdict(log) == run_alone + "medium script: child-shell |; ");
            } else if (row.effect == Effect::exit || row.effect == Effect::exit_thread) {
                auto log = after_a_run().call(lua, spelling.head, "a0=0 a1=0 a2=0 a3=0 items=0");
                log.lone("ANOM_ABEND", "auid=0 uid=0 gid=0 ses=1 pid=20 comm=\"x\" exe=\"/usr/bin/x\" sig=11 res=1");
                const bool gone = row.effect == Effect::exit;
                CHECK((verdict(log).find("crash") == std::string::npos) == gone);
            }
        }
    }
}

TEST_CASE("every call on memory is the same artifact on every processor where its arguments show") {
    for (const auto& row : audit::system_calls()) {
        for (const auto& architecture : audit::architectures()) {
            const auto number = audit::number_of(row.call, architecture);
            if (!number || !audit::is_memory(row.effect) || row.effect == Effect::memfd) {
                continue;
            }
            const auto head = fmt::format("arch={:x} syscall={}", architecture.value, *number);
            const bool other = row.arguments.process >= 0; // another process's
            auto log = after_a_run().call(lua, head,
                                          other ? fmt::format("success=yes exit=0 a0={:x} a1={:x} a2=0 a3=0 items=0",
                                                              row.effect == Effect::trace ? 4 : 99, 99)
                                                : "success=yes exit=140 a0=0 a1=1000 a2=7 a3=22 items=0");
            INFO(row.name << " on " << architecture.name);
            const bool shows = audit::shows_arguments(row.call, architecture);
            CHECK(verdict(log) == run_alone + fmt::format("{}", !shows  ? ""
                                                                : other ? "high script: injection |; "
                                                                        : "high script: exec-memory |; "));
        }
    }
}

TEST_CASE("every call that names a peer is a contact on every processor, socketcall's too") {
    const auto wanted = run_alone + "medium script: network |; ";
    const auto followed = [](const std::string& head, const std::string& arguments, const std::string& address) {
        return verdict(after_a_run().address_call(lua, head, arguments, address));
    };
    for (const auto& row : audit::system_calls()) {
        if (!audit::names_peer(row.effect)) {
            continue;
        }
        for (const auto& spelling : spellings(row)) {
            INFO(spelling.described);
            CHECK(followed(spelling.head, "a0=3 a1=1 a2=10 a3=0", internet) == wanted);
            CHECK(followed(spelling.head, "a0=3 a1=1 a2=10 a3=0", "01002F72756E2F780000000000000000") ==
                  run_alone); // a local socket
        }
        for (const auto& spelling : spellings(audit::system_call(Call::socketcall))) {
            INFO(spelling.described << " " << row.name);
            CHECK(followed(spelling.head, fmt::format("a0={:x} a1=ff a2=0 a3=0", row.marks.in_socketcall), internet) ==
                  wanted);
        }
    }
    for (const auto& spelling : spellings(audit::system_call(Call::socketcall))) { // bind: an address of its own
        CHECK(followed(spelling.head, "a0=2 a1=ff a2=0 a3=0", internet) == run_alone);
    }
}

TEST_CASE("an attribute arms a file where it may be an access list, and only one that could not be executed before") {
    const auto verdict_of = [](std::string_view call, std::uint64_t size, const char* mode) {
        auto log = begin();
        log.file_call(shell, fmt::format("arch=c000003e syscall={}", call), fmt::format("a0=1 a1=1 a2=1 a3={:x}", size),
                      {{"/srv/x.lua", script, "NORMAL", mode}});
        log.at(start + 1000).exec(lua, {"lua", "/srv/x.lua"}).read(lua, "/srv/x.lua", script);
        return verdict(log);
    };
    const std::string armed = "high script: script-drop/chmod |; ";
    for (const auto* const call : {"setxattr", "lsetxattr", "fsetxattr"}) {
        INFO(call);
        for (const auto size : {28, 36, 44, 84}) {
            CHECK(verdict_of(call, size, "0100644") == armed);
            CHECK(verdict_of(call, size, "0100755") == run_alone); // could be executed before
            CHECK(verdict_of(call, size, "040700") == run_alone);  // a directory
        }
        for (const auto size : {0, 4, 12, 20, 24, 33, 37, 64}) { // labels, capabilities, a browser's notes
            CHECK(verdict_of(call, size, "0100644") == run_alone);
        }
    }
}

TEST_CASE("a file that is written by its handle is known by its inode: the call's item has no name") {
    for (const auto* const name : {"", "(null)"}) {
        auto log = begin();
        log.file_call(shell, "arch=c000003e syscall=304", "a0=3 a1=1 a2=201 a3=0",
                      {{name, script, "NORMAL", "0100644"}});
        log.at(start + 1000).exec(lua, {"lua", "/srv/x.lua"}).read(lua, "/srv/x.lua", script);
        CHECK(verdict(log) == run_alone + "high script: script-drop/write |; ");
    }
}

} // namespace calls_test
