// What an event says: its records decoded into values.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luatrail/audit/credentials.hpp"
#include "luatrail/audit/event.hpp"
#include "luatrail/audit/field.hpp"
#include "luatrail/audit/message.hpp"
#include "luatrail/audit/syscalls.hpp"
#include "luatrail/audit/writing.hpp"

namespace luatrail::audit {

// An absent field, and the values (null), (none) and ?, are nothing.
using Text = std::optional<std::string_view>;

// A SYSCALL record (kernel/auditsc.c, audit_log_exit). Ids are nothing when absent; auid and ses also when unset
// (4294967295).
struct Syscall : Credentials {
    std::string_view arch_text;  // "c000003e"
    std::string_view call_text;  // "59", or "execve" in half-interpreted logs
    Call call = Call::other;     // by arch and number, else by name; what socketcall(2) makes is the call made
    std::optional<bool> success; // nothing: the record has no such field (exit_group never returns)
    std::optional<std::int64_t> exit;
    std::uint64_t a[4] = {}; // a0..a3; 0 where they are not the call's arguments (shows_arguments())
    std::optional<std::uint32_t> pid, ppid, gid;
    Text tty, comm, exe, key;
    Text user;            // enriched UID=
    bool by_ring = false; // URINGOP: an operation of io_uring, of which neither program, arguments nor names are told
};

// One PATH record (audit_log_name).
struct PathItem {
    int item = -1;
    Text name;
    std::optional<std::uint64_t> inode;
    std::optional<std::uint64_t> dev;  // major << 32 | minor
    std::optional<std::uint32_t> mode; // st_mode
    enum class NameType : std::uint8_t { unknown, normal, parent, create, remove } nametype = NameType::unknown;
    std::string_view dev_text, nametype_text; // as written, for `events`
};

// The EXECVE records of one event. Without any, `argv` is what PROCTITLE shows of a successful exec's command line.
struct Execve {
    std::optional<std::int64_t> argc;
    std::vector<std::string> argv;
    std::vector<std::size_t> missing;  // indices below argc that no record carried (old kernels drop empty arguments;
                                       // records get lost); argv ends behind 256 of them
    std::vector<std::size_t> cut;      // of these argv has the beginning and not all
    std::vector<std::size_t> headless; // of these it has something, and not the beginning
    bool truncated = false;            // an argument's piece is missing, cut, or more arguments than are kept
};

struct TypedEvent {
    EventId id;
    std::string_view node;
    std::size_t record_count = 0;
    bool has_syscall = false, has_execve = false;
    Syscall syscall;
    Execve execve;
    Text cwd;
    std::string_view title;      // the body of PROCTITLE: title_words()
    std::vector<PathItem> paths; // by item number
    bool partial = false;        // evicted, trimmed, late, a record cut off, or fewer PATH records than `items`
    std::optional<std::uint32_t> abend_pid;  // ANOM_ABEND: a process crashed
    std::optional<Message> message;          // the first such record
    std::optional<std::string> peer;         // SOCKADDR of the internet families: "192.0.2.1:80", "[2001:db8::1]:443"
    std::optional<std::uint64_t> open_flags; // OPENAT2's oflag: openat2(2) passes its flags in memory
    bool records_missing =
        false;         // fewer PATH records than `items`, or EXECVE alone: lost without a hole in the serials
    bool lost = false; // says that the kernel or auditd lost records
    bool boot = false; // SYSTEM_BOOT: pids and serials start anew

    bool is_exec() const { return has_execve || (has_syscall && luatrail::audit::is_exec(syscall.call)); }
};

// The command line as a PROCTITLE record has it.
struct Title {
    std::vector<std::string> words;
    bool cut = false; // the kernel keeps 128 bytes: the last word may be longer, and others may follow
};
Title title_words(std::string_view body);

// Decodes events; reused, so that it allocates little. What decode() returns lives until its next call or until the
// event's views end.
class Decoder {
  public:
    const TypedEvent& decode(const Event& event);

  private:
    Text untrusted(const Record& record, const Field& field);
    void read(const Record& record);
    void note_cut(const Field& field);
    void read_syscall(const Record& record);
    void read_operation(const Record& record);
    void name_call(std::string_view enriched_name);
    void read_field(const Record& record, const Field& field);
    void read_path(const Record& record);
    void give_back_memory();

    TypedEvent typed_;
    Writing writing_;
    std::int64_t items_ = 0;          // PATH records that the SYSCALL record announces
    std::size_t typed_items_ = 0;     // PATH records that say what their item is
    bool record_cut_ = false;         // a relay left a record's end out
    std::deque<std::string> scratch_; // decoded strings; stable addresses
    std::size_t scratch_used_ = 0;
};

} // namespace luatrail::audit
