// The EXECVE records of one event (kernel/auditsc.c, audit_log_execve_info).
//
// a0="literal" a1=6869 ...; an argument that does not fit is split into a1_len=N a1[0]=... a1[1]=..., over several
// records, of which only the first has argc=. Kernels before 5.0 leave empty arguments out; kernel 3.0 wrote two heads
// for a #! script.
#include "audit/execve.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <vector>

#include <libaudit.h>

#include "luatrail/audit/field.hpp"

namespace luatrail::audit {
namespace {

// More arguments than this are not kept: an event's text is bounded, so only a forged argc or index exceeds it.
constexpr std::size_t most_arguments = 65536;
// Nor more gaps: kernels left out empty arguments, and records get lost, but a small record may claim any number.
constexpr std::size_t most_missing = 256;

struct ArgumentName {
    std::size_t index = 0;
    std::optional<std::size_t> piece;
    bool length = false; // aN_len
};

std::optional<ArgumentName> argument_name(std::string_view name) {
    if (name.size() < 2 || name.front() != 'a') {
        return std::nullopt;
    }
    ArgumentName parsed;
    const auto* last = name.data() + name.size();
    auto [end, error] = std::from_chars(name.data() + 1, last, parsed.index);
    if (error != std::errc{}) {
        return std::nullopt;
    }
    const std::string_view rest(end, static_cast<std::size_t>(last - end));
    if (rest.empty()) {
        return parsed;
    }
    if (rest == "_len") {
        parsed.length = true;
        return parsed;
    }
    if (rest.size() < 3 || rest.front() != '[' || rest.back() != ']') {
        return std::nullopt;
    }
    std::size_t piece = 0;
    const auto inner = rest.substr(1, rest.size() - 2);
    const auto [piece_end, piece_error] = std::from_chars(inner.data(), inner.data() + inner.size(), piece);
    if (piece_error != std::errc{} || piece_end != inner.data() + inner.size()) {
        return std::nullopt;
    }
    parsed.piece = piece;
    return parsed;
}

// What makes a record a head: the kernel writes argc before the arguments.
std::optional<std::int64_t> argc_of(std::string_view body) {
    Field first;
    return FieldReader(body).next(first) && first.code == name_code("argc") ? parse_decimal(first.value) : std::nullopt;
}

// Of several heads the one with the most arguments is the truth; the others are skipped.
const Record* best_head(const Event& event, std::optional<std::int64_t>& argc) {
    const Record* best = nullptr;
    for (const auto& record : event.records) {
        if (record.type != AUDIT_EXECVE) {
            continue;
        }
        const auto count = argc_of(record.body);
        if (count && (best == nullptr || *count > *argc)) {
            best = &record;
            argc = count;
        }
    }
    return best;
}

struct Split {
    std::map<std::size_t, std::string> pieces;
    std::optional<std::int64_t> announced; // aN_len: hex digits when the pieces are hex, else bytes
    std::size_t written = 0;               // as the pieces have it

    bool whole() const {
        return !pieces.empty() && pieces.rbegin()->first == pieces.size() - 1 &&
               (!announced || static_cast<std::size_t>(*announced) == written);
    }
};

struct Collected {
    std::vector<std::string>& arguments; // by index; what no record carried is empty
    std::vector<bool> carried;
    std::map<std::size_t, Split> splits;
    std::vector<std::size_t>& cut;
    std::vector<std::size_t>& headless;
    Writing& writing;
    bool truncated = false;

    void set(std::size_t index, std::string_view text) {
        if (index >= carried.size()) {
            carried.resize(index + 1);
        }
        if (index >= arguments.size()) {
            arguments.resize(index + 1);
        }
        carried[index] = true;
        arguments[index] = text;
    }

    void read(const Record& record) {
        std::string scratch;
        FieldReader fields(record.body);
        for (Field field; fields.next(field);) {
            const auto name = argument_name(field.name);
            if (!name) {
                continue;
            }
            if (name->index >= most_arguments) {
                truncated = true;
                continue;
            }
            if (name->length) {
                splits[name->index].announced = parse_decimal(field.value);
                continue;
            }
            if (is_lost(field.value)) {
                truncated = true;
                continue;
            }
            const auto text = writing.text(record, field, scratch).value_or("");
            const bool half_byte = field.value.size() % 2 != 0 && text.data() == scratch.data();
            const bool broken = field.cut && (half_byte || field.value.starts_with('"'));
            truncated = truncated || broken;
            if (broken && !name->piece) {
                cut.push_back(name->index);
            }
            if (name->piece) {
                add_piece(splits[name->index], *name->piece, text, field.value);
            } else {
                set(name->index, text);
            }
        }
    }

