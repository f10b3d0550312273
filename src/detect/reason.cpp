#include "luatrail/detect/reason.hpp"

#include <algorithm>

namespace luatrail::detect {

bool from_stdin(const Finding& finding) {
    const auto& marks = finding.degraded;
    return finding.code.origin == Origin::stdin_code &&
           std::find(marks.begin(), marks.end(), Degraded::input_unknown) == marks.end();
}

std::vector<Reason> reasons_of(const Finding& finding) {
    std::vector<Reason> reasons{{ReasonKind::expectation}};
    const auto add_if = [&reasons](bool is_so, ReasonKind kind) {
        if (is_so) {
            reasons.push_back({kind});
        }
    };
    const auto& interpreter = finding.interpreter;
    add_if(from_stdin(finding), ReasonKind::stdin_code);
    add_if(finding.code.origin == Origin::descriptor, ReasonKind::descriptor);
    if (interpreter.identified_by == IdentifiedBy::content) {
        reasons.push_back({ReasonKind::content});
    } else if (interpreter.identified_by == IdentifiedBy::library) {
        reasons.push_back({ReasonKind::library});
    } else if (interpreter.copy_of) {
        reasons.push_back({ReasonKind::copy});
    } else {
        add_if(interpreter.identified_by == IdentifiedBy::inode, ReasonKind::inode);
    }
    add_if(interpreter.called.has_value(), ReasonKind::argv0);
    add_if(finding.process.login && finding.process.login->address, ReasonKind::remote_session);
    for (std::size_t link = 0; link < finding.chain.size(); ++link) {
        reasons.push_back({ReasonKind::chain, link});
    }
    add_if(finding.repeated.has_value(), ReasonKind::repeated);
    return reasons;
}

std::string_view id_of(const Finding& finding, const Reason& reason) {
    switch (reason.kind) {
    case ReasonKind::expectation:
        return to_string(finding.expectation.reason);
    case ReasonKind::chain:
        return to_string(finding.chain.at(reason.link).kind);
    default:
        return reason_kinds.at(static_cast<std::size_t>(reason.kind)).id;
    }
}

} // namespace luatrail::detect
