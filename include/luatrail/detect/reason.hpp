// Why a finding has its severity: the facts that chose row and column, as kinds. Their sentences are the report's
// (src/report/reason_text.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "luatrail/detect/finding.hpp"

namespace luatrail::detect {

enum class ReasonKind : std::uint8_t {
    expectation,
    stdin_code,
    descriptor,
    content,
    library,
    copy,
    inode,
    argv0,
    remote_session,
    chain,
    repeated,
};

struct ReasonKindRow {
    ReasonKind kind;
    std::string_view id; // in the schema; empty: that of the expectation, or of the chain entry's kind
};

// In the order of the enumerators, which is also that of a finding's reasons.
inline constexpr std::array<ReasonKindRow, 11> reason_kinds{{
    {ReasonKind::expectation, ""},                  // what the baseline says
    {ReasonKind::stdin_code, "stdin"},              // the code's origin
    {ReasonKind::descriptor, "descriptor"},         // the same
    {ReasonKind::content, "content"},               // a look at the program showed that it has Lua inside
    {ReasonKind::library, "library"},               // the program loaded a Lua library
    {ReasonKind::copy, "copy"},                     // the interpreter is a copy of one
    {ReasonKind::inode, "inode"},                   // another name of one
    {ReasonKind::argv0, "argv0"},                   // it calls itself what no interpreter is called
    {ReasonKind::remote_session, "remote-session"}, // its session began with a login from elsewhere
    {ReasonKind::chain, ""},                        // an entry of the chain
    {ReasonKind::repeated, "repeated"},             // it stands for others that were not reported
}};
static_assert(static_cast<std::size_t>(ReasonKind::repeated) + 1 == reason_kinds.size());
static_assert(std::all_of(reason_kinds.begin(), reason_kinds.end(), [](const ReasonKindRow& row) {
    return &row == &reason_kinds[static_cast<std::size_t>(row.kind)];
}));

struct Reason {
    ReasonKind kind = ReasonKind::expectation;
    std::size_t link = 0; // of kind chain: which entry
};

// Whether code came through standard input for certain: not from a terminal.
bool from_stdin(const Finding& finding);

std::vector<Reason> reasons_of(const Finding& finding);

// As in the schema: "unexpected-user", "script-drop". Lives as long as the finding.
std::string_view id_of(const Finding& finding, const Reason& reason);

} // namespace luatrail::detect
