#include "plugin/file_writer.hpp"

#include <utility>

#include "plugin/inventory_watch.hpp"
#include "plugin/status_files.hpp"

namespace luatrail::plugin {

bool FileWriter::begin_state(const StateFile& file, std::string bytes) {
    return saver_->start(about_state_, [file, bytes = std::move(bytes)] { return file.save(bytes, false); });
}

bool FileWriter::begin_status(const setup::Config::Status& config, const Status& status) {
    return saver_->start(about_status_, [config, status] { return write_status(config, status); });
}

bool FileWriter::begin_wish(const std::string& inventory) {
    return saver_->start(about_inventory_, [inventory] { return want_inventory(inventory); });
}

bool FileWriter::write_last(const StateFile& file, std::string_view bytes, const setup::Config::Status& config,
                            const Status& status) {
    about_state_.take(file.save(bytes, true));
    about_status_.take(write_status(config, status));
    return !about_state_.failing();
}

} // namespace luatrail::plugin
