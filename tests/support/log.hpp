// Writes audit logs for tests as auditd would, event by event, and runs the engine over them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "luatrail/audit/assembler.hpp"
#include "luatrail/detect/engine.hpp"
#include "luatrail/source/parser.hpp"

namespace test {

struct Who {
    std::uint32_t pid = 0, ppid = 0, uid = 0;
    std::string exe{};
    std::string user{}; // enriched UID=; empty: a RAW record
    std::string tty = "(none)";
    std::int64_t auid = 4294967295;
    std::uint32_t ses = 4294967295;
    std::string key{}; // of the rule that reports its calls
};

class Log {
  public:
    explicit Log(std::string node = {}) : node_(std::move(node)) {}

    Log& at(std::int64_t ms) {
        now_ms = ms;
        return *this;
    }

    Log& exec(const Who& who, const std::vector<std::string>& argv, const std::string& cwd = "/") {
        begin(who, 59, "success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=2");
        std::string record = fmt::format("argc={}", argv.size());
        for (std::size_t i = 0; i < argv.size(); ++i) {
            record += fmt::format(" a{}=\"{}\"", i, argv[i]);
        }
        add("EXECVE", record);
        add("CWD", fmt::format("cwd=\"{}\"", cwd));
        path(0, who.exe, inode_of(who.exe), "NORMAL");
        path(1, "/lib64/ld-linux-x86-64.so.2", 901, "NORMAL");
        return *this;
    }

    Log& failed_exec(const Who& who, const std::string& name) {
        begin(who, 59, "success=no exit=-2 a0=1 a1=2 a2=3 a3=4 items=1");
        add("CWD", "cwd=\"/\"");
        add("PATH", fmt::format("item=0 name=\"{}\" nametype=UNKNOWN", name));
        return *this;
    }

    Log& fork(const Who& parent, std::uint32_t child) {
        begin(parent, 57, fmt::format("success=yes exit={} a0=0 a1=0 a2=0 a3=0 items=0", child));
        return *this;
    }

    Log& exit(const Who& who) {
        begin(who, 231, "a0=0 a1=0 a2=0 a3=0 items=0");
        return *this;
    }

    // openat(AT_FDCWD, path, O_WRONLY|O_CREAT) of a new file.
    Log& create(const Who& who, const std::string& file, std::uint64_t inode) {
        begin(who, 257, "success=yes exit=3 a0=ffffff9c a1=1 a2=241 a3=1b6 items=2");
        add("CWD", "cwd=\"/\"");
        path(0, file.substr(0, file.rfind('/') + 1), 500, "PARENT", "040755");
        path(1, file, inode, "CREATE");
        created_[file] = inode;
        return *this;
    }

    Log& unlink(const Who& who, const std::string& file, std::uint64_t inode) {
        begin(who, 87, "success=yes exit=0 a0=1 a1=0 a2=0 a3=0 items=2");
        add("CWD", "cwd=\"/\"");
        path(0, file.substr(0, file.rfind('/') + 1), 500, "PARENT", "040755");
        path(1, file, inode, "DELETE");
        return *this;
    }

    // Any other call; `middle` from success= to items=.
    Log& call(const Who& who, int number, const std::string& middle) {
        begin(who, number, middle);
        return *this;
    }
    Log& call(const Who& who, const std::string& head, const std::string& middle) {
        begin(who, head, middle);
        return *this;
    }

    // Any call that touches files, on any processor: `head` is "arch=... syscall=...".
    struct Item {
        std::string name; // "(null)": none
        std::uint64_t inode = 0;
        const char* nametype = "NORMAL";
        const char* mode = "0100755";
        const char* dev = "fe:00";
    };
    Log& file_call(const Who& who, const std::string& head, const std::string& arguments,
                   const std::vector<Item>& items) {
        begin(who, head, fmt::format("success=yes exit=0 {} items={}", arguments, items.size()));
        add("CWD", "cwd=\"/\"");
        for (std::size_t at = 0; at < items.size(); ++at) {
            path(static_cast<int>(at), items[at].name, items[at].inode, items[at].nametype, items[at].mode,
                 items[at].dev);
        }
        return *this;
    }

    // A call with the address that it was given: SOCKADDR's bytes in hex.
    Log& address_call(const Who& who, const std::string& head, const std::string& arguments,
                      const std::string& address) {
        begin(who, head, fmt::format("success=yes exit=0 {} items=0", arguments));
        add("SOCKADDR", "saddr=" + address);
        return *this;
    }

    // openat(AT_FDCWD, path, O_RDONLY), with other flags in hex.
    Log& read(const Who& who, const std::string& file, std::uint64_t inode, const char* mode = "0100644",
              const char* flags = "0") {
        begin(who, 257, fmt::format("success=yes exit=3 a0=ffffff9c a1=1 a2={} a3=0 items=1", flags));
        add("CWD", "cwd=\"/\"");
        path(0, file, inode, "NORMAL", mode);
        return *this;
    }

    // The same of a file on another device.
    Log& read(const Who& who, const Item& item) {
        return file_call(who, "arch=c000003e syscall=257", "exit=3 a0=ffffff9c a1=1 a2=0 a3=0", {item});
    }

    // linkat(AT_FDCWD, from, AT_FDCWD, to): one inode, two names.
    Log& link(const Who& who, const std::string& from, const std::string& to, std::uint64_t inode) {
        begin(who, 265, "success=yes exit=0 a0=ffffff9c a1=1 a2=ffffff9c a3=2 items=3");
        add("CWD", "cwd=\"/\"");
        path(0, from, inode, "NORMAL");
        path(1, to.substr(0, to.rfind('/') + 1), 500, "PARENT", "040755");
        path(2, to, inode, "CREATE");
        created_[to] = inode;
        return *this;
    }

