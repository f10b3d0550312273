#include "luatrail/audit/typed.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include <libaudit.h>

#include "audit/execve.hpp"
#include "audit/ids.hpp"
#include "audit/name_types.hpp"
#include "luatrail/audit/field.hpp"

namespace luatrail::audit {
namespace {

PathItem::NameType nametype_of(std::string_view text) {
    if (text == "NORMAL") {
        return PathItem::NameType::normal;
    }
    if (text == "PARENT") {
        return PathItem::NameType::parent;
    }
    if (text == "CREATE") {
        return PathItem::NameType::create;
    }
    return text == "DELETE" ? PathItem::NameType::remove : PathItem::NameType::unknown;
}

std::optional<std::uint64_t> device_of(std::string_view text) { // "fd:00", "00:1f"
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const auto major = parse_hex(text.substr(0, colon));
    const auto minor = parse_hex(text.substr(colon + 1));
    if (!major || !minor) {
        return std::nullopt;
    }
    return (*major << 32U) | *minor;
}

std::optional<std::uint32_t> octal_of(std::string_view text) {
    std::uint32_t mode = 0;
    if (text.empty()) {
        return std::nullopt;
    }
    for (const char c : text) {
        if (c < '0' || c > '7' || mode > 0xffffffU) {
            return std::nullopt;
        }
        mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
    }
    return mode;
}

// Some writers put every value in quotes, numbers too.
std::string_view plain(std::string_view value) {
    return value.size() >= 2 && value.front() == '"' && value.back() == '"' ? value.substr(1, value.size() - 2) : value;
}

// "59", and "unknown-syscall(59)" as auparse has it where its tables end.
std::optional<std::uint64_t> number_of_call(std::string_view text) {
    constexpr std::string_view unknown = "unknown-syscall(";
    if (text.starts_with(unknown) && text.ends_with(')')) {
        text = text.substr(unknown.size(), text.size() - unknown.size() - 1);
    }
    const auto number = parse_decimal(text);
    return number && *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

Field field_of(std::string_view body, std::uint64_t name) {
    FieldReader fields(body);
    for (Field field; fields.next(field);) {
        if (field.code == name) {
            return field;
        }
    }
    return {};
}

// saddr is a struct sockaddr in hex (audit_log_n_hex); its family is in the byte order of the machine, so either byte
// may hold it.
std::optional<std::string> internet_peer(std::string_view saddr) {
    constexpr std::size_t ipv4_size = 8, ipv6_size = 24, ipv6_address = 8;
    std::string bytes;
    const auto decoded = decode_untrusted(saddr, bytes);
    if (!decoded || decoded->data() != bytes.data() || bytes.size() < ipv4_size) {
        return std::nullopt;
    }
    const auto byte = [&bytes](std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(bytes[at])); };
    const auto family = byte(0) == 0 ? byte(1) : byte(0);
    const auto port = byte(2) * 256 + byte(3);
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (family == AF_INET && inet_ntop(AF_INET, bytes.data() + 4, text.data(), text.size()) != nullptr) {
        return fmt::format("{}:{}", text.data(), port);
    }
    if (family == AF_INET6 && bytes.size() >= ipv6_size &&
        inet_ntop(AF_INET6, bytes.data() + ipv6_address, text.data(), text.size()) != nullptr) {
        return fmt::format("[{}]:{}", text.data(), port);
    }
    return std::nullopt;
}

bool tells_of_loss(const Record& record) { // kernel/audit.c, audit_log_lost; auditd's own queue
    return record.body.find("audit_lost=") != std::string_view::npos ||
           record.body.find("backlog limit exceeded") != std::string_view::npos ||
           (record.type == AUDIT_DAEMON_ERR && record.body.find("overflow") != std::string_view::npos);
}

} // namespace

// What an unusually large event needed is freed with it.
void Decoder::give_back_memory() {
    constexpr std::size_t kept_text = 4096, kept_values = 1024;
    for (std::size_t i = 0; i < scratch_used_; ++i) {
        if (scratch_[i].capacity() > kept_text) {
            std::string().swap(scratch_[i]);
        }
    }
    if (scratch_.size() > kept_values) {
        scratch_.resize(kept_values);
    }
    if (typed_.paths.capacity() > kept_values) {
        std::vector<PathItem>().swap(typed_.paths);
    }
    if (typed_.execve.argv.capacity() > kept_values) {
        std::vector<std::string>().swap(typed_.execve.argv);
    }
}

const TypedEvent& Decoder::decode(const Event& event) {
    give_back_memory();
    auto paths = std::move(typed_.paths);
    auto argv = std::move(typed_.execve.argv);
    paths.clear();
    argv.clear();
    typed_ = TypedEvent{};
    typed_.paths = std::move(paths);
    typed_.execve.argv = std::move(argv);
    scratch_used_ = 0;
    items_ = 0;
    typed_items_ = 0;
    record_cut_ = false;
    writing_ = Writing(event);
    typed_.id = event.id;
    typed_.node = event.node;
    typed_.record_count = event.records.size();
    for (const auto& record : event.records) {
        read(record);
    }
    if (typed_.has_execve) {
        read_execve(event, writing_, typed_.execve);
        record_cut_ = record_cut_ || !typed_.execve.cut.empty();
        complete_by_title(typed_.title, typed_.execve);
    } else if (typed_.is_exec() && typed_.syscall.success != false) {
        read_title(typed_.title, typed_.execve);
    }
    const auto by_item = [](const PathItem& a, const PathItem& b) { return a.item < b.item; };
    if (!std::is_sorted(typed_.paths.begin(), typed_.paths.end(), by_item)) {
        std::stable_sort(typed_.paths.begin(), typed_.paths.end(), by_item);
    }
    if (typed_items_ < typed_.paths.size()) {
        record_cut_ = record_cut_ || typed_items_ > 0;
        infer_name_types(typed_);
    }
    const bool early = event.closed == Closed::evicted || event.trimmed || event.late; // ours, not the kernel's loss
    const bool missing =
        static_cast<std::int64_t>(typed_.paths.size()) < items_ || (typed_.has_execve && !typed_.has_syscall);
    typed_.records_missing = missing && !early;
    typed_.partial = early || record_cut_ || missing;
    return typed_;
}

void Decoder::read(const Record& record) {
    switch (record.type) {
    case AUDIT_PROCTITLE: // says less than the other records of its event: title_words()
        typed_.title = typed_.title.empty() ? record.body : typed_.title;
        break;
    case AUDIT_SYSCALL:
        if (!typed_.has_syscall) {
            read_syscall(record);
        }
        break;
    case audit_uringop:
        if (!typed_.has_syscall) {
            read_operation(record);
        }
        break;
    case AUDIT_EXECVE:
        typed_.has_execve = true;
        break;
    case AUDIT_CWD:
        if (!typed_.cwd) {
            const auto field = field_of(record.body, name_code("cwd"));
            typed_.cwd = field.name.empty() ? Text{} : untrusted(record, field);
            note_cut(field);
            if (typed_.cwd && is_lost(*typed_.cwd)) { // the kernel quotes it
                typed_.cwd = std::nullopt;
            }
        }
        break;
    case AUDIT_PATH:
        read_path(record);
        break;
    case AUDIT_ANOM_ABEND:
        typed_.abend_pid = id_of(field_of(record.body, name_code("pid")).value);
        break;
    case AUDIT_SOCKADDR:
        typed_.peer = internet_peer(field_of(record.body, name_code("saddr")).value);
        break;
    case audit_openat2:
        typed_.open_flags = octal_of(field_of(record.body, name_code("oflag")).value);
        break;
    case AUDIT_SYSTEM_BOOT:
        typed_.boot = true;
        break;
    default:
        if (!typed_.message) { // of an event the first one counts
            typed_.message = message_of(record);
        }
        typed_.lost = typed_.lost || tells_of_loss(record);
        break;
    }
}

Text Decoder::untrusted(const Record& record, const Field& field) {
    if (!field.value.empty() && field.value.front() == '"') { // the common case needs no scratch
        std::string none;
        return decode_untrusted(field.value, none, field.cut);
    }
    if (scratch_used_ == scratch_.size()) {
        scratch_.emplace_back();
    }
    auto& scratch = scratch_[scratch_used_];
    const auto text = writing_.text(record, field, scratch);
    if (text && text->data() == scratch.data()) {
        ++scratch_used_;
    }
    return text;
}

// A text's end is missing: so is what the record had behind it.
void Decoder::note_cut(const Field& field) {
    record_cut_ = record_cut_ || (field.cut && field.value.starts_with('"'));
}

void Decoder::read_syscall(const Record& record) {
    typed_.has_syscall = true;
    FieldReader fields(record.body);
    for (Field field; fields.next(field);) {
        read_field(record, field);
    }
    std::string_view enriched_name;
    FieldReader enriched(record.enriched);
    for (Field field; !typed_.syscall.user && enriched.next(field);) {
        if (field.code == name_code("SYSCALL")) {
            enriched_name = unquoted(field.value).value_or("");
        } else if (field.code == name_code("UID")) {
            read_field(record, field);
        }
    }
    name_call(enriched_name);
}

// kernel/auditsc.c, audit_log_uring().
void Decoder::read_operation(const Record& record) {
    typed_.has_syscall = true;
    auto& call = typed_.syscall;
    call.by_ring = true;
    FieldReader fields(record.body);
    for (Field field; fields.next(field);) {
        if (field.code == name_code("uring_op")) {
            call.call = uring_call(number_of_call(plain(field.value)).value_or(0));
        } else {
            read_field(record, field);
        }
    }
    const auto user = field_of(record.enriched, name_code("UID"));
    if (!user.name.empty()) {
        read_field(record, user);
    }
}

// By number, else by the name that stands in its place in half-interpreted logs, else by the enriched one: whoever
// wrote that may know a processor or a number that the table does not.
void Decoder::name_call(std::string_view enriched_name) {
    auto& call = typed_.syscall;
    const auto* const architecture = architecture_of(call.arch_text);
    const auto number = number_of_call(call.call_text);
    if (architecture != nullptr && number) {
        call.call = call_of(*architecture, *number);
    } else if (!number) {
        call.call = call_from_name(call.call_text);
    }
    if (call.call == Call::other) {
        call.call = call_from_name(enriched_name);
    }
    if (effect_of(call.call) == Effect::socket_call) { // its arguments lie in memory
        const auto made = socket_call(call.a[0]);
        call.call = made == Call::other ? call.call : made;
    }
    if (architecture != nullptr && !shows_arguments(call.call, *architecture)) {
        std::fill(std::begin(call.a), std::end(call.a), 0);
    }
}

void Decoder::read_field(const Record& record, const Field& field) {
    auto& call = typed_.syscall;
    const auto value = plain(field.value); // of anything but the untrusted strings
    switch (field.code) {
    case name_code("a0"):
    case name_code("a1"):
    case name_code("a2"):
    case name_code("a3"):
        call.a[field.name[1] - '0'] = parse_hex(value).value_or(0);
        break;
    case name_code("arch"):
        call.arch_text = value;
        break;
    case name_code("syscall"):
        call.call_text = value;
        break;
    case name_code("success"):
        call.success = name_code(value) == name_code("yes")  ? std::optional(true)
                       : name_code(value) == name_code("no") ? std::optional(false)
                                                             : std::nullopt;
        break;
    case name_code("exit"):
        call.exit = parse_decimal(value);
        break;
    case name_code("items"):
        items_ = parse_decimal(value).value_or(0);
        break;
    case name_code("ppid"):
        call.ppid = id_of(value);
        break;
    case name_code("pid"):
        call.pid = id_of(value);
        break;
    case name_code("auid"):
        call.auid = set_id_of(value);
        break;
    case name_code("uid"):
        call.uid = user_id_of(value);
        if (!call.uid && !parse_decimal(value)) { // half-interpreted
            call.user = unquoted(value);
        }
        break;
    case name_code("gid"):
        call.gid = id_of(value);
        break;
    case name_code("euid"):
        call.euid = user_id_of(value);
        break;
    case name_code("tty"):
        call.tty = unquoted(field.value);
        break;
    case name_code("ses"):
        call.session = set_id_of(value);
        break;
    case name_code("comm"):
        call.comm = untrusted(record, field);
        note_cut(field);
        break;
    case name_code("exe"):
        call.exe = untrusted(record, field);
        note_cut(field);
        break;
    case name_code("key"):
        call.key = untrusted(record, field);
        note_cut(field);
        break;
    case name_code("UID"):
        call.user = unquoted(field.value);
        break;
    default:
        break;
    }
}

void Decoder::read_path(const Record& record) {
    auto& item = typed_.paths.emplace_back();
    FieldReader fields(record.body);
    for (Field field; fields.next(field);) {
        switch (field.code) {
        case name_code("item"):
            item.item = static_cast<int>(
                std::clamp<std::int64_t>(parse_decimal(plain(field.value)).value_or(-1), -1, 1'000'000));
            break;
        case name_code("name"):
            item.name = untrusted(record, field);
            note_cut(field);
            break;
        case name_code("inode"): {
            const auto value = plain(field.value);
            const auto inode = parse_decimal(value); // fast, and enough for all but FUSE, NFS and the like
            item.inode =
                inode && *inode >= 0 ? std::optional(static_cast<std::uint64_t>(*inode)) : parse_unsigned(value);
            break;
        }
        case name_code("dev"):
            item.dev_text = plain(field.value);
            item.dev = device_of(item.dev_text);
            break;
        case name_code("mode"):
            item.mode = octal_of(plain(field.value));
            break;
        case name_code("nametype"):
        case name_code("objtype"): // kernels 3.0 to 3.10
            item.nametype_text = unquoted(field.value).value_or("");
            item.nametype = nametype_of(item.nametype_text);
            ++typed_items_;
            return; // the file's capabilities follow, which nothing asks for
        default:
            break;
        }
    }
}

} // namespace luatrail::audit
