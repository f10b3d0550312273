#include "report/sentences.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "luatrail/detect/reason.hpp"
#include "report/chain_words.hpp"
#include "report/findings.hpp"
#include "report/phrases.hpp"
#include "report/title.hpp"
#include "support/catch.hpp"

using namespace luatrail;
using detect::ChainEntry;
using detect::ChainKind;

namespace {

// What can be known of a chain's entry: nothing, something usual, the worst.
std::vector<ChainEntry> entries_of(ChainKind kind) {
    const ChainEntry barest{.kind = kind};
    const ChainEntry usual{.kind = kind,
                           .path = "/tmp/.x/stage",
                           .age_ms = 4,
                           .by = detect::Actor{.pid = 7, .exe = "/usr/bin/bash", .uid = 33},
                           .same_tree = true};
    ChainEntry hostile = test::hostile().chain.front();
    hostile.kind = kind;
    std::vector<ChainEntry> entries;
    for (auto entry : {barest, usual, hostile}) {
        entry.how.reset();
        entries.push_back(entry);
        for (const auto& words : report::how_words) {
            entry.how = words.how;
            entries.push_back(entry);
        }
        entry.path.reset();
        entries.push_back(entry);
    }
    return entries;
}

detect::Finding ran(const ChainEntry& entry) {
    auto finding = test::bare();
    finding.interpreter.exe = "/usr/bin/lua5.4";
    finding.process.user = "ann";
    finding.code.origin = detect::Origin::interactive;
    finding.chain = {entry};
    return finding;
}

ChainEntry entry_of(ChainKind kind, const std::optional<std::string>& path, bool by) {
    return {.kind = kind,
            .path = path,
            .age_ms = 4,
            .by = by ? std::optional(detect::Actor{.pid = 7, .exe = "/usr/bin/bash", .uid = 33}) : std::nullopt};
}

} // namespace

TEST_CASE("each kind has words that are safe to show, done in each way, whatever is known of it") {
    for (const auto& row : detect::chain_kinds) {
        CHECK_FALSE(report::words_of(row.kind).heading.empty());
        for (const auto& entry : entries_of(row.kind)) {
            INFO(row.name << " " << (entry.how ? to_string(*entry.how) : "") << " " << entry.path.value_or("-"));
            const auto clause = report::title_clause(entry);
            const auto sentence = report::reason_sentence(entry);
            CHECK(test::harmless(clause));
            CHECK(test::harmless(sentence));
            CHECK_FALSE(sentence.empty());
            if (!entry.by || entry.by->exe == "/usr/bin/bash") { // nothing in it but our own words
                CHECK(clause.find_first_of("{}") == std::string::npos);
                CHECK(sentence.find_first_of("{}") == std::string::npos);
            }
        }
    }
}

TEST_CASE("a title names each kind once, what stands before the run before what came after it") {
    const auto run = report::title_of(ran({.kind = ChainKind::shared_memory}));
    for (const auto& row : detect::chain_kinds) {
        for (const auto& entry : entries_of(row.kind)) {
            INFO(row.name);
            CHECK(report::title_of(ran(entry)) == run + report::title_clause(entry));
        }
        auto both = ran({.kind = ChainKind::crash});
        both.chain.push_back(entry_of(row.kind, "/tmp/x", true));
        const auto clause = report::title_clause(both.chain.back());
        const auto crash = report::title_clause(both.chain.front());
        INFO(row.name);
        CHECK(report::title_of(both) ==
              run + (row.stands == detect::Stands::before_run ? clause + crash : crash + clause));
    }
}

