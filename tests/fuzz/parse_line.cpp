// Whatever the bytes: no crash; views stay inside of the line; and a record that is written down again is read as the
// same record.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "luatrail/source/parser.hpp"
#include "source/line_parser.hpp"

using namespace luatrail;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

bool inside(std::string_view part, std::string_view whole) {
    return part.data() == nullptr ||
           (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

std::string written(const audit::Record& record) {
    std::string line;
    if (!record.node.empty()) {
        line.append("node=").append(record.node).append(" ");
    }
    line.append("type=")
        .append(record.type_name)
        .append(" msg=audit(")
        .append(audit::to_string(record.id))
        .append("): ");
    line.append(record.body);
    return record.enriched.data() == nullptr ? line : line.append(1, '\x1d').append(record.enriched);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view line(reinterpret_cast<const char*>(data), size);
    audit::Record record;
    source::Malformed reason{};
    if (!source::parse_line(line, record, reason)) {
        require(static_cast<std::size_t>(reason) < source::malformed_count);
        return 0;
    }
    for (const auto view : {record.node, record.type_name, record.body, record.enriched}) {
        require(inside(view, line));
    }
    const auto again_line = written(record);
    audit::Record again;
    require(source::parse_line(again_line, again, reason));
    require(again.id == record.id && again.type == record.type && again.node == record.node &&
            again.type_name == record.type_name && again.body == record.body && again.enriched == record.enriched);
    return 0;
}
