#include "plugin/look_up_question.hpp"

#include <algorithm>
#include <utility>

#include <climits>

#include "luatrail/base/pack.hpp"

namespace luatrail::plugin {
namespace {

constexpr std::size_t most_text = PATH_MAX; // what is longer names no file
constexpr std::size_t most_above = 16;

std::optional<std::string> bounded(const std::optional<std::string>& text) {
    return text && text->size() <= most_text ? text : std::nullopt;
}

template <class Archive>
void transfer_file(Archive& archive, std::optional<detect::FileEvidence>& file) {
    bool there = file.has_value();
    archive(there);
    if (there) {
        auto& one = file ? *file : file.emplace();
        archive(one.path, one.sha256, one.size, one.first_line, one.bytecode, one.note);
    }
}

} // namespace

// Found by their arguments' namespace.
template <class Archive>
void transfer(Archive& archive, AskedRun::Above& above) {
    archive(above.pid, above.exe);
}

template <class Archive>
void transfer(Archive& archive, Asked& asked) {
    auto& run = asked.run;
    archive(asked.question, run.pid, run.time_ms, run.exe, run.origin, run.argument, run.path, run.inode, run.user,
            run.above);
}

template <class Archive>
void transfer(Archive& archive, Seen& seen) {
    transfer_file(archive, seen.evidence.interpreter);
    transfer_file(archive, seen.evidence.script);
    archive(seen.evidence.environment, seen.evidence.note, seen.unit, seen.container, seen.format, seen.terminal);
}

template <class Archive>
void transfer(Archive& archive, Answered& answered) {
    archive(answered.seen, answered.text);
}

namespace {

template <class Value>
std::string written(Value value) {
    base::Packer out;
    out(value);
    return out.take();
}

template <class Value>
Value read(std::string_view bytes) {
    Value value;
    base::Unpacker in(bytes);
    in(value);
    if (!in.at_end()) {
        throw base::UnpackError("there is more in it than there should be");
    }
    return value;
}

} // namespace

AskedRun asked_run(const detect::Finding& finding) {
    AskedRun run;
    run.pid = finding.process.pid;
    run.time_ms = finding.time_ms;
    run.exe = bounded(finding.interpreter.exe);
    run.origin = finding.code.origin;
    run.argument = bounded(finding.code.argument);
    run.path = bounded(finding.code.path);
    run.inode = finding.code.inode;
    run.user = finding.process.euid ? finding.process.euid : finding.process.uid;
    for (std::size_t at = 0; at < std::min(finding.ancestors.size(), most_above); ++at) {
        run.above.push_back({finding.ancestors[at].pid, bounded(finding.ancestors[at].exe)});
    }
    return run;
}

void add_to(detect::Finding& finding, Seen seen) {
    const auto fill = [](std::optional<std::string>& known, std::optional<std::string>& found) {
        if (!known) {
            known = std::move(found);
        }
    };
    fill(finding.process.unit, seen.unit);
    fill(finding.process.container, seen.container);
    finding.code.format = seen.format.value_or(finding.code.format);
    if (seen.terminal && finding.code.origin == detect::Origin::stdin_code) {
        finding.code.origin = detect::Origin::interactive;
        std::erase(finding.degraded, detect::Degraded::input_unknown);
    }
    finding.evidence = std::move(seen.evidence);
}

std::string write_asked(const Asked& asked) {
    return written(asked);
}
Asked read_asked(std::string_view bytes) {
    return read<Asked>(bytes);
}
std::string write_answered(const Answered& answered) {
    return written(answered);
}
Answered read_answered(std::string_view bytes) {
    return read<Answered>(bytes);
}

} // namespace luatrail::plugin
