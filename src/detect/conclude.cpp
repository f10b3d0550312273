// Severity, title, reasons, events and id of a finding, from what it holds.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "detect/judge.hpp"
#include "luatrail/base/error.hpp"
#include "luatrail/base/text.hpp"
#include "luatrail/base/time.hpp"
#include "luatrail/detect/severity.hpp"

namespace luatrail::detect {
namespace {

std::string shown(std::string_view bytes) {
    return base::printable(bytes);
}

std::string program(const std::optional<std::string>& exe) {
    constexpr std::string_view deleted = " (deleted)";
    if (!exe) {
        return "an unknown program";
    }
    std::string_view name = base::basename(*exe);
    if (name.ends_with(deleted)) {
        name.remove_suffix(deleted.size());
    }
    return shown(name);
}

// "lua5.4"; "lua (as updater)", "luatex (called texlua)", where the program's name does not say what it is.
// `called`: the name by which it was called, where that is what tells.
std::string interpreter_name(const Interpreter& interpreter, const std::string& called) {
    const bool plain =
        interpreter.identified_by == IdentifiedBy::path || interpreter.identified_by == IdentifiedBy::package;
    if (plain) {
        return program(interpreter.exe);
    }
    const auto* as = interpreter.identified_by == IdentifiedBy::argv0    ? "{1} (called {0})"
                     : interpreter.identified_by == IdentifiedBy::loader ? "{0} (through {1})"
                                                                         : "{0} (as {1})";
    return fmt::format(fmt::runtime(as), called.empty() ? interpreter.profile : called, program(interpreter.exe));
}

std::string user_of(const ProcessInfo& process) {
    if (process.user) {
        return shown(*process.user);
    }
    return process.uid ? fmt::format("uid {}", *process.uid) : std::string("an unknown user");
}

std::string actor_of(const ChainEntry& entry) {
    if (!entry.by) {
        return "an unknown process";
    }
    const auto& by = *entry.by;
    std::string more = by.uid ? fmt::format(", uid {}", *by.uid) : std::string();
    if (by.below) {
        more += ", below " + shown(*by.below);
    }
    if (by.login && by.login->address) {
        more += ", logged in from " + shown(*by.login->address);
    }
    return fmt::format("{} (pid {}{})", program(by.exe), by.pid, more);
}

std::string_view verb(How how) {
    switch (how) {
    case How::create:
        return "created";
    case How::write:
        return "wrote to";
    case How::rename:
        return "moved a file to";
    case How::link:
        return "hard-linked a file to";
    case How::symlink:
        return "made the symbolic link";
    case How::chmod:
        return "changed the mode of";
    case How::unpack:
        return "unpacked";
    }
    return "";
}

// The same in a title, before the time.
std::string_view told(How how) {
    switch (how) {
    case How::create:
        return "dropped";
    case How::write:
        return "wrote to";
    case How::rename:
        return "moved into place";
    case How::link:
        return "hard-linked";
    case How::symlink:
        return "symlinked";
    case How::chmod:
        return "made executable";
    case How::unpack:
        return "unpacked";
    }
    return "";
}

std::string age_of(const ChainEntry& entry) {
    return base::duration_text(entry.age_ms.value_or(0));
}

std::string folder_of(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) {
        return ".";
    }
    return slash == 0 ? "/" : shown(path.substr(0, slash));
}

// The change that the title names: the latest that gave the file its content or its name.
const ChainEntry* told_drop(const Finding& finding, ChainKind kind) {
    const ChainEntry* told = nullptr;
    for (const auto& entry : finding.chain) {
        if (entry.kind == kind && (told == nullptr || entry.how != How::chmod)) {
            told = &entry;
        }
    }
    return told;
}

// "bash dropped 4 ms earlier in /dev/shm/.cache"
std::string drop_phrase(const ChainEntry& drop) {
    return fmt::format("{} {} {} earlier in {}", drop.by ? program(drop.by->exe) : "something",
                       told(drop.how.value_or(How::create)), age_of(drop), folder_of(drop.path.value_or("")));
}

// What makes it worse than its code alone, and is in no other part of the title.
std::string circumstances(const Finding& finding) {
    std::string text;
    if (const auto* drop = told_drop(finding, ChainKind::interpreter_drop)) {
        text += ", with an interpreter that " + drop_phrase(*drop);
    }
    if (const auto* drop = told_drop(finding, ChainKind::module_drop)) {
        text += ", with a module that " + drop_phrase(*drop);
    }
    if (const auto* drop = told_drop(finding, ChainKind::script_drop);
        drop != nullptr && finding.code.origin != Origin::script && finding.code.origin != Origin::embedded) {
        text += ", a script that " + drop_phrase(*drop);
    }
    for (const auto& entry : finding.chain) {
        if (entry.kind == ChainKind::memfd) {
            text += ", from a memfd";
        } else if (entry.kind == ChainKind::deleted_file) {
            text += ", from a deleted file";
        }
    }
    return text;
}

std::string code_phrase(const Finding& finding) {
    const auto& code = finding.code;
    const auto argument = shown(code.argument.value_or(""));
    switch (code.origin) {
    case Origin::script:
        if (const auto* drop = told_drop(finding, ChainKind::script_drop)) {
            return "on a script that " + drop_phrase(*drop);
        }
        return fmt::format("on {}", code.path ? shown(*code.path) : argument);
    case Origin::inline_code:
        return "on code from its command line";
    case Origin::stdin_code:
        return "on code from standard input";
    case Origin::interactive:
        return "interactively";
    case Origin::module:
        return fmt::format("on module {}", argument);
    case Origin::environment:
        return "on code from its environment";
    case Origin::descriptor:
        return fmt::format("on the descriptor {}", argument);
    case Origin::embedded:
        if (const auto* drop = told_drop(finding, ChainKind::script_drop)) {
            return "with a Lua script that " + drop_phrase(*drop);
        }
        return code.path          ? fmt::format("with the Lua script {}", shown(*code.path))
               : code.inline_text ? "with Lua code from its command line"
               : code.argument    ? fmt::format("with Lua ({})", argument)
                                  : "with Lua inside";
    case Origin::unknown:
        break;
    }
    return "on unknown code";
}

std::string title_of(const Finding& finding) {
    const auto& argv = finding.process.argv;
    const auto called = finding.interpreter.identified_by == IdentifiedBy::argv0 && !argv.empty()
                            ? shown(base::basename(argv.front()))
                            : std::string();
    auto title = fmt::format("{} run by {} {}{}", interpreter_name(finding.interpreter, called),
                             user_of(finding.process), code_phrase(finding), circumstances(finding));
    for (const auto& entry : finding.chain) {
        if (entry.kind == ChainKind::child_shell) {
            title += "; it then started a shell";
        } else if (entry.kind == ChainKind::self_delete) {
            title += "; it then deleted its own file";
        } else if (entry.kind == ChainKind::network) {
            title += "; it then tried to connect to " + shown(entry.path.value_or("an unknown address"));
        } else if (entry.kind == ChainKind::crash) {
            title += "; it then crashed";
        } else if (entry.kind == ChainKind::download) {
            title += "; it then started " + program(entry.path);
        } else if (entry.kind == ChainKind::persistence) {
            title += "; it then wrote " + shown(entry.path.value_or("a file that starts programs"));
        } else if (entry.kind == ChainKind::second_stage) {
            title += "; it then ran what it had brought";
        } else if (entry.kind == ChainKind::exec_memory) {
            title += "; it then made memory executable";
        } else if (entry.kind == ChainKind::injection) {
            title += "; code was injected";
        }
    }
    return title;
}

std::string reason_text(const ChainEntry& entry) {
    const auto path = shown(entry.path.value_or("a file without a known name"));
    const auto* tree = entry.same_tree.value_or(false) ? ", in the same process tree" : "";
    switch (entry.kind) {
    case ChainKind::script_drop:
    case ChainKind::interpreter_drop:
    case ChainKind::module_drop:
        if (entry.how == How::chmod) {
            return fmt::format("{} made {} executable {} before the run{}", actor_of(entry), path, age_of(entry), tree);
        }
        return fmt::format("{} {} {} {} before the run{}", actor_of(entry), verb(entry.how.value_or(How::create)), path,
                           age_of(entry), tree);
    case ChainKind::shared_memory:
        return fmt::format("{} lies in shared memory, which leaves no trace on disk", path);
    case ChainKind::memfd:
        if (!entry.path) {
            return fmt::format("{} before the run, {} made the memfd that the code was read from: no file is behind it",
                               age_of(entry), actor_of(entry));
        }
        if (entry.by) {
            return fmt::format(
                "the interpreter ran from memory ({}), which {} made {} before the run: no file is behind it", path,
                actor_of(entry), age_of(entry));
        }
        return fmt::format("the interpreter ran from memory ({}), no file is behind it", path);
    case ChainKind::deleted_file:
        return fmt::format("{} had been deleted when it ran", path);
    case ChainKind::child_shell:
        return fmt::format("{} was started by the run {} after it began", actor_of(entry), age_of(entry));
    case ChainKind::self_delete:
        return fmt::format("{} deleted {} {} after the run began", actor_of(entry), path, age_of(entry));
    case ChainKind::network:
        return fmt::format("{} tried to connect to {} {} after the run began", actor_of(entry), path, age_of(entry));
    case ChainKind::crash:
        return fmt::format("the run crashed {} after it began", age_of(entry));
    case ChainKind::download:
        return fmt::format("{} was started by the run {} after it began: a download tool", actor_of(entry),
                           age_of(entry));
    case ChainKind::persistence:
        return fmt::format("{} wrote {} {} after the run began: programs are started from there", actor_of(entry), path,
                           age_of(entry));
    case ChainKind::second_stage:
        return fmt::format("{} ran {} {} after the run began, which the run's own tree had brought", actor_of(entry),
                           path, age_of(entry));
    case ChainKind::exec_memory:
        return entry.by ? fmt::format("{} made memory without a file behind it executable {} after the run began",
                                      actor_of(entry), age_of(entry))
                        : fmt::format("the kernel's policy denied executable memory to the run {} after it began",
                                      age_of(entry));
    case ChainKind::injection:
        break;
    }
    return fmt::format("{} changed or took over the process of {} {} after the run began", actor_of(entry), path,
                       age_of(entry));
}

std::vector<Reason> reasons_of(const Finding& finding) {
    std::vector<Reason> reasons;
    reasons.push_back({finding.expectation.reason, finding.expectation.why});
    if (finding.code.origin == Origin::stdin_code) {
        reasons.push_back({"stdin", "the code came through standard input: the log names no file behind it"});
    } else if (finding.code.origin == Origin::descriptor) {
        reasons.push_back({"descriptor", fmt::format("the code came through an open descriptor ({}): {}",
                                                     shown(finding.code.argument.value_or("")),
                                                     finding.code.path ? shown(*finding.code.path) + " is behind it"
                                                                       : "the log names no file behind it")});
    }
    if (finding.interpreter.identified_by == IdentifiedBy::content) {
        reasons.push_back({"content", fmt::format("{} has {} inside, as a look at it showed",
                                                  shown(finding.interpreter.exe.value_or("")),
                                                  shown(finding.interpreter.copy_of.value_or("Lua")))});
    } else if (const auto& copy = finding.interpreter.copy_of) {
        reasons.push_back({"copy", fmt::format("{} was made by a program that was told of {}",
                                               shown(finding.interpreter.exe.value_or("")), shown(*copy))});
    } else if (finding.interpreter.identified_by == IdentifiedBy::inode) {
        reasons.push_back({"inode", fmt::format("{} is the same file as an interpreter of another name",
                                                shown(finding.interpreter.exe.value_or("")))});
    }
    if (const auto& called = finding.interpreter.called) {
        reasons.push_back({"argv0", fmt::format("it calls itself {}, which is no interpreter's name", shown(*called))});
    }
    if (const auto& login = finding.process.login; login && login->address) {
        reasons.push_back(
            {"remote-session", fmt::format("its session began with a login from {}{}", shown(*login->address),
                                           login->account ? " as " + shown(*login->account) : "")});
    }
    for (const auto& entry : finding.chain) {
        reasons.push_back({std::string(to_string(entry.kind)), reason_text(entry)});
    }
    return reasons;
}

std::string digest(std::string_view text) {
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr); // EVP_sha256() is looked up each time
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), hash.data(), &size, sha256, nullptr) != 1) {
        throw base::Error("libcrypto does not compute SHA-256; check its configuration (openssl.cnf)");
    }
    return base::to_hex({reinterpret_cast<const char*>(hash.data()), 8});
}

} // namespace

bool conclude(const Node& node, std::string_view kind, Finding& finding) {
    const auto severity = severity_of(finding.expectation.verdict, chained_with(finding));
    if (!severity) {
        return false;
    }
    finding.severity = *severity;
    finding.title = title_of(finding);
    finding.reasons = reasons_of(finding);
    for (const auto& entry : finding.chain) {
        if (std::find(finding.events.begin(), finding.events.end(), entry.event) == finding.events.end()) {
            finding.events.push_back(entry.event);
        }
    }
    std::string named = node.name;
    for (const auto& event : finding.events) {
        named.append(1, '\0').append(audit::to_string(event));
    }
    finding.id = digest(named.append(1, '\0').append(kind));
    return true;
}

} // namespace luatrail::detect
