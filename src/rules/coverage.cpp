#include "luatrail/rules/coverage.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/kernel_filter.hpp"

namespace luatrail::rules {
namespace {

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

std::string missing_text(std::string_view dimension, const std::vector<std::string>& values) {
    if (dimension == "arch") {
        return values.front() == "b32" ? "not of 32-bit programs" : "not of 64-bit programs";
    }
    return fmt::format("not {} {}",
                       dimension == "who"     ? "of"
                       : dimension == "place" ? "in"
                                              : "by",
                       fmt::join(values, ", "));
}

// Of what nothing is seen ("not in /opt"), the widest first; what one such line explains is asked about no more.
std::vector<std::string> explain(std::vector<Question> asked) {
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
            why.push_back(missing_text(dimension, none));
            std::erase_if(asked, [&](const Question& one) { return !seen.at(value_of(one, dimension)); });
        }
    }
    constexpr std::size_t shown = 4;
    std::size_t count = 0;
    for (const auto& one : asked) {
        if (one.verdict.sight != Sight::seen && ++count <= shown) {
            why.push_back(fmt::format("{} {}{} of {}{}", one.verdict.sight == Sight::perhaps ? "perhaps not" : "not",
                                      one.call, one.place.empty() ? "" : " in " + one.place, one.who,
                                      one.arch == "b32" ? ", 32-bit" : ""));
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
        interpreter_ = host.interpreters.empty() ? "/usr/bin/lua5.4" : host.interpreters.front();
        for (const auto& file : shipped_files()) {
            for (const auto& rule : parse_rules(file.text, file.name, "x86_64").rules) {
                const auto* const dir = rule.field("dir");
                if (const auto lies = dir == nullptr ? std::nullopt : host.folder(dir->value);
                    lies && std::find(places_.begin(), places_.end(), *lies) == places_.end()) {
                    places_.push_back(*lies);
                }
            }
        }
    }

    std::vector<CoverageRow> rows() {
        runs();
        drops();
        memory();
        follow_ups();
        records();
        return std::move(rows_);
    }

  private:
    using Calls = std::vector<std::string>;
    using Fill = std::function<void(Probe&)>;

    // Of everybody, 64- and 32-bit: calls that the processor has not got are not asked for.
    void ask(std::string id, std::string title, const Calls& calls, const std::vector<std::string>& places,
             const Fill& fill) {
        std::vector<Question> questions;
        for (const auto& subject : subjects) {
            for (const auto* const arch : {"b64", "b32"}) {
                for (const auto& call : calls) {
                    // i386's first mmap takes its arguments in memory, where no rule sees them; nothing uses it.
                    if (!call_number(call, arch, host_.machine) ||
                        (call == "mmap" && arch == std::string_view("b32"))) {
                        continue;
                    }
                    for (const auto& place : places.empty() ? std::vector<std::string>{""} : places) {
                        Question question{{},    call == "452" ? "fchmodat2" : call, arch,
                                          place, std::string(subject.name),          {}};
                        auto& probe = question.probe;
                        probe.arch = arch;
                        probe.call = call;
                        probe.uid = subject.uid;
                        probe.auid = subject.auid;
                        probe.exe = any_program;
                        if (!place.empty()) {
                            probe.paths = {place, place + "/file"};
                        }
                        fill(probe);
                        question.verdict = ask_kernel(set_, probe, host_.machine);
                        questions.push_back(std::move(question));
                    }
                }
            }
        }
        rows_.push_back(conclude(std::move(id), std::move(title), questions));
    }

    static CoverageRow conclude(std::string id, std::string title, const std::vector<Question>& questions) {
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
            row.why = explain(questions);
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
        const Calls execs{"execve", "execveat"};
        const auto interpreter = [this](Probe& probe) {
            probe.exe = interpreter_;
            probe.paths = {interpreter_};
            probe.perm = "x";
        };
        ask("run", "an installed interpreter is run", execs, {}, interpreter);
        ask("run-script", "a dropped script is run by its \"#!\" line", execs, places_, [this](Probe& probe) {
            probe.exe = interpreter_;
            probe.paths.push_back(interpreter_);
            probe.perm = "x";
        });
        ask("run-copy", "a copied or dropped interpreter is run", execs, places_, [](Probe& probe) {
            probe.exe = probe.paths.back();
            probe.perm = "x";
        });
        ask("run-memfd", "an interpreter in a memfd is run", execs, {}, [](Probe& probe) {
            probe.exe = "/memfd:x (deleted)";
            probe.paths = {"/proc/self/fd/3"};
            probe.perm = "x";
        });
        ask("run-anywhere", "an interpreter of another name elsewhere is run", execs, {}, [](Probe& probe) {
            probe.exe = "/var/lib/somewhere/x";
            probe.paths = {probe.exe};
            probe.perm = "x";
        });
    }

    void drops() {
        ask("drop/write", "a file is created or written", {"open", "openat", "openat2", "creat"}, places_,
            [](Probe& probe) {
                probe.perm = "w";
                if (probe.call == "open") {
                    probe.a[1] = create_flags;
                } else if (probe.call == "openat") {
                    probe.a[2] = create_flags;
                }
            });
        const auto change = [](Probe& probe) { probe.perm = "w"; };
        ask("drop/rename", "a file is renamed", {"rename", "renameat", "renameat2"}, places_, change);
        ask("drop/link", "a file gets a hard link", {"link", "linkat"}, places_,
            [](Probe& probe) { probe.perm = "wa"; });
        ask("drop/symlink", "a symbolic link is made", {"symlink", "symlinkat"}, places_, change);
        ask("drop/chmod", "a file is made executable", {"chmod", "fchmod", "fchmodat", "452"}, places_,
            [](Probe& probe) { probe.perm = probe.call == "452" ? "" : "a"; });
        ask("delete", "a script or an interpreter is deleted", {"unlink", "unlinkat"}, places_, change);
        ask("load", "an interpreter opens a module", {"open", "openat", "openat2"}, {}, [this](Probe& probe) {
            probe.exe = interpreter_;
            probe.paths = {"/usr/share/lua/module.lua"};
            probe.perm = "r";
            probe.a[probe.call == "open" ? 1 : 2] = 0;
        });
    }

    void memory() {
        ask("memfd", "a file in memory is made", {"memfd_create"}, {}, [](Probe&) {});
        ask("injection", "a process changes another's memory", {"ptrace", "process_vm_writev"}, {}, [](Probe&) {});
        ask("exec-memory", "an interpreter makes memory executable", {"mmap", "mmap2", "mprotect"}, {},
            [this](Probe& probe) {
                probe.exe = interpreter_;
                probe.a[2] = read_execute;
                probe.a[3] = private_anonymous;
            });
    }

    void follow_ups() {
        ask("child-shell", "an interpreter starts a shell", {"execve", "execveat"}, {}, [](Probe& probe) {
            probe.exe = "/usr/bin/dash";
            probe.paths = {probe.exe};
            probe.perm = "x";
        });
        ask("network", "an interpreter connects to the network", {"connect"}, {}, [this](Probe& probe) {
            probe.exe = interpreter_;
            probe.saddr_fam = 2;
        });
        ask("lineage/fork", "who started whom", {"fork", "vfork", "clone", "clone3"}, {}, [](Probe&) {});
        ask("lineage/exit", "a process ends", {"exit_group"}, {}, [](Probe&) {});
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
    std::vector<std::string> places_;
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