    // Two names of one file that no record tells of (a bind mount).
    void same_inode(const std::string& one, const std::string& other) { created_[other] = inode_of(one); }

    // An operation of io_uring: URINGOP tells neither program nor names.
    Log& ring(const Who& who, int operation, const std::vector<Item>& items) {
        ++serial_;
        add("URINGOP",
            fmt::format("uring_op={} success=yes exit=0 items={} ppid={} pid={} uid={} gid=0 euid={} suid=0 fsuid=0 "
                        "egid=0 sgid=0 fsgid=0 key=(null)",
                        operation, items.size(), who.ppid, who.pid, who.uid, who.uid));
        add("CWD", "cwd=\"/\"");
        for (std::size_t at = 0; at < items.size(); ++at) {
            path(static_cast<int>(at), items[at].name, items[at].inode, items[at].nametype, items[at].mode,
                 items[at].dev);
        }
        return *this;
    }

    // A further record of the last event.
    Log& more(const std::string& type, const std::string& body) {
        add(type, body);
        return *this;
    }

    // A record that is an event of its own.
    Log& lone(const std::string& type, const std::string& body) {
        ++serial_;
        add(type, body);
        return *this;
    }

    std::int64_t now_ms = 1'795'572'000'000;
    std::string text;

  private:
    void begin(const Who& who, int call, const std::string& middle) {
        begin(who, fmt::format("arch=c000003e syscall={}", call), middle);
    }

    void begin(const Who& who, const std::string& head, const std::string& middle) {
        ++serial_;
        auto record = fmt::format("{} {} ppid={} pid={} auid={} uid={} gid=0 euid={} suid=0 "
                                  "fsuid=0 egid=0 sgid=0 fsgid=0 tty={} "
                                  "ses={} comm=\"{}\" exe=\"{}\" key={}",
                                  head, middle, who.ppid, who.pid, who.auid, who.uid, who.uid, who.tty, who.ses,
                                  who.exe.substr(who.exe.rfind('/') + 1).substr(0, 15), who.exe,
                                  who.key.empty() ? "(null)" : "\"" + who.key + "\"");
        if (!who.user.empty()) {
            record += fmt::format("\x1d"
                                  "ARCH=x86_64 SYSCALL=x AUID=\"unset\" UID=\"{}\"",
                                  who.user);
        }
        add("SYSCALL", record);
    }

    // Of what was created here its own, of any other program one that no other has.
    std::uint64_t inode_of(const std::string& exe) {
        constexpr std::uint64_t first_program = 100'000;
        return created_.try_emplace(exe, first_program + created_.size()).first->second;
    }

    void path(int item, const std::string& name, std::uint64_t inode, const char* nametype,
              const char* mode = "0100755", const char* dev = "fe:00") {
        add("PATH", fmt::format("item={} name={} inode={} dev={} mode={} ouid=0 ogid=0 rdev=00:00 nametype={}", item,
                                name == "(null)" ? name : fmt::format("\"{}\"", name), inode, dev, mode, nametype));
    }

    void add(const std::string& type, const std::string& body) {
        text += fmt::format("{}type={} msg=audit({}.{:03}:{}): {}\n", node_.empty() ? "" : "node=" + node_ + " ", type,
                            now_ms / 1000, now_ms % 1000, serial_, body);
    }

    std::string node_;
    std::uint64_t serial_ = 100;
    std::map<std::string, std::uint64_t> created_; // inodes by path
};

class Findings final : public luatrail::detect::FindingSink {
  public:
    void on_finding(const luatrail::detect::Finding& finding) override { all.push_back(finding); }
    std::vector<luatrail::detect::Finding> all;
};

// "high script: script-drop create, shared-memory | no-baseline": what tests compare. Chain kinds with how; degraded
// marks after the bar.
inline std::string brief(const luatrail::detect::Finding& finding) {
    using namespace luatrail::detect;
    std::string text = fmt::format("{} {}:", to_string(finding.severity), to_string(finding.code.origin));
    for (const auto& entry : finding.chain) {
        text += fmt::format(" {}", to_string(entry.kind));
        if (entry.how) {
            text += fmt::format("/{}", to_string(*entry.how));
        }
    }
    text += " |";
    for (const auto mark : finding.degraded) {
        text += fmt::format(" {}", to_string(mark));
    }
    return text;
}

struct Replay {
    std::vector<luatrail::detect::Finding> findings;
    std::vector<std::string> briefs;
    luatrail::detect::EngineCounters counters;
};

// The whole way of a log's text into an engine.
inline void feed(luatrail::detect::Engine& engine, const std::string& text) {
    using namespace luatrail;
    struct Feed final : source::RecordSink {
        Feed(audit::Assembler& to, detect::Engine& engine) : assembler(to), watching(engine) {}
        void on_record(const audit::Record& record) override {
            watching.on_record(record);
            assembler.push(record);
        }
        void on_malformed(source::Malformed, std::string_view) override {}
        audit::Assembler& assembler;
        detect::Engine& watching;
    };
    audit::Assembler assembler({}, engine);
    Feed records(assembler, engine);
    const auto parser = source::make_parser(source::ParserKind::native, records);
    parser->feed(text);
    parser->finish();
    assembler.flush();
}

inline Replay replay(const std::string& text, luatrail::detect::EngineOptions options = {}) {
    using namespace luatrail;
    Findings findings;
    detect::Engine engine(std::move(options), findings);
    feed(engine, text);
    Replay made;
    made.findings = findings.all;
    made.counters = engine.counters();
    for (const auto& finding : findings.all) {
        made.briefs.push_back(brief(finding));
    }
    return made;
}

} // namespace test
