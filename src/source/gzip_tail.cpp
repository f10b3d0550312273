#include "source/gzip_tail.hpp"

#include <algorithm>

#include "luatrail/base/inflate.hpp"
#include "source/archive.hpp"
#include "source/byte_source.hpp"

namespace luatrail::source {

void visit_gzip_tail(const std::string& path, std::uint64_t skip, const std::function<void(std::string_view)>& use) {
    FileSource file(path);
    if (!file.peek(2).starts_with("\x1f\x8b")) {
        return;
    }
    base::Inflater inflater;
    bool first = true;
    bool text = true;
    const auto pass_on = [&](std::string_view plain) {
        text = text && !(first && looks_packed(plain)); // an archive: its bytes are no text
        first = false;
        const auto skipped = std::min<std::uint64_t>(skip, plain.size());
        skip -= skipped;
        if (text && skipped < plain.size()) {
            use(plain.substr(skipped));
        }
        return text;
    };
    for (auto block = file.next(); !block.empty() && inflater.feed(block, pass_on); block = file.next()) {
    }
}

} // namespace luatrail::source