    static void add_piece(Split& split, std::size_t piece, std::string_view text, std::string_view value) {
        const bool quoted = !value.empty() && value.front() == '"';
        if (split.pieces.insert_or_assign(piece, std::string(text)).second) {
            split.written += quoted ? text.size() : value.size();
        }
    }

    void join() {
        for (const auto& [index, split] : splits) {
            std::string whole;
            for (const auto& [number, piece] : split.pieces) {
                whole += piece;
            }
            if (!split.whole()) {
                truncated = true;
                (split.pieces.contains(0) ? cut : headless).push_back(index);
            }
            set(index, whole);
        }
    }
};

} // namespace

void read_execve(const Event& event, Writing& writing, Execve& execve) {
    const auto* head = best_head(event, execve.argc);
    const auto argc = static_cast<std::size_t>(std::clamp<std::int64_t>(execve.argc.value_or(0), 0, most_arguments));
    Collected collected{.arguments = execve.argv,
                        .carried = std::vector<bool>(argc),
                        .splits = {},
                        .cut = execve.cut,
                        .headless = execve.headless,
                        .writing = writing};
    for (const auto& record : event.records) {
        if (record.type == AUDIT_EXECVE && (&record == head || head == nullptr || !argc_of(record.body))) {
            collected.read(record);
        }
    }
    collected.join();
    execve.truncated = collected.truncated || event.trimmed ||
                       (execve.argc && *execve.argc > static_cast<std::int64_t>(most_arguments));
    auto end = std::max(argc, execve.argv.size());
    std::size_t gaps = 0;
    for (std::size_t index = 0; index < end; ++index) {
        if (collected.carried[index]) {
            continue;
        }
        if (++gaps > most_missing) {
            execve.truncated = true;
            end = index;
        } else if (index < argc) {
            execve.missing.push_back(index);
        }
    }
    execve.argv.resize(end);
}

namespace {

// A blank in a word cannot be told from one between two.
Title words_at_blanks(std::string_view text) {
    Title title;
    title.cut = true;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end > 0) {
            title.words.emplace_back(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return title;
}

} // namespace

Title title_words(std::string_view body) {
    constexpr std::size_t most_bytes = 128; // MAX_PROCTITLE_AUDIT_LEN
    Title title;
    Field field;
    if (!FieldReader(body).next(field)) {
        title.cut = true;
        return title;
    }
    std::string scratch;
    auto words = decode_untrusted(field.value, scratch, field.cut).value_or("");
    if (!words.empty() && words.data() == field.value.data()) { // decoded by others, who left the quotes out
        return words_at_blanks(body.substr(static_cast<std::size_t>(words.data() - body.data())));
    }
    title.cut = words.size() >= most_bytes;
    if (words.ends_with('\0')) {
        words.remove_suffix(1);
    }
    while (!words.empty()) {
        const auto end = std::min(words.find('\0'), words.size());
        title.words.emplace_back(words.substr(0, end));
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return title;
}

void read_title(std::string_view body, Execve& execve) {
    auto title = title_words(body);
    execve.argv = std::move(title.words);
    execve.truncated = title.cut; // without any record nothing is known
    if (title.cut && !execve.argv.empty()) {
        execve.cut.push_back(execve.argv.size() - 1);
    }
}

void complete_by_title(std::string_view body, Execve& execve) {
    if (body.empty() || (execve.cut.empty() && execve.missing.empty())) {
        return;
    }
    auto title = title_words(body);
    const auto whole = title.words.size() - (title.cut && !title.words.empty() ? 1 : 0);
    const auto belongs = [&](std::size_t at) { // an image may write over its own title only after the exec
        return at < whole && at < execve.argv.size() && title.words[at].starts_with(execve.argv[at]);
    };
    const auto taken = [&](std::size_t at) {
        const bool fits = belongs(at);
        if (fits) {
            execve.argv[at] = std::move(title.words[at]);
        }
        return fits;
    };
    std::erase_if(execve.cut, taken);
    std::erase_if(execve.missing, taken);
    const auto expected = static_cast<std::size_t>(std::max<std::int64_t>(execve.argc.value_or(0), 0));
    if (execve.cut.empty() && execve.missing.empty() && execve.headless.empty() && expected == execve.argv.size()) {
        execve.truncated = false;
    }
}

} // namespace luatrail::audit