TEST_CASE("a title tells of a drop where it names the code, and of the latest that made the file what it was") {
    auto finding = test::dropped_script();
    const std::string title = "luajit run by www-data on a script that bash dropped 4 ms earlier in /dev/shm/.cache";
    CHECK(report::title_of(finding) == title);
    auto armed = finding.chain.front();
    armed.how = detect::How::chmod;
    armed.age_ms = 1;
    finding.chain.push_back(armed);
    CHECK(report::title_of(finding) == title);
    finding.chain.front().how = detect::How::rename;
    CHECK(report::title_of(finding) ==
          "luajit run by www-data on a script that bash moved into place 4 ms earlier in /dev/shm/.cache");
    finding.chain = {armed};
    CHECK(report::title_of(finding) ==
          "luajit run by www-data on a script that bash made executable 1 ms earlier in /dev/shm/.cache");
}

TEST_CASE("what is missing of an entry changes its sentence") {
    const auto reason = [](const ChainEntry& entry) { return report::reason_sentence(entry); };
    CHECK(reason(entry_of(ChainKind::memfd, "/memfd:x", true)) ==
          "the interpreter ran from memory (/memfd:x), which bash (pid 7, uid 33) made 4 ms before the run: no file is "
          "behind it");
    CHECK(reason(entry_of(ChainKind::memfd, "/memfd:x", false)) ==
          "the interpreter ran from memory (/memfd:x), no file is behind it");
    CHECK(reason(entry_of(ChainKind::memfd, {}, true)) ==
          "4 ms before the run, bash (pid 7, uid 33) made the memfd that the code was read from: no file is behind it");
    CHECK(reason(entry_of(ChainKind::exec_memory, "denied", false)) ==
          "the kernel's policy denied executable memory to the run 4 ms after it began");
    CHECK(report::title_clause(entry_of(ChainKind::network, {}, true)) ==
          "; it then tried to connect to an unknown address");
    CHECK(report::title_clause(entry_of(ChainKind::download, "/usr/bin/curl", true)) == "; it then started curl");
}

TEST_CASE("each kind of reason has an id and a sentence that is safe to show") {
    auto piped = test::hostile();
    piped.code.origin = detect::Origin::stdin_code;
    piped.interpreter.called = test::nasty("called");
    piped.repeated = detect::Repetition{3, 0, "5b0c1f0e9a7d3c42"};
    auto opened = piped;
    opened.code.origin = detect::Origin::descriptor;
    opened.interpreter.identified_by = detect::IdentifiedBy::inode;
    auto copied = piped;
    copied.interpreter.copy_of = test::nasty("copy");
    auto seen = copied;
    seen.interpreter.identified_by = detect::IdentifiedBy::content;
    auto loaded = copied;
    loaded.interpreter.identified_by = detect::IdentifiedBy::library;
    std::set<detect::ReasonKind> met;
    for (auto finding : {piped, opened, copied, seen, loaded}) {
        finding.expectation = test::bare().expectation;
        const auto reasons = reasons_of(finding);
        const auto texts = report::sentences_of(finding).reasons;
        REQUIRE(reasons.size() == texts.size());
        for (std::size_t at = 0; at < texts.size(); ++at) {
            INFO(texts[at].id);
            met.insert(reasons[at].kind);
            CHECK(texts[at].id == id_of(finding, reasons[at]));
            CHECK_FALSE(texts[at].id.empty());
            CHECK_FALSE(texts[at].text.empty());
            CHECK(test::harmless(texts[at].text));
        }
    }
    CHECK(met.size() == detect::reason_kinds.size());
}

TEST_CASE("no bytes make a title that hides something") {
    for (const auto& finding : {test::bare(), test::dropped_script(), test::hostile(), test::huge()}) {
        auto one = finding;
        for (std::size_t origin = 0; origin < detect::names<detect::Origin>().size(); ++origin) {
            one.code.origin = static_cast<detect::Origin>(origin);
            for (std::size_t by = 0; by < detect::names<detect::IdentifiedBy>().size(); ++by) {
                one.interpreter.identified_by = static_cast<detect::IdentifiedBy>(by);
                CHECK(test::harmless(report::title_of(one)));
            }
        }
    }
}
