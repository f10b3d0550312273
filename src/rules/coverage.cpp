#include "luatrail/rules/coverage.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include <sys/socket.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "luatrail/audit/syscalls.hpp"
#include "luatrail/rules/rule_text.hpp"
#include "rules/kernel_filter.hpp"

namespace luatrail::rules {
namespace {

using audit::Effect;

struct Subject {
    std::string_view name;
    std::uint32_t uid, auid;
};
constexpr std::array<Subject, 4> subjects{{{"login users", 1000, 1000},
                                           {"root after a login (sudo)", 0, 1000},
                                           {"services", 33, unset_login},
                                           {"root's services and cron", 0, unset_login}}};

constexpr std::uint64_t create_flags = 01101;     // O_WRONLY|O_CREAT|O_TRUNC
constexpr std::uint64_t read_execute = 5;         // PROT_READ|PROT_EXEC
constexpr std::uint64_t private_anonymous = 0x22; // MAP_PRIVATE|MAP_ANONYMOUS
constexpr std::uint64_t access_list = 28;         // the least size of one, as an attribute
constexpr std::string_view any_program = "/usr/bin/some-program";

// One question: a probe, and what of it can be missing.
struct Question {
    Probe probe;
    std::string call, arch, place, who;
    Verdict verdict;
};

const std::string& value_of(const Question& question, std::string_view dimension) {
    return dimension == "who"     ? question.who
           : dimension == "arch"  ? question.arch
           : dimension == "place" ? question.place
                                  : question.call;
}

std::string missing_text(std::string_view dimension, const std::vector<std::string>& values, bool of_files) {
    if (dimension == "arch") {
        return values.front() == "b32" ? "not of 32-bit programs" : "not of 64-bit programs";
    }
    return fmt::format("not {} {}",
                       dimension == "who"     ? "of"
                       : dimension == "place" ? (of_files ? "of" : "in")
                                              : "by",
                       fmt::join(values, ", "));
}

// Of what nothing is seen ("not in /opt"), the widest first; what one such line explains is asked about no more.
std::vector<std::string> explain(std::vector<Question> asked, bool of_files) {
    std::vector<std::string> why;
    for (const std::string_view dimension : {"who", "arch", "place", "call"}) {
        std::map<std::string, bool> seen; // by value: whether anything is
        for (const auto& question : asked) {
            auto& any = seen[value_of(question, dimension)];
            any = any || question.verdict.sight == Sight::seen;
        }
        std::vector<std::string> none;
        for (const auto& [value, any] : seen) {
            if (!any && seen.size() > 1) {
                none.push_back(value);
            }
        }
        if (!none.empty() && none.size() < seen.size()) {
            why.push_back(missing_text(dimension, none, of_files));
            std::erase_if(asked, [&](const Question& one) { return !seen.at(value_of(one, dimension)); });
        }
    }
    constexpr std::size_t shown = 4;
    std::size_t count = 0;
    for (const auto& one : asked) {
        if (one.verdict.sight != Sight::seen && ++count <= shown) {
            why.push_back(fmt::format("{} {}{} of {}{}", one.verdict.sight == Sight::perhaps ? "perhaps not" : "not",
                                      one.call, one.place.empty() ? "" : (of_files ? " at " : " in ") + one.place,
                                      one.who, one.arch == "b32" ? ", 32-bit" : ""));
        }
    }
    if (count > shown) {
        why.push_back(fmt::format("and {} more of that kind", count - shown));
    }
    return why;
}

class Examination {
  public:
    Examination(const RuleSet& set, const Host& host) : set_(set), host_(host) {
        interpreters_ = host.interpreters.empty() ? std::vector<std::string>{"/usr/bin/lua5.4"} : host.interpreters;
        interpreter_ = interpreters_.front();
        programs_ = host.host_programs;
        programs_.insert(programs_.end(), host.library_users.begin(), host.library_users.end());
        for (const auto& file : shipped_files()) {
            for (const auto& rule : parse_rules(file.text, file.name, "x86_64").rules) {
                const auto* const dir = rule.field("dir");
                auto& places = rule.calls.front() == "execve" ? run_places_ : places_;
                if (const auto lies = dir == nullptr ? std::nullopt : host.directory(dir->value);
                    lies && std::find(places.begin(), places.end(), *lies) == places.end()) {
                    places.push_back(*lies);
                }
            }
        }
    }

