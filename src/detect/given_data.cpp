#include "detect/given_data.hpp"

#include <algorithm>
#include <utility>

#include "luatrail/base/text.hpp"

namespace luatrail::detect {
namespace {

// The script does what it is meant to do: somebody expects it, or it is a package's and unchanged.
bool does_its_work(const Finding& run) {
    if (run.code.origin != Origin::script || run.code.altered || run.interpreter.altered) {
        return false;
    }
    return run.expectation.verdict == Verdict::expected ||
           (run.expectation.verdict == Verdict::unknown && run.code.package);
}

// "/" is everything: nothing was given by naming it.
bool is_below(std::string_view path, std::string_view directory) {
    return directory.size() > 1 && path.size() > directory.size() && path.starts_with(directory) &&
           path[directory.size()] == '/';
}

std::string_view directory_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

// Behind `--name=` and the like.
std::string_view value_of(std::string_view word) {
    if (!word.starts_with('-')) {
        return word;
    }
    const auto equals = word.find('=');
    return equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
}

// Nobody else touched it.
bool wrote_it(const Node& node, const Run& run, const host::File& file) {
    return std::all_of(file.changes.begin(), file.changes.end(), [&](const host::Change& change) {
        return change.event > run.event &&
               (change.by == run.process || node.processes.is_ancestor(run.process, change.by));
    });
}

// Out of what it had.
bool made_it_alone(const Run& run, const host::File& file) {
    return !run.has(ChainKind::network) && !run.has(ChainKind::download) &&
           std::all_of(file.changes.begin(), file.changes.end(), [&run](const host::Change& change) {
               return change.event > run.event && change.by == run.process;
           });
}

bool is_named(const Node& node, const Finding& run, std::string_view path) {
    const auto& argv = run.process.argv;
    const auto script = std::find(argv.begin(), argv.end(), run.code.argument.value_or(""));
    if (script == argv.end()) {
        return false;
    }
    const auto& cwd = run.process.cwd;
    const bool beside = run.code.package || run.expectation.package_unchecked; // a package's script
    for (auto word = script + 1; word != argv.end(); ++word) {
        const auto value = value_of(*word);
        if (value.empty() || (value.front() != '/' && !cwd)) {
            continue;
        }
        const auto named = node.files.resolve(value, cwd, std::nullopt, true).path;
        const bool file = base::basename(named).find('.') != std::string_view::npos;
        if (path == named || is_below(path, named) || (beside && file && directory_of(named) == directory_of(path))) {
            return true;
        }
    }
    return beside && cwd && is_below(path, *cwd);
}

} // namespace

bool is_given(const Node& node, const Run& run, const host::File& file, std::string_view path, bool again) {
    if (path.find(".so") != std::string_view::npos) { // a library is there to be loaded
        return false;
    }
    const auto finding = recall(run, node.name);
    return does_its_work(finding) &&
           (again ? made_it_alone(run, file) : wrote_it(node, run, file) || is_named(node, finding, path));
}

bool opened_again(Run& run, const host::FileId& id) {
    return std::exchange(run.last_opened, id) == id;
}

void keep_given(Node& node, Run& run, const std::vector<ChainEntry>& drops) {
    constexpr std::size_t most_given = 16;
    auto finding = recall(run, node.name);
    if (finding.given.size() < most_given) {
        finding.given.insert(finding.given.end(), drops.begin(), drops.end());
        node.runs.change(run, std::move(finding));
    }
}

void count_given(Finding& finding) {
    for (auto& entry : finding.given) {
        const bool known = std::any_of(finding.chain.begin(), finding.chain.end(), [&entry](const ChainEntry& one) {
            return one.kind == entry.kind && one.event == entry.event && one.path == entry.path;
        });
        if (!known) {
            finding.chain.push_back(std::move(entry));
        }
    }
    finding.given.clear();
}

} // namespace luatrail::detect
