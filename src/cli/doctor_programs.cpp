#include "cli/doctor_programs.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "luatrail/base/descriptor.hpp"
#include "plugin/lua_signs.hpp"

namespace luatrail::cli {
namespace {

bool has_lua(const std::string& path) {
    const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || status.st_size <= 0) {
        return false;
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    auto* const bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (bytes == MAP_FAILED) { // NOLINT(cppcoreguidelines-pro-type-cstyle-cast): the macro's
        return false;
    }
    const bool found = plugin::lua_version_in({static_cast<const char*>(bytes), size}).has_value();
    ::munmap(bytes, size);
    return found;
}

} // namespace

rules::LuaFiles find_programs(const detect::ProfileSet& profiles, bool look_inside) {
    const std::function<bool(const std::string&)> none;
    return rules::find_lua(profiles, {}, look_inside ? has_lua : none);
}

std::vector<std::string_view> evidence_of(const rules::LuaProgram& program) {
    std::vector<std::string_view> shows;
    if (program.profile != nullptr) {
        shows.emplace_back(program.profile->child_tells ? "child" : "command-line");
    }
    if (!program.content) {
        shows.emplace_back("opens");
    }
    if (!program.needs.empty()) {
        shows.emplace_back("library");
    }
    if (program.content) {
        shows.emplace_back("content");
    }
    return shows;
}

std::string evidence_text(const rules::LuaProgram& program) {
    std::vector<std::string> parts;
    for (const auto evidence : evidence_of(program)) {
        if (evidence == "command-line") {
            parts.push_back(fmt::format("its command line ({})", program.profile->name));
        } else if (evidence == "child") {
            parts.emplace_back("a shell or a download tool below it");
        } else if (evidence == "opens") {
            parts.emplace_back("the files that it opens");
        } else if (evidence == "content") {
            parts.emplace_back("only its content, when the plugin looks at it");
        } else if (program.needs.size() == 1) {
            parts.push_back(fmt::format("loading {}", program.needs.back()));
        } else {
            parts.push_back(fmt::format("loading {} through {}", program.needs.back(),
                                        fmt::join(program.needs.begin(), program.needs.end() - 1, ", ")));
        }
    }
    return fmt::format("{}", fmt::join(parts, "; "));
}

} // namespace luatrail::cli