    std::vector<CoverageRow> rows() {
        runs();
        drops();
        reads();
        memory();
        follow_ups();
        records();
        return std::move(rows_);
    }

  private:
    using SystemCall = audit::SystemCall;
    using Wanted = std::function<bool(const SystemCall&)>;
    using Fill = std::function<void(Probe&, const SystemCall&)>;

    static Wanted does(Effect effect) {
        return [effect](const SystemCall& call) { return call.effect == effect; };
    }

    // Of everybody, 64- and 32-bit: by each call of the table that is wanted and that the processor has. Where a call's
    // arguments lie in memory no rule sees them, and it is not asked for.
    void ask(std::string id, std::string title, const Wanted& wanted, const std::vector<std::string>& places,
             const Fill& fill) {
        rows_.push_back(conclude(std::move(id), std::move(title), questions(wanted, places, fill), false));
    }

    // Of each file that is named, not of what lies in a directory. Where the host has none, nothing is missed.
    void ask_of_files(std::string id, std::string title, const Wanted& wanted, const std::vector<std::string>& files,
                      const Fill& fill) {
        const auto asked = files.empty() ? std::vector<Question>() : questions(wanted, files, fill);
        rows_.push_back(conclude(std::move(id), std::move(title), asked, true));
    }

    std::vector<Question> questions(const Wanted& wanted, const std::vector<std::string>& places,
                                    const Fill& fill) const {
        std::vector<Question> asked;
        for (const auto& subject : subjects) {
            for (const auto* const arch : {"b64", "b32"}) {
                const auto* const on = processor(arch, host_.machine);
                for (const auto& call : audit::system_calls()) {
                    if (on == nullptr || !wanted(call) || !audit::number_of(call.call, *on) ||
                        !audit::shows_arguments(call.call, *on)) {
                        continue;
                    }
                    for (const auto& place : places.empty() ? std::vector<std::string>{""} : places) {
                        asked.push_back(question(subject, arch, call, place, fill));
                    }
                }
            }
        }
        return asked;
    }

    Question question(const Subject& subject, std::string_view arch, const SystemCall& call, const std::string& place,
                      const Fill& fill) const {
        Question made{{}, std::string(call.name), std::string(arch), place, std::string(subject.name), {}};
        auto& probe = made.probe;
        probe.arch = arch;
        probe.call = call.name;
        probe.uid = subject.uid;
        probe.auid = subject.auid;
        probe.exe = any_program;
        probe.perm = call.perm;
        if (!place.empty()) {
            probe.paths = {place, place + "/file"};
        }
        fill(probe, call);
        made.verdict = ask_kernel(set_, probe, host_.machine);
        return made;
    }

    // An opening: perm= looks at the flags of some calls, and at others not at all.
    static void open_for(std::string_view perm, std::uint64_t flags, Probe& probe, const SystemCall& call) {
        probe.perm = call.perm == "rw" ? perm : call.perm;
        if (call.arguments.flags >= 0) {
            probe.a[call.arguments.flags] = flags;
        }
    }

    static CoverageRow conclude(std::string id, std::string title, const std::vector<Question>& questions,
                                bool of_files) {
        CoverageRow row{std::move(id), std::move(title), Coverage::seen, {}, ""};
        std::set<const Rule*> hiding; // null: no rule at all
        bool any = false;
        for (const auto& question : questions) {
            any = any || question.verdict.sight != Sight::blind;
            if (question.verdict.sight != Sight::seen) {
                hiding.insert(question.verdict.hidden_by);
            }
        }
        if (hiding.empty()) {
            return row;
        }
        row.coverage = any ? Coverage::partly : Coverage::blind;
        if (any) {
            row.why = explain(questions, of_files);
        } else {
            row.why.push_back(hiding.count(nullptr) != 0 ? "no rule asks for it" : "hidden");
        }
        hiding.erase(nullptr);
        for (const auto* rule : hiding) {
            row.why.push_back(fmt::format("hidden by {}: {}", rule->origin, rule->text()));
        }
        row.remedy = hiding.empty()
                         ? "load what `luatrail rules` prints"
                         : "take that rule out, or load luatrail's rules before it: the first that matches counts";
        return row;
    }

