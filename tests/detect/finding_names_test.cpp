#include "luatrail/detect/finding.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace luatrail::detect;

namespace {

template <class Enumerator>
std::vector<std::string> names_until(Enumerator last) {
    std::vector<std::string> names;
    for (int value = 0; value <= static_cast<int>(last); ++value) {
        names.emplace_back(to_string(static_cast<Enumerator>(value)));
    }
    return names;
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("the schema's names are those of the contract") {
    CHECK(names_until(Severity::critical) == Names{"info", "low", "medium", "high", "critical"});
    CHECK(names_until(Origin::unknown) == Names{"script", "inline", "stdin", "interactive", "module", "environment",
                                                "descriptor", "embedded", "unknown"});
    CHECK(names_until(IdentifiedBy::content) ==
          Names{"path", "package", "inode", "copy", "argv0", "loader", "content"});
    CHECK(names_until(ChainKind::self_delete) == Names{"script-drop", "interpreter-drop", "module-drop", "memfd",
                                                       "shared-memory", "deleted-file", "exec-memory", "injection",
                                                       "crash", "child-shell", "network", "self-delete"});
    CHECK(names_until(How::unpack) == Names{"create", "write", "rename", "link", "symlink", "chmod", "unpack"});
    CHECK(names_until(Verdict::unexpected) == Names{"expected", "unknown", "unexpected"});
    CHECK(names_until(Degraded::evicted) == Names{"lost-records", "partial-event", "truncated-argv", "no-lineage",
                                                  "no-baseline", "path-uncertain", "evicted"});
}

TEST_CASE("a severity is read by its name alone") {
    CHECK(severity_from("info") == Severity::info);
    CHECK(severity_from("critical") == Severity::critical);
    for (const char* other : {"", "INFO", "warning", "high ", "3"}) {
        CHECK_FALSE(severity_from(other).has_value());
    }
}
