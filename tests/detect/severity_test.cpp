#include "luatrail/detect/severity.hpp"

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/table.hpp"

namespace luatrail::detect::severity_test {
namespace {

ChainKind kind_from(const std::string& name) {
    for (const auto& row : chain_kinds) {
        if (row.name == name) {
            return row.kind;
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
    const auto severity = severity_of(verdict, chained_with(finding));
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

TEST_CASE("each kind, and each two of them, stand in the column of their classes") {
    for (const auto& one : chain_kinds) {
        const bool follows = one.is == ChainClass::follow_up;
        CHECK(chained_with(finding_of(std::string(one.name))) == (follows ? Chained::follow_up : Chained::one));
        for (const auto& other : chain_kinds) {
            INFO(one.name << " " << other.name);
            const auto column = one.is != other.is ? Chained::more : follows ? Chained::follow_up : Chained::one;
            CHECK(chained_with(finding_of(std::string(one.name) + " " + std::string(other.name))) == column);
        }
    }
}

// "| expected | no finding (counted) | medium |": its cells.
std::vector<std::string> cells_of(const std::string& line) {
    auto cells = test::split(line, "|");
    for (auto& cell : cells) {
        cell.erase(0, cell.find_first_not_of(' '));
        cell.erase(cell.find_last_not_of(' ') + 1);
    }
    return cells;
}

TEST_CASE("the design shows the severity table and the classes as they are") {
    std::ifstream file(LUATRAIL_SOURCE_DIR "/docs/design.md");
    const std::string design{std::istreambuf_iterator<char>(file), {}};
    const auto line_with = [&design](const std::string& start) {
        const auto at = design.find("\n" + start);
        REQUIRE(at != std::string::npos);
        return design.substr(at + 1, design.find("\n-", at + 1) - at - 1);
    };
    for (std::size_t row = 0; row < names<Verdict>().size(); ++row) {
        const auto verdict = static_cast<Verdict>(row);
        const auto line = line_with("| " + std::string(to_string(verdict)));
        const auto cells = cells_of(line.substr(2, line.find('\n') - 3));
        REQUIRE(cells.size() == 5);
        for (std::size_t column = 0; column < 4; ++column) {
            INFO(line << ": " << column);
            const auto severity = severity_of(verdict, static_cast<Chained>(column));
            CHECK(cells[column + 1] == (severity ? to_string(*severity) : "no finding (counted)"));
        }
    }
    const std::map<ChainClass, std::string> lists{{ChainClass::drop, line_with("- Drops: ")},
                                                  {ChainClass::artifact, line_with("- Memory artifacts: ")},
                                                  {ChainClass::follow_up, line_with("- Follow-ups: ")}};
    for (const auto& kind : chain_kinds) {
        for (const auto& [is, list] : lists) {
            INFO(kind.name << " in " << list);
            CHECK((list.find("`" + std::string(kind.name) + "`") != std::string::npos) == (is == kind.is));
        }
    }
}

TEST_CASE("the order of the chain does not matter") {
    CHECK(cell(Verdict::unexpected, finding_of("self-delete script-drop")) == "critical");
    CHECK(cell(Verdict::unexpected, finding_of("script-drop self-delete")) == "critical");
    CHECK(cell(Verdict::expected, finding_of("memfd network module-drop")) == "high");
}

} // namespace
} // namespace luatrail::detect::severity_test
