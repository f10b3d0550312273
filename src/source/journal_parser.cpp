#include "source/journal_parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace luatrail::source {
namespace {

using Json = nlohmann::json;

constexpr std::string_view export_mark = "__CURSOR=", json_mark = "{\"";

// The fields of an entry that matter, in the order of `names`.
enum Field : std::uint8_t { message, transport, type, type_name, id, source_time, host, field_count };
constexpr std::array<std::string_view, field_count> names{
    "MESSAGE", "_TRANSPORT", "_AUDIT_TYPE", "_AUDIT_TYPE_NAME", "_AUDIT_ID", "_SOURCE_REALTIME_TIMESTAMP", "_HOSTNAME"};

using Entry = std::array<std::string, field_count>;

std::string* field_of(Entry& entry, std::string_view name) {
    const auto at = std::find(names.begin(), names.end(), name);
    return at == names.end() ? nullptr : &entry.at(static_cast<std::size_t>(at - names.begin()));
}

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

bool is_word(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > ' '; });
}

// One line, whatever the entry's bytes: a field of the journal may have line ends, and what follows one would be read
// as a record of its own.
std::string one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
    return text;
}

// The line that auditd would have written; nothing where the entry has no record.
std::optional<std::string> line_of(const Entry& entry) {
    const std::string node = is_word(entry[host]) ? fmt::format("node={} ", entry[host]) : "";
    if (entry[transport] != "audit") {
        const bool record = entry[message].starts_with("type=") || entry[message].starts_with("node=");
        const bool named = entry[message].starts_with("node=");
        return record ? std::optional(one_line((named ? "" : node) + entry[message])) : std::nullopt;
    }
    const auto serial = number_of(entry[id]);
    const auto microseconds = number_of(entry[source_time]);
    const auto& name = is_word(entry[type_name]) ? entry[type_name] : entry[type];
    const auto body = entry[message].find(' '); // behind the type's name
    if (!serial || !microseconds || !is_word(name) || body == std::string::npos) {
        return std::nullopt;
    }
    return one_line(fmt::format("{}type={} msg=audit({}.{:03}:{}): {}", node, name, *microseconds / 1'000'000,
                                *microseconds / 1000 % 1000, *serial,
                                std::string_view(entry[message]).substr(body + 1)));
}

// Text, or bytes as numbers where it is not printable; null where it was too long for journalctl.
std::string text_of(const Json& value) {
    if (value.is_string()) {
        return value.get<std::string>();
    }
    std::string text;
    if (value.is_array()) {
        for (const auto& byte : value) {
            text += byte.is_number_unsigned() ? static_cast<char>(byte.get<std::uint8_t>()) : '?';
        }
    }
    return text;
}

class JournalParser final : public Parser {
  public:
    explicit JournalParser(std::unique_ptr<Parser> lines) : lines_(std::move(lines)) {}

    void name_nodes(NodeNaming naming) override { lines_->name_nodes(std::move(naming)); }
    const ParserCounters& counters() const override { // bytes are the input's, not those of the lines made of it
        counters_ = lines_->counters();
        counters_.bytes = bytes_;
        return counters_;
    }
    void age() override { lines_->age(); }

    void feed(std::string_view chunk) override {
        bytes_ += chunk.size();
        if (form_ == Form::plain) {
            lines_->feed(chunk);
            return;
        }
        held_.append(chunk);
        if (form_ == Form::unknown && !decide(false)) {
            return;
        }
        take_whole();
    }

    void finish() override {
        if (form_ == Form::unknown) {
            decide(true);
        }
        if (form_ == Form::journal_export || form_ == Form::journal_json) {
            held_ += '\n';
            take_whole();
            end_entry();
        }
        held_.clear();
        entry_ = {};
        form_ = Form::unknown;
        lines_->finish();
    }

  private:
    enum class Form : std::uint8_t { unknown, plain, journal_export, journal_json };

