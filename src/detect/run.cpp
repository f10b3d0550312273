#include "detect/run.hpp"

#include <algorithm>

#include "detect/bounds.hpp"
#include "luatrail/base/heap.hpp"
#include "luatrail/base/pack.hpp"

namespace luatrail::detect {

template <class Archive>
static void transfer(Archive& archive, LoginInfo& login) {
    archive(login.address, login.terminal, login.account);
}

template <class Archive>
static void transfer(Archive& archive, WayIn& way) {
    archive(way.program, way.kind);
}

template <class Archive>
static void transfer(Archive& archive, Actor& actor) {
    archive(actor.pid, actor.exe, actor.uid, actor.argv, actor.kind, actor.below, actor.login);
}

template <class Archive>
static void transfer(Archive& archive, Interpreter& interpreter) {
    archive(interpreter.exe, interpreter.profile, interpreter.identified_by, interpreter.package, interpreter.altered,
            interpreter.jit, interpreter.copied_by_reader, interpreter.copied_by_user, interpreter.copy_of,
            interpreter.called);
}

template <class Archive>
static void transfer(Archive& archive, Code& code) {
    archive(code.origin, code.argument, code.path, code.inline_text, code.format, code.package, code.inode,
            code.packaged_path, code.altered, code.modules, code.more_scripts, code.reads_stdin, code.arguments_lost,
            code.owners_known, code.searched);
}

template <class Archive>
static void transfer(Archive& archive, ProcessInfo& process) {
    archive(process.pid, process.ppid, process.credentials(), process.user, process.tty, process.comm, process.cwd,
            process.argv, process.unit, process.container, process.login);
}

template <class Archive>
static void transfer(Archive& archive, Ancestor& ancestor) {
    archive(ancestor.pid, ancestor.exe, ancestor.argv, ancestor.uid, ancestor.package);
}

template <class Archive>
static void transfer(Archive& archive, KeyMiss& missed) {
    archive(missed.key, missed.wanted, missed.found, missed.uid, missed.login, missed.unanswered, missed.script,
            missed.unnamed);
}

template <class Archive>
static void transfer(Archive& archive, Expectation& expectation) {
    archive(expectation.verdict, expectation.reason, expectation.rule, expectation.because, expectation.nearest,
            expectation.missed, expectation.named_elsewhere, expectation.program, expectation.expires_ms,
            expectation.path, expectation.package, expectation.package_unchecked, expectation.searched);
}

template <class Archive>
static void transfer(Archive& archive, ChainEntry& entry) {
    archive(entry.kind, entry.how, entry.path, entry.time_ms, entry.age_ms, entry.event, entry.by, entry.same_tree,
            entry.depth);
}

template <class Archive>
static void transfer(Archive& archive, Finding& finding) {
    archive(finding.id, finding.time_ms, finding.severity, finding.interpreter, finding.code, finding.process,
            finding.ancestors, finding.expectation, finding.chain, finding.events, finding.degraded, finding.follows,
            finding.live, finding.given);
}

namespace {

// Cuts a finding's texts, and knows whether it had to.
class Bounds {
  public:
    bool cut_any() const { return cut_; }

    void text(std::string& text, std::size_t most = kept_path) {
        if (text.size() > most) {
            text.resize(most);
            cut_ = true;
        }
    }
    void text(std::optional<std::string>& text, std::size_t most = kept_path) {
        if (text) {
            this->text(*text, most);
        }
    }
    void command_line(std::vector<std::string>& words) {
        std::size_t kept = 0;
        for (std::size_t room = kept_bytes; kept < std::min(words.size(), kept_words) && room > 0; ++kept) {
            text(words[kept], room);
            room -= words[kept].size();
        }
        cut_ = cut_ || words.size() > kept;
        words.resize(kept);
    }
    void login(std::optional<LoginInfo>& login) {
        if (login) {
            text(login->address);
            text(login->terminal);
            text(login->account);
        }
    }
    void actor(Actor& actor) {
        text(actor.exe);
        command_line(actor.argv);
        if (actor.below) {
            text(actor.below->program);
        }
        login(actor.login);
    }
    void process(ProcessInfo& process) {
        command_line(process.argv);
        for (auto* one : {&process.user, &process.tty, &process.comm, &process.cwd, &process.unit}) {
            text(*one);
        }
        login(process.login);
    }
    void code(Code& code) {
        text(code.inline_text, kept_bytes);
        text(code.argument);
        text(code.path);
        text(code.package);
        text(code.packaged_path);
        command_line(code.modules);
        command_line(code.more_scripts);
        command_line(code.searched);
    }
    void interpreter(Interpreter& interpreter) {
        for (auto* one : {&interpreter.exe, &interpreter.package, &interpreter.copy_of, &interpreter.called}) {
            text(*one);
        }
    }
    void expectation(Expectation& expectation) {
        for (auto* one : {&expectation.rule, &expectation.because, &expectation.nearest, &expectation.program,
                          &expectation.path, &expectation.package}) {
            text(*one);
        }
        if (auto& missed = expectation.missed) {
            text(missed->wanted);
            text(missed->found, kept_bytes); // it may be the code
            text(missed->script);
        }
    }

  private:
    bool cut_ = false;
};

void bound(Finding& finding) {
    Bounds bounds;
    bounds.interpreter(finding.interpreter);
    bounds.code(finding.code);
    bounds.process(finding.process);
    for (auto& ancestor : finding.ancestors) {
        bounds.text(ancestor.exe);
        bounds.command_line(ancestor.argv);
    }
    bounds.expectation(finding.expectation);
    for (auto* entries : {&finding.chain, &finding.given}) {
        for (auto& entry : *entries) {
            bounds.text(entry.path);
            if (entry.by) {
                bounds.actor(*entry.by);
            }
        }
    }
    auto& marks = finding.degraded;
    if (bounds.cut_any() && std::find(marks.begin(), marks.end(), Degraded::truncated_argv) == marks.end()) {
        marks.push_back(Degraded::truncated_argv);
    }
}

} // namespace

void keep(Run& run, Finding finding) {
    bound(finding);
    run.pid = finding.process.pid;
    run.event = finding.events.front();
    run.interpreter_path = finding.interpreter.exe;
    run.severity = finding.id.empty() ? std::nullopt : std::optional(finding.severity);
    run.jit = finding.interpreter.jit;
    run.expected = finding.expectation.verdict == Verdict::expected;
    run.chained = 0;
    for (const auto& entry : finding.chain) {
        run.chained |= 1U << static_cast<unsigned>(entry.kind);
    }
    base::Packer packer;
    packer(finding);
    run.facts = packer.take();
    run.facts.shrink_to_fit();
}

Finding recall(const Run& run, const std::string& node) {
    base::Unpacker facts(run.facts);
    Finding finding;
    facts(finding);
    if (!node.empty()) {
        finding.node = node;
    }
    return finding;
}

std::size_t heap_of(const Run& run) {
    return base::heap_of(run.script_path) + base::heap_of(run.interpreter_path) + base::heap_of(run.facts);
}

} // namespace luatrail::detect