    void runs() {
        const auto execs = does(Effect::exec);
        const Fill itself = [](Probe& probe, const SystemCall&) {
            probe.paths.pop_back(); // a file, with nothing below it
            probe.exe = probe.paths.front();
        };
        ask_of_files("run", "an installed interpreter is run", execs, interpreters_, itself);
        ask_of_files("run-embedded", "a program with Lua inside is run", execs, programs_, itself);
        ask("run-script", "a dropped script is run by its \"#!\" line", execs, run_places_,
            [this](Probe& probe, const SystemCall&) {
                probe.exe = interpreter_;
                probe.paths.push_back(interpreter_);
            });
        ask("run-copy", "a copied or dropped interpreter is run", execs, run_places_,
            [](Probe& probe, const SystemCall&) { probe.exe = probe.paths.back(); });
        ask("run-memfd", "an interpreter in a memfd is run", execs, {}, [](Probe& probe, const SystemCall&) {
            probe.exe = "/memfd:x (deleted)";
            probe.paths = {"/proc/self/fd/3"};
        });
        ask("run-anywhere", "an interpreter of another name elsewhere is run", execs, {},
            [](Probe& probe, const SystemCall&) {
                probe.exe = "/var/lib/somewhere/x";
                probe.paths = {probe.exe};
            });
    }

    void drops() {
        const Fill change = [](Probe& probe, const SystemCall& call) {
            if (call.arguments.size >= 0) {
                probe.a[call.arguments.size] = access_list;
            }
        };
        ask(
            "drop/write", "a file is created or written",
            [](const SystemCall& call) { return call.effect == Effect::open || call.effect == Effect::truncate; },
            places_, [](Probe& probe, const SystemCall& call) { open_for("w", create_flags, probe, call); });
        ask("drop/rename", "a file is renamed", does(Effect::rename), places_, change);
        ask("drop/link", "a file gets a hard link", does(Effect::link), places_, change);
        ask("drop/symlink", "a symbolic link is made", does(Effect::symlink), places_, change);
        ask("drop/chmod", "a file is made executable", does(Effect::chmod), places_, change);
        io_uring();
        ask("delete", "a script or an interpreter is deleted", does(Effect::unlink), places_, change);
    }

    // The operations by which a file comes, in the kernel's list of their own.
    void io_uring() {
        std::vector<Question> asked;
        for (const auto& subject : subjects) {
            for (const auto& place : places_) {
                for (const auto& call : audit::system_calls()) {
                    if (!audit::uring_operation(call.call) || call.effect == Effect::truncate) {
                        continue;
                    }
                    Question one{{}, std::string(call.name), "", place, std::string(subject.name), {}};
                    one.probe.list = List::io_uring;
                    one.probe.call = call.name;
                    one.probe.uid = subject.uid;
                    one.probe.auid = subject.auid;
                    one.probe.exe = any_program;
                    one.probe.paths = {place, place + "/file"};
                    one.verdict = ask_kernel(set_, one.probe, host_.machine);
                    asked.push_back(std::move(one));
                }
            }
        }
        rows_.push_back(conclude("drop/io_uring", "a file is changed through io_uring", asked, false));
        if (rows_.back().coverage != Coverage::seen && !host_.io_uring) {
            rows_.back().why = {"this host's auditctl knows no rules for it (3.1 and later do)"};
            rows_.back().remedy = "sysctl kernel.io_uring_disabled=2 (Linux 6.6), where nothing needs it";
        }
    }

