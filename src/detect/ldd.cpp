#include "detect/ldd.hpp"

#include <algorithm>

namespace luatrail::detect {
namespace {

bool is_installed(const Node& node, std::string_view path) {
    const auto* file = node.files.find(path);
    return (path == "/usr/bin/ldd" || path == "/bin/ldd") && (file == nullptr || file->changes.empty());
}

// Its #! line makes it [shell, "/usr/bin/ldd", FILE...].
bool is_ldd_of(const Node& node, const host::Process& image, std::string_view program, const ProfileSet& profiles) {
    const auto& argv = image.argv;
    return argv.size() > 2 && image.exe && image.exe->starts_with('/') && profiles.is(ProgramKind::shell, *image.exe) &&
           is_installed(node, argv[1]) && std::find(argv.begin() + 2, argv.end(), program) != argv.end();
}

} // namespace

bool lists_libraries(const Node& node, const audit::TypedEvent& event, const ProfileSet& profiles) {
    const auto& argv = event.execve.argv;
    if (argv.empty() || argv.size() > 2 || event.execve.truncated) { // [program], [loader, program]
        return false;
    }
    constexpr int most_images = 8; // it forks subshells of itself
    auto above = node.processes.above(node.processes.current(event.syscall.pid.value_or(0)));
    for (int steps = 0; above && steps < most_images; ++steps, above = node.processes.above(above)) {
        const auto* image = node.processes.find(above);
        if (image == nullptr || image->uid != event.syscall.uid) {
            return false;
        }
        if (is_ldd_of(node, *image, argv.back(), profiles)) {
            return true;
        }
    }
    return false;
}

} // namespace luatrail::detect
