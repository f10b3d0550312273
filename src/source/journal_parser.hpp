// The journal's own forms, `journalctl -o export` and `-o json`, as lines of an audit log.
#pragma once

#include <memory>

#include "luatrail/source/parser.hpp"

namespace luatrail::source {

// Looks at the first bytes of each input. What is no export of the journal goes to `lines` as it came; of one, each
// entry that journald took from the kernel's audit (_TRANSPORT=audit) becomes the line that auditd would have written,
// with the entry's host as its node, and so does each that a relay such as audisp-syslog handed to the journal.
// (systemd.io/JOURNAL_EXPORT_FORMATS, systemd.journal-fields(7)).
std::unique_ptr<Parser> read_journal_too(std::unique_ptr<Parser> lines);

} // namespace luatrail::source