    void reads() {
        const auto opens = [](const SystemCall& call) { return call.effect == Effect::open && !call.marks.writes; };
        const Fill module = [](Probe& probe, const SystemCall& call) {
            probe.exe = probe.paths.front();
            probe.paths = {"/var/lib/somewhere/module.lua"};
            open_for("r", 0, probe, call);
        };
        ask_of_files("load", "an interpreter opens a module", opens, interpreters_, module);
        ask_of_files("load-embedded", "a program with Lua inside opens a file", opens, programs_, module);
        const Fill read = [](Probe& probe, const SystemCall& call) {
            probe.paths.pop_back(); // a file, with nothing below it
            open_for("r", 0, probe, call);
        };
        ask_of_files("library-load", "a program loads a Lua library", opens, host_.libraries, read);
        ask_of_files("interpreter-read", "an interpreter is read as a file: copied, packed, interpreted", opens,
                     interpreters_, read);
    }

    void memory() {
        const Fill any = [](Probe&, const SystemCall&) {};
        ask("memfd", "a file in memory is made", does(Effect::memfd), {}, any);
        ask(
            "mount", "a path is made to lead elsewhere by a mount",
            [](const SystemCall& call) { return call.effect == Effect::mount || call.effect == Effect::unmount; }, {},
            any);
        ask("take", "a process takes another's open file", does(Effect::take), {}, any);
        ask(
            "injection", "a process changes another's memory",
            [](const SystemCall& call) { return call.arguments.process >= 0; }, {}, any);
        ask(
            "exec-memory", "an interpreter makes memory executable",
            [](const SystemCall& call) { return call.effect == Effect::map || call.effect == Effect::protect; }, {},
            [this](Probe& probe, const SystemCall&) {
                probe.exe = interpreter_;
                probe.a[2] = read_execute;
                probe.a[3] = private_anonymous;
            });
    }

    void follow_ups() {
        ask("child-shell", "an interpreter starts a shell", does(Effect::exec), {},
            [](Probe& probe, const SystemCall&) {
                probe.exe = "/usr/bin/dash";
                probe.paths = {probe.exe};
            });
        const auto peer = [this](Probe& probe, const SystemCall& call) {
            probe.exe = interpreter_;
            probe.saddr_fam = AF_INET;
            if (call.effect == Effect::socket_call) {
                probe.a[0] = audit::system_call(audit::Call::connect).marks.in_socketcall;
            }
        };
        ask(
            "network", "an interpreter connects to the network",
            [](const SystemCall& call) { return audit::names_peer(call.effect) || call.effect == Effect::socket_call; },
            {}, peer);
        ask("lineage/fork", "who started whom", does(Effect::fork), {}, [](Probe&, const SystemCall&) {});
        ask("lineage/exit", "a process ends", does(Effect::exit), {}, [](Probe&, const SystemCall&) {});
    }

    void records() {
        struct Type {
            const char *name, *title;
        };
        constexpr std::array<Type, 6> types{{{"SYSCALL", "the call's own record"},
                                             {"EXECVE", "the arguments of a run"},
                                             {"PATH", "the files that a call touched"},
                                             {"CWD", "the working directory, to which names are relative"},
                                             {"SOCKADDR", "the peer of a connection"},
                                             {"ANOM_ABEND", "the crash of an interpreter"}}};
        for (const auto& type : types) {
            CoverageRow row{fmt::format("record/{}", type.name), type.title, Coverage::seen, {}, ""};
            if (const auto* const rule = excludes(set_, type.name)) {
                row.coverage = Coverage::blind;
                row.why.push_back(fmt::format("thrown away by {}: {}", rule->origin, rule->text()));
                row.remedy = "take that rule out";
            }
            rows_.push_back(std::move(row));
        }
    }

    const RuleSet& set_;
    const Host& host_;
    std::string interpreter_;
    std::vector<std::string> interpreters_, programs_;
    std::vector<std::string> places_, run_places_; // where files get dropped, and where any run is asked for
    std::vector<CoverageRow> rows_;
};

} // namespace

std::string_view to_string(Coverage coverage) {
    return coverage == Coverage::seen ? "seen" : coverage == Coverage::partly ? "partly" : "blind";
}

std::vector<CoverageRow> coverage(const RuleSet& set, const Host& host) {
    return Examination(set, host).rows();
}

} // namespace luatrail::rules
