// What is kept of a run for what follows it: bounded facts, worth most kept longest.
#include "detect/runs.hpp"

#include <algorithm>
#include <set>

#include "detect/bounds.hpp"
#include "luatrail/base/heap.hpp"
#include "luatrail/base/pack.hpp"
#include "luatrail/detect/finding.hpp"
#include "support/catch.hpp"
#include "support/log.hpp"

namespace runs_test {

using namespace luatrail;
using namespace luatrail::detect;

namespace {

constexpr std::size_t plenty = 1UL << 30U;

// Every text of a finding is `size` bytes long.
Finding with_texts(std::size_t size) {
    const std::string text(size, 'x');
    const LoginInfo login{text, text, text};
    Finding made;
    made.id = "0123456789abcdef";
    made.node = "web";
    made.severity = Severity::high;
    made.events = {{1000, 1}};
    made.time_ms = 1000;
    made.interpreter = {.exe = text, .profile = "lua", .package = text, .copy_of = text, .called = text};
    made.code = {.origin = Origin::script,
                 .argument = text,
                 .path = text,
                 .inline_text = text,
                 .package = text,
                 .packaged_path = text};
    made.process.pid = 7;
    made.process.argv.assign(std::min<std::size_t>(size, 40), text);
    for (auto* one :
         {&made.process.user, &made.process.tty, &made.process.comm, &made.process.cwd, &made.process.unit}) {
        *one = text;
    }
    made.process.login = login;
    made.ancestors.assign(8, {.pid = 1, .exe = text, .argv = {text, text}, .uid = 0});
    made.expectation = {.rule = text,
                        .because = text,
                        .nearest = text,
                        .missed = KeyMiss{.key = RuleKey::code, .wanted = text, .found = text, .script = text},
                        .program = text,
                        .path = text,
                        .package = text};
    ChainEntry entry{.kind = ChainKind::network, .path = text};
    entry.by =
        Actor{.pid = 5, .exe = text, .uid = 0, .argv = {text, text}, .below = WayIn{text, "mail"}, .login = login};
    made.chain.assign(15, entry);
    return made;
}

Run kept(Finding finding) {
    Run run;
    keep(run, std::move(finding));
    return run;
}

std::string brief_of(const Run& run) {
    return test::brief(recall(run, {}));
}

} // namespace

TEST_CASE("a finding within the bounds is kept as it is") {
    const auto run = kept(with_texts(30));
    const auto again = recall(run, "web");
    CHECK(again.node == "web");
    CHECK(again.id == "0123456789abcdef");
    CHECK(again.process.argv.size() == 30);
    CHECK(again.degraded.empty());
    CHECK(kept(again).facts == run.facts);
    CHECK(run.pid == 7);
    CHECK(run.severity == Severity::high);
    CHECK(run.event == audit::EventId{1000, 1});
    CHECK(run.has(ChainKind::network));
    CHECK_FALSE(run.has(ChainKind::memfd));
}

TEST_CASE("every text of a finding is cut, and what is made of it says so") {
    const auto some = kept(with_texts(10'000));
    const auto more = kept(with_texts(40'000));
    CHECK(heap_of(some) == heap_of(more)); // nothing grows with what came in
    CHECK(heap_of(more) < 1024UL * 1024);
    const auto again = recall(more, {});
    CHECK(again.degraded == std::vector<Degraded>{Degraded::truncated_argv});
    CHECK(again.process.argv.size() == 1);
    CHECK(again.process.argv.front().size() == kept_bytes);
    CHECK(again.code.inline_text->size() == kept_bytes);
    CHECK(again.code.path->size() == kept_path);
    CHECK(recall(kept(again), {}).degraded.size() == 1); // once
}

TEST_CASE("of many words the first are kept, within their bytes altogether") {
    auto finding = with_texts(10);
    finding.process.argv.assign(65536, "");
    CHECK(recall(kept(finding), {}).process.argv.size() == kept_words);
    finding.process.argv.assign(kept_words, std::string(kept_bytes / kept_words, 'a'));
    CHECK(recall(kept(finding), {}).degraded.empty());
    finding.process.argv.back() += "b";
    CHECK(recall(kept(finding), {}).degraded.size() == 1);
}

TEST_CASE("a follow-up of a run whose command line was cut says so, and the first finding does not") {
    test::Log log;
    const test::Who lua{.pid = 20, .ppid = 10, .uid = 33, .exe = "/usr/bin/lua5.4"};
    std::vector<std::string> argv(40, "a");
    argv[0] = "lua5.4";
    argv[1] = "/srv/x.lua";
    log.exec(lua, argv);
    log.exec({.pid = 30, .ppid = 20, .uid = 33, .exe = "/usr/bin/dash"}, {"sh"});
    EngineOptions options;
    options.baseline.load_text("schema = 1\n", "b.toml");
    const auto made = test::replay(log.text, std::move(options));
    REQUIRE(made.findings.size() == 2);
    CHECK(made.briefs[0] == "low script: | no-lineage");
    CHECK(made.findings[0].process.argv.size() == 40);
    CHECK(made.briefs[1] == "medium script: child-shell | no-lineage truncated-argv");
    CHECK(made.findings[1].process.argv.size() == kept_words);
}

TEST_CASE("the run that is worth least goes first: expected, then by severity, then by age") {
    base::Budget budget(plenty);
    Runs runs(budget);
    std::uint32_t slot = 0;
    const auto add = [&](std::optional<Severity> severity) {
        Finding finding;
        finding.events = {{1000 + slot, slot}};
        finding.process.pid = ++slot;
        finding.id = severity ? "x" : "";
        finding.severity = severity.value_or(Severity::info);
        auto run = kept(std::move(finding));
        run.process = {slot, 1};
        runs.add(std::move(run));
    };
    add(Severity::critical);
    add(Severity::low);
    add(std::nullopt);
    add(Severity::low);
    add(std::nullopt);
    std::vector<std::uint32_t> order;
    while (!runs.empty()) {
        std::vector<std::uint32_t> before;
        for (const auto& run : runs) {
            before.push_back(run.pid);
        }
        REQUIRE(runs.give_way());
        std::set<std::uint32_t> left;
        for (const auto& run : runs) {
            left.insert(run.pid);
        }
        for (const auto pid : before) {
            if (left.count(pid) == 0) {
                order.push_back(pid);
            }
        }
    }
    CHECK(order == std::vector<std::uint32_t>{3, 5, 2, 4, 1});
    CHECK_FALSE(runs.give_way());
    CHECK(runs.evicted() == 5);
}

TEST_CASE("a flood of runs does not push out the one that matters") {
    base::Budget budget(plenty);
    Runs runs(budget);
    auto worst = kept(with_texts(10));
    worst.process = {1, 1};
    runs.add(std::move(worst));
    for (std::uint32_t at = 0; at < 5000; ++at) {
        auto finding = with_texts(10);
        finding.severity = Severity::info;
        auto run = kept(std::move(finding));
        run.process = {2 + at, 1};
        runs.add(std::move(run));
    }
    CHECK(runs.size() == 512);
    CHECK(runs.has({1, 1}));
    CHECK_FALSE(runs.has({2, 1}));
    CHECK(runs.of({1, 1}).size() == 1);
    CHECK(brief_of(*runs.of({1, 1}).front()).starts_with("high"));
    CHECK(budget.used() == runs.bytes());
    runs.clear();
    CHECK(runs.has({1, 1}) == false);
}

TEST_CASE("bytes that are no run's facts are refused") {
    base::Budget budget(plenty);
    Runs runs(budget);
    auto run = kept(with_texts(10));
    run.facts.resize(run.facts.size() / 2);
    runs.add(std::move(run));
    base::Packer out;
    runs.save(out);
    const auto bytes = out.take();
    Runs other(budget);
    base::Unpacker in(bytes);
    CHECK_THROWS_AS(other.load(in), base::UnpackError);
}

} // namespace runs_test
