// What is proposed names what was seen, and a user wherever one can be known.
#include "luatrail/detect/proposal.hpp"

#include <set>

#include "support/catch.hpp"

namespace luatrail::detect::proposal_test {
namespace {

using inventory::FileKind;

inventory::Inventory facts() {
    inventory::Inventory made;
    made.packages = {{"prosody", "0.12", "amd64", {"lua5.4"}, false},
                     {"nmap", "7.93", "amd64", {"liblua5.4-0"}, false}};
    made.files["/usr/bin/prosody"] = {0, FileKind::lua_script, {}, false, "/usr/bin/lua5.4"};
    made.files["/usr/bin/prosodyctl"] = {0, FileKind::lua_script, {}, false, "/usr/bin/lua5.4"};
    made.files["/usr/bin/nmap"] = {1, FileKind::executable, {}, false};
    made.files["/usr/share/nmap/nselib/http.lua"] = {1, FileKind::lua_module, {}, false};
    made.files["/usr/share/lua/5.4/socket.lua"] = {0, FileKind::lua_module, {}, false};
    made.units = {{"prosody.service", "/lib/systemd/system/prosody.service", {"/usr/bin/prosody -F"}, "prosody", 0},
                  {"job@.service", "/etc/systemd/system/job@.service", {"/usr/bin/lua5.4 /srv/job.lua"}, "%i", {}},
                  {"root.service",
                   "/etc/systemd/system/root.service",
                   {"/usr/bin/lua5.4 -lsocket -e x=1 /srv/root.lua"},
                   {},
                   {}}};
    return made;
}

const Proposal& named(const std::vector<Proposal>& all, std::string_view id) {
    for (const auto& one : all) {
        if (one.rule.id == id) {
            return one;
        }
    }
    throw std::runtime_error("no proposal has the id " + std::string(id));
}

TEST_CASE("a proposal names a user wherever one can be known") {
    const auto made = propose(facts());
    CHECK(named(made, "prosody.service").rule.user == "prosody");
    CHECK(named(made, "root.service").rule.user == "root");
    CHECK(named(made, "prosody-prosody").rule.user == "prosody"); // whom its unit runs it as
    for (const auto* id : {"prosody-prosodyctl", "job@.service"}) {
        CAPTURE(id);
        CHECK_FALSE(named(made, id).rule.user);
        CHECK(named(made, id).for_anybody());
    }
    auto two = facts();
    two.cron = {{"/etc/cron.d/x", "root", "/usr/bin/prosody --check"}};
    const auto both = propose(two);
    CHECK(named(both, "prosody-prosody").rule.user == "prosody");
    CHECK(named(both, "prosody-prosody-2").rule.user == "root");
}

TEST_CASE("a proposal names the code and the modules of the command line that it rests on") {
    const auto made = propose(facts());
    const auto& rule = named(made, "root.service").rule;
    CHECK(rule.script == "/srv/root.lua");
    CHECK(rule.code == "x=1");
    CHECK(rule.modules == std::vector<std::string>{"socket"});
    CHECK_FALSE(rule.interactive);
}

TEST_CASE("a program with Lua inside is proposed for the Lua that packages bring in a directory of its name") {
    const auto made = propose(facts());
    const auto& nmap = named(made, "nmap-usr-share-nmap");
    CHECK(nmap.rule.executable == "/usr/bin/nmap");
    CHECK(nmap.rule.script == "/usr/share/nmap/**");
    CHECK(nmap.for_anybody());
    CHECK_FALSE(too_wide(nmap.rule));
    auto without = facts();
    without.files.erase("/usr/share/nmap/nselib/http.lua");
    CHECK(propose(without).size() + 1 == made.size());
}

TEST_CASE("each program of a name, and of a profile, is proposed for the Lua that packages bring for that") {
    auto several = facts();
    several.packages.push_back({"vim-nox", "9.0", "amd64", {"liblua5.2-0"}, false});
    for (const auto* program : {"/usr/bin/vim.basic", "/usr/bin/vim.nox", "/usr/libexec/nmap"}) {
        several.files[program] = {2, FileKind::executable, {}, false};
    }
    several.files["/usr/share/vim/pack/x.lua"] = {2, FileKind::lua_module, {}, false};
    std::set<std::pair<std::string, std::string>> made;
    for (const auto& one : propose(several)) {
        if (std::holds_alternative<HostProgram>(one.basis)) {
            made.emplace(*one.rule.executable, *one.rule.script);
        }
    }
    CHECK(made == std::set<std::pair<std::string, std::string>>{{"/usr/bin/nmap", "/usr/share/nmap/**"},
                                                                {"/usr/bin/vim.basic", "/usr/share/vim/**"},
                                                                {"/usr/bin/vim.nox", "/usr/share/vim/**"},
                                                                {"/usr/libexec/nmap", "/usr/share/nmap/**"}});
}

Finding seen(const std::string& script) {
    Finding finding;
    finding.interpreter.exe = "/usr/bin/lua5.4";
    finding.process.user = "ada";
    finding.code.origin = Origin::script;
    finding.code.path = script;
    return finding;
}

TEST_CASE("what is learnt names what was seen, and is then expected") {
    Learner learner;
    auto finding = seen("/srv/x.lua");
    finding.code.inline_text = "package.path='/srv/?.lua'";
    finding.code.modules = {"socket", "a*"};
    learner.on_finding(finding);
    const auto made = learner.proposals();
    REQUIRE(made.size() == 1);
    const auto& rule = made[0].rule;
    CHECK(rule.script == "/srv/x.lua");
    CHECK(rule.code == "package.path='/srv/\\?.lua'");
    CHECK(rule.modules == std::vector<std::string>{"socket", "a\\*"});
    CHECK(compare(rule, facts_of(finding)).matches());
    CHECK_FALSE(compare(rule, facts_of(seen("/srv/x.lua"))).matches());
}

TEST_CASE("what no entry should name is left out, with the objection") {
    struct Row {
        void (*make)(Finding&);
        Objection objection;
    };
    const std::vector<Row> rows{
        {[](Finding& f) { f.code.reads_stdin = true; }, Objection::no_file},
        {[](Finding& f) { f.code.inline_text = std::string(501, 'x'); }, Objection::long_code},
        {[](Finding& f) { f.code.more_scripts = {"/srv/y.lua"}; }, Objection::several},
        {[](Finding& f) { f.code.modules = {"\xff"}; }, Objection::not_utf8},
        {[](Finding& f) { f.code.arguments_lost = true; }, Objection::nobody_known},
    };
    for (const auto& row : rows) {
        Learner learner;
        auto finding = seen("/srv/x.lua");
        row.make(finding);
        learner.on_finding(finding);
        CHECK(learner.proposals().empty());
        REQUIRE(learner.left_out().size() == 1);
        CHECK(learner.left_out()[0].objections == std::set<Objection>{row.objection});
    }
}

TEST_CASE("entries that would hide an attack are told: any module, any input") {
    Rule rule;
    rule.user = "ada";
    rule.script = "/srv/x.lua";
    CHECK_FALSE(too_wide(rule));
    rule.modules = {"socket", "**"};
    CHECK(too_wide(rule) == TooWide::any_module);
    rule.modules = {"socket"};
    rule.interactive = true;
    CHECK(too_wide(rule) == TooWide::any_input);
}

} // namespace
} // namespace luatrail::detect::proposal_test