    // Whether enough bytes are there to say what the input is.
    bool decide(bool last) {
        const auto begins = [this](std::string_view mark) { return std::string_view(held_).starts_with(mark); };
        const auto may_begin = [this](std::string_view mark) { return mark.starts_with(held_); };
        if (!last && (may_begin(export_mark) || may_begin(json_mark)) && !begins(export_mark) && !begins(json_mark)) {
            return false;
        }
        form_ = begins(export_mark) ? Form::journal_export : begins(json_mark) ? Form::journal_json : Form::plain;
        return true;
    }

    // What is whole of the bytes that are held.
    void take_whole() {
        if (form_ == Form::plain) {
            lines_->feed(held_);
            held_.clear();
            return;
        }
        std::size_t at = 0;
        while (const auto size = form_ == Form::journal_json ? take_object(at) : take_field(at)) {
            at += size;
        }
        held_.erase(0, at);
        if (held_.size() > max_line) { // no field is that long: the parser of lines says so
            lines_->feed(std::string(max_line + 1, '?') + "\n");
            held_.clear();
        }
    }

    // The length of the line that begins there, its end included; 0: it is not whole.
    std::size_t line_at(std::size_t at) const {
        const auto end = held_.find('\n', at);
        return end == std::string::npos ? 0 : end + 1 - at;
    }

    std::size_t take_object(std::size_t at) {
        const auto size = line_at(at);
        if (size < 2) {
            return size;
        }
        const auto line = std::string_view(held_).substr(at, size - 1);
        const auto object = Json::parse(line, nullptr, false);
        if (!object.is_object() || !object.contains(names[transport])) { // nothing of a journal
            lines_->feed(std::string(line) + "\n");                      // which counts it
            return size;
        }
        for (std::size_t field = 0; field < field_count; ++field) {
            if (const auto value = object.find(names.at(field)); value != object.end()) {
                entry_.at(field) = text_of(*value);
            }
        }
        end_entry();
        return size;
    }

    // "NAME=value", or "NAME", a length of eight bytes with the lowest first, and so many bytes.
    std::size_t take_field(std::size_t at) {
        const auto size = line_at(at);
        if (size == 0) {
            return 0;
        }
        const auto line = std::string_view(held_).substr(at, size - 1);
        if (line.empty()) {
            end_entry();
            return size;
        }
        const auto equals = line.find('=');
        if (equals != std::string_view::npos) {
            keep(line.substr(0, equals), line.substr(equals + 1));
            return size;
        }
        constexpr std::size_t length_size = 8;
        if (held_.size() - at < size + length_size) {
            return 0;
        }
        std::uint64_t length = 0;
        for (std::size_t byte = 0; byte < length_size; ++byte) {
            length |= std::uint64_t{static_cast<unsigned char>(held_[at + size + byte])} << (8 * byte);
        }
        if (length > max_line) {
            return size; // a line of something else
        }
        const auto whole = size + length_size + static_cast<std::size_t>(length) + 1;
        if (held_.size() - at < whole) {
            return 0;
        }
        keep(line, std::string_view(held_).substr(at + size + length_size, static_cast<std::size_t>(length)));
        return whole;
    }

    void keep(std::string_view name, std::string_view value) {
        if (auto* const field = field_of(entry_, name)) {
            field->assign(value);
        }
    }

    void end_entry() {
        if (const auto line = line_of(entry_)) {
            lines_->feed(*line + "\n");
        }
        entry_ = {};
    }

    std::unique_ptr<Parser> lines_;
    std::uint64_t bytes_ = 0;
    mutable ParserCounters counters_;
    Form form_ = Form::unknown;
    std::string held_; // not decided yet, or not whole
    Entry entry_;      // as far as it was read
};

} // namespace

std::unique_ptr<Parser> read_journal_too(std::unique_ptr<Parser> lines) {
    return std::make_unique<JournalParser>(std::move(lines));
}

} // namespace luatrail::source
