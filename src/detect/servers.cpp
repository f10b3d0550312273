#include "detect/servers.hpp"

#include <algorithm>

#include "detect/chain.hpp"
#include "detect/context.hpp"
#include "detect/evidence.hpp"
#include "detect/follow.hpp"
#include "luatrail/host/file_event.hpp"

namespace luatrail::detect {
namespace {

bool starts_old_script(const Node& node, const audit::TypedEvent& event) {
    const auto& argv = event.execve.argv;
    if (event.paths.size() < 2 || argv.size() < 2 || event.paths.front().name != argv[1]) {
        return false;
    }
    const auto id = host::file_id_of(event.paths.front());
    const auto* file = id ? node.files.find(*id) : nullptr;
    return id && (file == nullptr || file->changes.empty());
}

// A shell that was given a script of which nobody knows a change.
bool runs_old_script(const Node& node, const host::Process& image, Programs& programs, const ProfileSet& profiles) {
    if (!image.exe || image.argv.size() < 2 || !programs.of(*image.exe, profiles).shell) {
        return false;
    }
    const std::string_view script = image.argv[1];
    return script.starts_with('/') && node.files.find(script) == nullptr;
}

struct Server {
    host::ProcessRef process;
    const Profile* profile = nullptr; // null: there is none
};

// The nearest above, however many programs lie between.
Server server_above(const Node& node, host::ProcessRef process, Programs& programs, const ProfileSet& profiles) {
    constexpr std::size_t most = 64; // images
    const auto* own = node.processes.find(process);
    auto above = process;
    for (std::size_t climbed = 0; own != nullptr && climbed < most; ++climbed) {
        above = node.processes.above(above);
        const auto* image = node.processes.find(above);
        if (image == nullptr || image->pid == 1) {
            break;
        }
        if (above != process && runs_old_script(node, *image, programs, profiles)) {
            break; // what a server's configuration names as a program, and what that starts
        }
        const auto* profile = image->exe ? programs.of(*image->exe, profiles).telling : nullptr;
        // Behind the images of the process that it forked for this.
        if (image->pid != own->pid && profile != nullptr) {
            return {above, profile};
        }
    }
    return {};
}

bool is_child_of(const Node& node, const audit::TypedEvent& event, std::string_view exe) {
    const auto* parent = node.processes.find(node.processes.current(event.syscall.ppid.value_or(0)));
    return parent != nullptr && parent->exe == exe;
}

bool runs_a_command(const audit::TypedEvent& event) { // "-c", "-ec"
    const auto& argv = event.execve.argv;
    return argv.size() > 2 && argv[1].starts_with('-') && argv[1].find('c') != std::string::npos;
}

// rpm(8): a query or a verification runs no scriptlet; its macros may start shells.
bool only_asks(const host::Process& image) {
    return std::any_of(image.argv.begin(), image.argv.end(), [](const std::string& word) {
        const bool letters = word.size() > 1 && word.front() == '-' && word[1] != '-';
        return word == "--query" || word == "--verify" || word == "--checksig" ||
               (letters && (word[1] == 'q' || word[1] == 'V' || word[1] == 'K'));
    });
}

} // namespace

std::optional<ServerRun> run_of_server(Node& node, const audit::TypedEvent& event, host::ProcessRef process,
                                       const Program& program, Programs& programs, const EngineOptions& options) {
    if ((!program.shell && !program.downloader) || starts_old_script(node, event)) {
        return std::nullopt;
    }
    const auto [server, profile] = server_above(node, process, programs, options.profiles);
    if (profile == nullptr || node.runs.has(server)) {
        return std::nullopt;
    }
    const auto& image = *node.processes.find(server);
    if (profile->command_tells &&
        (!(is_child_of(node, event, *image.exe) && program.shell && runs_a_command(event)) || only_asks(image))) {
        return std::nullopt;
    }
    auto finding = describe_image(node, event, server, profile->name);
    finding.code.origin = Origin::embedded;
    add_named_drops(node, event, image, server, options, Named::any_file, finding);
    std::erase_if(finding.chain, [&](const ChainEntry& entry) { // its own state; what it was not started on
        const bool later = image.born != host::Born::sighting && entry.event.time_ms > image.created.time_ms;
        return later || (entry.by && entry.by->exe == image.exe);
    });
    if (profile->command_tells && finding.chain.empty()) {
        return std::nullopt;
    }
    add_circumstances(node, server, options, finding);
    finding.chain.push_back(
        child_of_run(node, event, process, server, program.shell ? ChainKind::child_shell : ChainKind::download));
    describe_actor(node, process, event.id, options.profiles, *finding.chain.back().by);
    return ServerRun{server, std::move(finding)};
}

} // namespace luatrail::detect
