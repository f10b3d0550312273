#include "plugin/status_files.hpp"

#include <cstring>

#include <sys/stat.h>

#include <fmt/format.h>

#include "luatrail/base/atomic_file.hpp"
#include "luatrail/plugin/status_prometheus.hpp"

namespace luatrail::plugin {
namespace {

std::optional<std::string> write(const std::string& path, const char* key, std::string_view content) {
    constexpr mode_t readable = 0644;
    if (const auto failed = base::write_atomically(path, {}, content, readable, false)) {
        return fmt::format("{}: {}; make the folder, or name another file as {}", failed->path,
                           std::strerror(failed->error), key);
    }
    return std::nullopt;
}

} // namespace

void prepare_status_folder(const setup::Config::Status& config) {
    constexpr mode_t searchable = 0755;
    const auto folder = config.file.substr(0, config.file.rfind('/'));
    ::mkdir(folder.c_str(), searchable); // where it fails, so does the first write, and says why
}

std::optional<std::string> write_status(const setup::Config::Status& config, const Status& status) {
    const auto json = to_json(status);
    auto failed = write(config.file, "status.file", json);
    if (config.prometheus) {
        if (auto other = write(*config.prometheus, "status.prometheus", status_prometheus(json)); other && !failed) {
            failed = std::move(other);
        }
    }
    return failed;
}

} // namespace luatrail::plugin
