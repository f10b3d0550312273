#include "luatrail/detect/severity.hpp"

namespace luatrail::detect {

bool is_drop(ChainKind kind) {
    return kind == ChainKind::script_drop || kind == ChainKind::interpreter_drop || kind == ChainKind::module_drop;
}

bool is_follow_up(ChainKind kind) {
    return kind >= ChainKind::child_shell; // the enumeration's last ones
}

bool is_memory_artifact(ChainKind kind) {
    return !is_drop(kind) && !is_follow_up(kind);
}

ChainClass classify(const Finding& finding) {
    bool drop = false;
    // Code from a pipe or a descriptor has no file that could be looked at later.
    bool memory = finding.code.origin == Origin::stdin_code || finding.code.origin == Origin::descriptor;
    ChainClass chain;
    for (const auto& entry : finding.chain) {
        drop = drop || is_drop(entry.kind);
        memory = memory || is_memory_artifact(entry.kind);
        chain.follow_up = chain.follow_up || is_follow_up(entry.kind);
    }
    chain.artifact = drop || memory;
    chain.both = drop && memory;
    return chain;
}

std::optional<Severity> severity_of(Verdict verdict, const ChainClass& chain) {
    if (chain.both || (chain.artifact && chain.follow_up)) {
        return verdict == Verdict::expected ? Severity::high : Severity::critical;
    }
    if (chain.artifact) {
        return verdict == Verdict::expected ? Severity::medium : Severity::high;
    }
    switch (verdict) {
    case Verdict::expected:
        return std::nullopt;
    case Verdict::unknown:
        return Severity::info;
    case Verdict::unexpected:
        break;
    }
    return chain.follow_up ? Severity::medium : Severity::low;
}

} // namespace luatrail::detect
