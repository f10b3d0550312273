// What can be chained with a run of Lua: one row a kind. Its words are the report's (src/report/chain_words.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace luatrail::detect {

enum class ChainKind : std::uint8_t {
    script_drop,
    interpreter_drop,
    module_drop,
    memfd,
    shared_memory,
    deleted_file,
    exec_memory,
    injection,
    crash,
    child_shell,
    network,
    self_delete,
    download,     // a download tool below the run
    persistence,  // a crontab, unit or shell profile written
    second_stage, // a program that the run brought, run
};

// What the severity table asks.
enum class ChainClass : std::uint8_t { drop, artifact, follow_up };

// When it happened.
enum class Stands : std::uint8_t { before_run, after_run };

struct ChainKindRow {
    ChainKind kind;
    std::string_view name; // in the schema
    ChainClass is;
    Stands stands;
};

// In the order of the enumerators.
inline constexpr std::array<ChainKindRow, 15> chain_kinds{{
    {ChainKind::script_drop, "script-drop", ChainClass::drop, Stands::before_run},
    {ChainKind::interpreter_drop, "interpreter-drop", ChainClass::drop, Stands::before_run},
    {ChainKind::module_drop, "module-drop", ChainClass::drop, Stands::before_run},
    {ChainKind::memfd, "memfd", ChainClass::artifact, Stands::before_run},
    {ChainKind::shared_memory, "shared-memory", ChainClass::artifact, Stands::before_run},
    {ChainKind::deleted_file, "deleted-file", ChainClass::artifact, Stands::before_run},
    {ChainKind::exec_memory, "exec-memory", ChainClass::artifact, Stands::after_run},
    {ChainKind::injection, "injection", ChainClass::artifact, Stands::after_run},
    {ChainKind::crash, "crash", ChainClass::artifact, Stands::after_run},
    {ChainKind::child_shell, "child-shell", ChainClass::follow_up, Stands::after_run},
    {ChainKind::network, "network", ChainClass::follow_up, Stands::after_run},
    {ChainKind::self_delete, "self-delete", ChainClass::follow_up, Stands::after_run},
    {ChainKind::download, "download", ChainClass::follow_up, Stands::after_run},
    {ChainKind::persistence, "persistence", ChainClass::follow_up, Stands::after_run},
    {ChainKind::second_stage, "second-stage", ChainClass::follow_up, Stands::after_run},
}};
static_assert(static_cast<std::size_t>(ChainKind::second_stage) + 1 == chain_kinds.size());
static_assert(std::all_of(chain_kinds.begin(), chain_kinds.end(), [](const ChainKindRow& row) {
    return &row == &chain_kinds[static_cast<std::size_t>(row.kind)];
}));

constexpr const ChainKindRow& row_of(ChainKind kind) {
    return chain_kinds.at(static_cast<std::size_t>(kind));
}

constexpr std::string_view to_string(ChainKind kind) {
    return row_of(kind).name;
}

} // namespace luatrail::detect
