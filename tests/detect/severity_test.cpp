#include "luatrail/detect/severity.hpp"

#include "support/catch.hpp"
#include "support/table.hpp"

namespace luatrail::detect {
namespace {

constexpr ChainKind all_kinds[] = {ChainKind::script_drop, ChainKind::interpreter_drop, ChainKind::module_drop,
                                   ChainKind::memfd,       ChainKind::shared_memory,    ChainKind::deleted_file,
                                   ChainKind::exec_memory, ChainKind::injection,        ChainKind::crash,
                                   ChainKind::child_shell, ChainKind::network,          ChainKind::self_delete};

ChainKind kind_from(const std::string& name) {
    for (const auto kind : all_kinds) {
        if (to_string(kind) == name) {
            return kind;
        }
    }
    throw std::runtime_error("no chain kind " + name);
}

Finding finding_of(const std::string& chain) {
    Finding finding;
    finding.code.origin = Origin::script;
    for (const auto& word : test::split(chain, " ")) {
        if (word == "stdin") {
            finding.code.origin = Origin::stdin_code;
        } else if (word == "descriptor") {
            finding.code.origin = Origin::descriptor;
        } else if (word == "inline") {
            finding.code.origin = Origin::inline_code;
        } else if (word != "-") {
            finding.chain.push_back({});
            finding.chain.back().kind = kind_from(word);
        }
    }
    return finding;
}

std::string cell(Verdict verdict, const Finding& finding) {
    const auto severity = severity_of(verdict, classify(finding));
    return severity ? std::string(to_string(*severity)) : "none";
}

TEST_CASE("each cell of the severity table is as designed") {
    for (const auto& row : test::read_table("detect/data/severities.txt", 4)) {
        INFO("line " << row.line << ": " << row.cells[0]);
        const auto finding = finding_of(row.cells[0]);
        CHECK(cell(Verdict::expected, finding) == row.cells[1]);
        CHECK(cell(Verdict::unknown, finding) == row.cells[2]);
        CHECK(cell(Verdict::unexpected, finding) == row.cells[3]);
    }
}

TEST_CASE("each chain kind belongs to exactly one class") {
    for (const auto kind : all_kinds) {
        INFO(to_string(kind));
        CHECK(int{is_drop(kind)} + int{is_memory_artifact(kind)} + int{is_follow_up(kind)} == 1);
    }
}

TEST_CASE("the order of the chain does not matter") {
    CHECK(cell(Verdict::unexpected, finding_of("self-delete script-drop")) == "critical");
    CHECK(cell(Verdict::unexpected, finding_of("script-drop self-delete")) == "critical");
    CHECK(cell(Verdict::expected, finding_of("memfd network module-drop")) == "high");
}

} // namespace
} // namespace luatrail::detect
